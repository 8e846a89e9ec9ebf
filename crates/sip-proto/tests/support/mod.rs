//! What the integration tests share: the torture messages, and a box around a user agent.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip_proto::digest::{Algorithm, Asker, Challenge, Credentials, Secret};
use sip_proto::message::{Method, Name, Payload, Response};
use sip_proto::user_agent::{Capabilities, Config, Event, LegId, UserAgent};
use sip_proto::{Packet, Transport};

/// One torture message, as it stands in its RFC.
pub(crate) fn message(folder: &str, name: &str) -> Bytes {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
    let plain = folder.join(name);
    let path = if plain.exists() { plain } else { folder.join(format!("{name}.dat")) };
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}

/// All torture messages, by name, in the order of their names.
pub(crate) fn messages() -> Vec<(String, Bytes)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut all = Vec::new();
    for folder in ["rfc4475", "rfc5118"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("the folder of the messages") {
            let path = entry.expect("a file").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            all.push((name, std::fs::read(&path).expect("a message").into()));
        }
    }
    all.sort();
    all
}

/// Where the messages seem to come from.
pub(crate) fn peer() -> SocketAddr {
    ([127, 0, 0, 1], 5070).into()
}

/// A user agent with a TU that answers calls at once and is the registrar of "example.com".
pub(crate) struct Station {
    pub(crate) agent: UserAgent,
    pub(crate) now: Instant,
    /// The password of every user; `None` lets everybody in.
    pub(crate) password: Option<&'static str>,
    live: Vec<LegId>,
}

impl Station {
    pub(crate) fn new(password: Option<&'static str>) -> Self {
        let mut config = Config::new(([127, 0, 0, 9], 5060).into(), 7);
        config.capabilities = Capabilities::default();
        config.capabilities.allow.push(Method::Register);
        Self { agent: UserAgent::new(config), now: Instant::now(), password, live: Vec::new() }
    }

    /// Everything that is sent at once in answer to these bytes.
    pub(crate) fn receive(&mut self, transport: Transport, bytes: Bytes) -> Vec<Packet> {
        self.agent.handle_packet(self.now, Packet { transport, peer: peer(), bytes });
        self.serve();
        std::iter::from_fn(|| self.agent.poll_transmit()).collect()
    }

    /// Ends what is alive, and lets time run until nothing is due any more.
    pub(crate) fn run_down(&mut self) {
        for leg in std::mem::take(&mut self.live) {
            self.agent.hang_up(self.now, leg, None);
        }
        let limit = self.now + Duration::from_secs(300);
        while let Some(due) = self.agent.poll_timeout() {
            assert!(due < limit, "something goes on for ever");
            self.now = due.max(self.now);
            self.agent.handle_timeout(self.now);
            self.serve();
            while self.agent.poll_transmit().is_some() {}
        }
    }

    fn serve(&mut self) {
        while let Some(event) = self.agent.poll_event() {
            match event {
                Event::Offered { leg, .. } => {
                    self.live.push(leg);
                    self.agent.accept(self.now, leg, &Payload::empty());
                }
                Event::Modify { id, .. } | Event::Request { id, .. } => {
                    self.agent.respond(self.now, id, 200, &Payload::empty());
                }
                Event::OutOfDialog { id, request, .. } => {
                    let credentials = Credentials::of(&request, "example.com", Asker::Server);
                    let is_known = |password| {
                        credentials.is_some_and(|one| {
                            let secret = Secret::of(one.username(), "example.com", password);
                            one.verify(request.method_text(), &secret)
                        })
                    };
                    let (status, payload) = match self.password {
                        _ if request.method() != Method::Register => (200, Payload::empty()),
                        Some(password) if !is_known(password) => (401, challenge()),
                        // The bindings are what the client asked for (RFC 3261 §10.3 step 8).
                        _ => (200, bindings(request.list(Name::Contact))),
                    };
                    self.agent.respond(self.now, id, status, &payload);
                }
                _ => {}
            }
        }
    }
}

/// What a registrar asks for.
fn challenge() -> Payload {
    let rejection = Challenge::new("example.com", "abc")
        .rejection(Asker::Server, &[Algorithm::Sha256, Algorithm::Md5]);
    let lines = rejection.headers.expect("lines");
    lines
        .lines()
        .filter_map(|line| line.split_once(": "))
        .fold(Payload::empty(), |payload, (name, value)| payload.with_header(name, value))
}

fn bindings<'a>(contacts: impl Iterator<Item = &'a str>) -> Payload {
    contacts.fold(Payload::empty(), |payload, one| payload.with_header("Contact", one))
}

/// Reads what was sent, which must all be responses.
pub(crate) fn responses(packets: &[Packet]) -> Vec<Response> {
    let read = |packet: &Packet| Response::parse(packet.bytes.clone());
    packets.iter().map(|packet| read(packet).expect("a sound response")).collect()
}

/// The status of a response. The refusal of an unsound request repeats its broken From or To, so
/// this looks at the first line only.
pub(crate) fn status_of(packet: &Packet) -> u16 {
    let digits = packet.bytes.strip_prefix(b"SIP/2.0 ").and_then(|rest| rest.get(..3));
    let text = digits.and_then(|digits| std::str::from_utf8(digits).ok());
    text.and_then(|text| text.parse().ok()).expect("a status line")
}
