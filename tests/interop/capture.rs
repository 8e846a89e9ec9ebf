//! tshark: captures packets of these tests on loopback, and dissects them.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::loopback;
use crate::process::Process;

const PACKAGE: &str = "tshark";

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
    ports: Vec<u16>,
    _folder: TempDir,
}

impl Capture {
    /// Captures until `packets` packets of these programs' addresses have passed.
    ///
    /// # Panics
    /// When this user may not capture.
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let file = folder.path().join("calls.pcapng");
        let [a, b, c] = loopback::network();
        let filter = format!("net {a}.{b}.{c}.0/24");
        let mut command = Command::new("tshark");
        command.args(["-i", "lo", "-f", &filter, "-a", "duration:45", "-Q"]);
        command.arg("-w").arg(&file);
        let mut process = Process::foreign("tshark", PACKAGE, &mut command);
        process.until("Capture started");
        Self { process, file, folder }
    }
}
