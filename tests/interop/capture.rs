//! tshark: captures what passes on loopback between the addresses of this process, and dissects it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::loopback;
use crate::process::{Process, installed};

/// A capture that runs.
#[derive(Debug)]
pub(crate) struct Capture {
    process: Process,
    file: PathBuf,
    folder: TempDir,
}

/// A finished capture.
#[derive(Debug)]
pub(crate) struct Packets {
    file: PathBuf,
    /// What tshark needs to know to see SIP on ports that are not 5060.
    decode_as: Vec<String>,
    _folder: TempDir,
}

impl Capture {
    /// Starts to capture.
    ///
    /// # Panics
    /// When this user may not capture.
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let file = folder.path().join("calls.pcapng");
        let [a, b, c] = loopback::network();
        let filter = format!("net {a}.{b}.{c}.0/24");
        let mut command = Command::new(installed("tshark", "tshark"));
        // -P -l: one line on its output for each packet, at once.
        command.args(["-i", "lo", "-n", "-f", &filter, "-P", "-l", "-a", "duration:45"]);
        command.arg("-w").arg(&file);
        let mut process = Process::start("tshark (root, or a user who may capture)", &mut command);
        process.until("Capture started");
        Self { process, file, folder }
    }

    /// Stops once a packet from `marker` has passed, which must be the last one of interest.
    pub(crate) fn stop_at(mut self, marker: SocketAddr, sip: &[SocketAddr]) -> Packets {
        self.process.until(&marker.ip().to_string());
        self.process.kill();
        let port = |address: &SocketAddr| address.port();
        let decode_as = sip.iter().map(port).flat_map(|port| {
            ["udp", "tcp"].map(|transport| format!("{transport}.port=={port},sip"))
        });
        Packets { file: self.file, decode_as: decode_as.collect(), _folder: self.folder }
    }
}
