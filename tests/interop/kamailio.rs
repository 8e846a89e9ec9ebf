//! Kamailio, a proxy that stays in the dialog, in the foreground.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::loopback;
use system_tests::process::{Process, installed};

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Kamailio {
    process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Kamailio {
    /// Starts a proxy that sends new calls to `next_hop`.
    pub(crate) fn in_front_of(next_hop: SocketAddr) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let address = loopback::free_port(loopback::host());
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/kamailio.cfg");
        // It has processes of its own, even without a daemon. A signal ends them all; so does the time, if a test ends without it.
        let mut command = Command::new("timeout");
        command.arg("45").arg(installed("kamailio", "kamailio"));
        command.arg("-f").arg(config);
        command.arg("-A").arg(format!("LISTEN=udp:{address}"));
        command.arg("-A").arg(format!("NEXT_HOP=\"{next_hop}\""));
        // -D: no daemon. 32 MiB of shared and 4 MiB of private memory are plenty here.
        command.args(["-D", "-m", "32", "-M", "4"]);
        command.arg("-w").arg(folder.path()).arg("-Y").arg(folder.path());
        let mut process = Process::start("Kamailio", &mut command);
        process.until_listening(address);
        Self { process, address, _folder: folder }
    }

    /// Where it takes calls.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        self.process.terminate();
    }
}
