//! Kamailio, a proxy that stays in the dialog: one process, in the foreground, without a daemon.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::loopback;
use crate::process::{Process, installed};

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Kamailio {
    _process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Kamailio {
    /// Starts a proxy that sends new calls to `next_hop`.
    pub(crate) fn in_front_of(next_hop: SocketAddr) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let address = loopback::free_port(loopback::host());
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/kamailio.cfg");
        let mut command = Command::new(installed("kamailio", "kamailio"));
        command.arg("-f").arg(config);
        command.arg("-A").arg(format!("LISTEN=udp:{address}"));
        command.arg("-A").arg(format!("NEXT_HOP=\"{next_hop}\""));
        // -D: no fork. 32 MiB of shared and 4 MiB of private memory are plenty here.
        command.args(["-D", "-m", "32", "-M", "4"]);
        command.arg("-w").arg(folder.path()).arg("-Y").arg(folder.path());
        let mut process = Process::start("Kamailio", &mut command);
        process.until("no fork mode");
        Self { _process: process, address, _folder: folder }
    }

    /// Where it takes calls.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}
