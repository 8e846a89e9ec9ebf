//! rtpengine without its kernel module: the package `rtpengine-daemon` of Debian, told by its ng protocol what to do.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use system_tests::machine;
use system_tests::process::Process;

use crate::relay::{Relay, find};
use crate::session::{PHONE_A, PHONE_B, Ports, description, media_address, phone};

const HOST: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 12);
const CONTROL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(HOST), 2223);

/// An answer takes a millisecond; a lost datagram is not asked for again.
const PATIENCE: Duration = Duration::from_secs(3);

/// A running `rtpengine`, and the socket that controls it.
#[derive(Debug)]
pub(crate) struct Rtpengine {
    process: Process,
    control: UdpSocket,
    cookie: u64,
    ports: Vec<Ports>,
}

impl Rtpengine {
    /// Starts it on one core with one thread for packets.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let program = find("rtpengine")
            .context("not installed: install the Debian package rtpengine-daemon")?;
        let mut command = machine::pinned(machine::MEASURED, Path::new(&program));
        command.args(["--foreground", "--log-stderr", "--log-level=3", "--table=-1"]);
        command.args(["--num-threads=1", "--port-min=10000", "--port-max=31999"]);
        // Calls that wait for their turn are silent for longer than people are.
        command.args(["--timeout=3600", "--silent-timeout=3600"]);
        command.arg(format!("--interface={HOST}")).arg(format!("--listen-ng={CONTROL}"));
        let mut process = Process::start("rtpengine", &mut command);
        process.until_listening(CONTROL);
        let control = UdpSocket::bind((HOST, 0))?;
        control.connect(CONTROL)?;
        control.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { process, control, cookie: 0, ports: Vec::new() })
    }

    /// One command; the answer is a dictionary in bencode whose result must be `ok`.
    fn ask(&mut self, command: &str, call: usize, more: &[(&str, &str)]) -> anyhow::Result<String> {
        self.cookie += 1;
        let call = format!("call-{call}");
        let mut request = format!("{} d", self.cookie);
        let always = [("command", command), ("call-id", &call), ("from-tag", "a")];
        for (key, value) in always.iter().chain(more) {
            request += &format!("{}:{key}{}:{value}", key.len(), value.len());
        }
        self.control.send(format!("{request}e").as_bytes())?;
        let mut answer = [0; 4096];
        let length = self.control.recv(&mut answer).context("rtpengine does not answer")?;
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        ensure!(answer.starts_with(&format!("{} d", self.cookie)), "not an answer: {answer}");
        ensure!(text_of(&answer, "result") == Some("ok"), "{command} refused: {answer}");
        Ok(answer)
    }

    /// Offers or answers with the description of a phone. The address in the result is for the other phone.
    fn describe(
        &mut self,
        command: &str,
        call: usize,
        own: SocketAddr,
    ) -> anyhow::Result<SocketAddr> {
        let description = description(own);
        let mut more = vec![("sdp", description.as_str()), ("ICE", "remove")];
        if command == "answer" {
            more.push(("to-tag", "b"));
        }
        let answer = self.ask(command, call, &more)?;
        let media = text_of(&answer, "sdp").and_then(media_address);
        media.with_context(|| format!("no address in {answer}"))
    }
}

impl Relay for Rtpengine {
    fn process(&self) -> u32 {
        self.process.id()
    }

    fn host(&self) -> Ipv4Addr {
        HOST
    }

    fn grow(&mut self, calls: usize) -> anyhow::Result<&[Ports]> {
        for call in self.ports.len()..calls {
            let for_b = self.describe("offer", call, phone(PHONE_A, call))?;
            let for_a = self.describe("answer", call, phone(PHONE_B, call))?;
            self.ports.push([for_a, for_b]);
        }
        Ok(&self.ports[..calls])
    }

    fn end(mut self: Box<Self>) -> anyhow::Result<()> {
        for call in 0..self.ports.len() {
            self.ask("delete", call, &[])?;
        }
        Ok(())
    }
}

/// The text of a key, as bencode writes both: `3:sdp5:v=0\r\n`.
fn text_of<'a>(answer: &'a str, key: &str) -> Option<&'a str> {
    let (_, value) = answer.split_once(&format!("{}:{key}", key.len()))?;
    let (length, text) = value.split_once(':')?;
    text.get(..length.parse().ok()?)
}
