//! baresip, a softphone, without sound card and screen: it plays a file, and we type its commands.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::loopback;
use system_tests::process::{Process, installed};

/// Its own number; it takes calls to no other. That of the PSAP `first` in `network.toml`.
const NUMBER: &str = "0353010015";

/// A running softphone with one account.
#[derive(Debug)]
pub(crate) struct Baresip {
    process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Baresip {
    /// Starts it. With `answers`, it takes calls by itself.
    pub(crate) fn start(answers: bool) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let address = loopback::free_port(loopback::host());
        let tone = folder.path().join("tone.wav");
        fs::write(&tone, tone_file()).expect("a file in a temporary folder");
        write(&folder, "config", &config(address, &tone));
        let mode = if answers { "auto" } else { "manual" };
        let host = address.ip();
        write(&folder, "accounts", &format!("<sip:{NUMBER}@{host}>;regint=0;answermode={mode}\n"));
        write(&folder, "contacts", "");
        let mut command = Command::new(installed("baresip", "baresip-core"));
        // It ends by itself if a test ends without it.
        command.arg("-4").arg("-f").arg(folder.path()).args(["-t", "45"]);
        let mut process = Process::start("baresip", &mut command);
        process.until("baresip is ready");
        Self { process, address, _folder: folder }
    }

    /// Where it takes calls.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn dial(&mut self, uri: &str) {
        self.process.write(&format!("/dial {uri}"));
    }

    /// Ends its call, with BYE or CANCEL.
    pub(crate) fn hang_up(&mut self) {
        self.process.write("/hangup");
        self.process.until("terminate call");
    }

    /// Waits until it hears that the other side rings.
    pub(crate) fn until_ringing(&mut self) {
        self.process.until("180 Ringing");
    }

    /// Waits until it says that the call is established.
    pub(crate) fn until_established(&mut self) {
        self.process.until("Call established");
    }

    /// Waits until it says that the other side ended the call.
    pub(crate) fn until_closed(&mut self) {
        self.process.until("session closed");
    }

    /// Ends it.
    pub(crate) fn quit(mut self) {
        self.process.write("/quit");
        let status = self.process.finish();
        assert!(status.success(), "baresip: {status}; {}", self.process.words());
    }
}

/// Only what a call needs: no sound card, no network outside loopback.
fn config(address: SocketAddr, tone: &Path) -> String {
    let host: IpAddr = address.ip();
    let tone = tone.display();
    format!(
        "sip_listen {address}\n\
         net_interface {host}\n\
         call_local_timeout 30\n\
         call_max_calls 4\n\
         audio_player aubridge,loudspeaker\n\
         audio_source aufile,{tone}\n\
         audio_alert aubridge,bell\n\
         ausrc_channels 1\n\
         auplay_channels 1\n\
         module_path /usr/lib/baresip/modules\n\
         module stdio.so\n\
         module g711.so\n\
         module aufile.so\n\
         module aubridge.so\n\
         module_tmp uuid.so\n\
         module_tmp account.so\n\
         module_app menu.so\n"
    )
}

fn write(folder: &TempDir, name: &str, text: &str) {
    fs::write(folder.path().join(name), text).expect("a file in a temporary folder");
}

/// Twenty seconds of 425 Hz, the French dial tone, as a WAV file of 16-bit samples at 8 kHz.
fn tone_file() -> Vec<u8> {
    const RATE: u32 = 8000;
    let length = 20 * RATE * 2;
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 1, 0]); // PCM, one channel
    file.extend(RATE.to_le_bytes());
    file.extend((2 * RATE).to_le_bytes());
    file.extend([2, 0, 16, 0]); // bytes of a sample, bits of a sample
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    for sample in 0..20 * RATE {
        let phase = f64::from(sample) * 425.0 * std::f64::consts::TAU / f64::from(RATE);
        file.extend(((phase.sin() * 8000.0) as i16).to_le_bytes());
    }
    file
}
