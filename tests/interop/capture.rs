//! tshark: captures what our boxes receive and send on loopback, and dissects it.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::loopback;
use system_tests::process::{Process, installed};

/// A capture that runs.
#[derive(Debug)]
pub(crate) struct Capture {
    process: Process,
    file: PathBuf,
    boxes: Vec<SocketAddr>,
    /// A packet from here is the last one.
    marker: IpAddr,
    folder: TempDir,
}

/// A finished capture.
#[derive(Debug)]
pub(crate) struct Packets {
    file: PathBuf,
    boxes: Vec<SocketAddr>,
    folder: TempDir,
}

impl Capture {
    /// Captures the packets of these boxes.
    ///
    /// # Panics
    /// When this user may not capture.
    pub(crate) fn start(boxes: Vec<SocketAddr>) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let file = folder.path().join("calls.pcapng");
        let marker = loopback::host();
        let hosts = boxes.iter().map(SocketAddr::ip).chain([marker]);
        let filter: Vec<_> = hosts.map(|host| format!("host {host}")).collect();
        let mut command = Command::new(installed("tshark", "tshark"));
        // -P -l: a line on its output for each packet, at once.
        command.args(["-i", "lo", "-n", "-f", &filter.join(" or "), "-P", "-l"]);
        // It ends by itself if a test ends without it.
        command.args(["-a", "duration:45", "-w"]).arg(&file);
        let mut process =
            Process::start("tshark (as root or in the group wireshark)", &mut command);
        process.until("Capture started");
        Self { process, file, boxes, marker, folder }
    }

    /// Ends the capture, with everything that was sent before.
    pub(crate) fn stop(mut self) -> Packets {
        let socket = UdpSocket::bind((self.marker, 0)).expect("a UDP socket on loopback");
        let itself = socket.local_addr().expect("the address of a bound socket");
        socket.send_to(b"the last packet", itself).expect("a packet on loopback");
        self.process.until(&self.marker.to_string());
        self.process.terminate();
        Packets { file: self.file, boxes: self.boxes, folder: self.folder }
    }
}

const CUSTOM_HEADER: &str =
    "uat:custom_sip_header_fields:\"Origin-State-Id\",\"which start of the server this is\"";

impl Packets {
    /// The packets to which a display filter applies, a line each.
    pub(crate) fn matching(&self, filter: &str) -> Vec<String> {
        self.read(&["-Y", filter])
    }

    /// What tshark says of the packets when it has these arguments too.
    pub(crate) fn read(&self, arguments: &[&str]) -> Vec<String> {
        self.read_file(&self.file, arguments)
    }

    /// The same without the packets of these numbers: tshark counts those that are left anew.
    pub(crate) fn read_without(&self, numbers: &[String], arguments: &[&str]) -> Vec<String> {
        let rest = self.folder.path().join("rest.pcapng");
        let filter = format!("!(frame.number in {{{}}})", numbers.join(", "));
        self.read(&["-Y", &filter, "-w", &rest.to_string_lossy()]);
        self.read_file(&rest, arguments)
    }

    fn read_file(&self, file: &Path, arguments: &[&str]) -> Vec<String> {
        let mut command = Command::new(installed("tshark", "tshark"));
        command.arg("-n").arg("-r").arg(file).args(arguments);
        // The one header of ours that is no standard's of SIP (RFC 3261 §7.3.1), as a user of tshark makes it known.
        command.args(["-o", CUSTOM_HEADER]);
        // Our boxes are on ports that the system chose: without this it would guess.
        for port in self.boxes.iter().map(SocketAddr::port) {
            command.args(["-d", &format!("udp.port=={port},sip")]);
            command.args(["-d", &format!("tcp.port=={port},sip")]);
        }
        let output = command.output().expect("tshark starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tshark cannot read with {arguments:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }
}
