//! A node between telephones and a trunk group, all played by the test.

mod edge;
mod registrar;
mod secured;

use sip_proto::digest::Secret;
use sip_proto::message::Response;
use topology::Layers;

use super::*;

const NETWORK: &str = r#"
[sites.alpha]
address = "127.0.0.11:5060"
[trunk_groups.mobile]
address = "127.0.0.21:5060"
[psaps.samu]
address = "127.0.0.31:5060"
number = "0353010015"
positions = 2
[[routes]]
numbers = ["15", "112", "urn:service:sos"]
psaps = ["samu"]
[access.lab]
address = "127.0.0.41:5060"
trunk_group = "mobile"
realm = "lab.example"
contacts = 3
tls = "127.0.0.41:5061"
ws = "127.0.0.41:5080"
wss = "127.0.0.41:5443"
[access.lab.accounts.anna]
number = "0199001234"
[access.lab.accounts.bert]
"#;

pub(crate) const NODE: &str = "127.0.0.41:5060";
pub(crate) const TRUNK: &str = "127.0.0.21:5060";
pub(crate) const PASSWORD: &str = "secret";

/// The node and what it has sent.
pub(crate) struct Lab {
    pub(crate) node: AccessNode,
    pub(crate) now: Instant,
    count: u32,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// With further keys of the access node.
    pub(crate) fn with(keys: &str) -> Self {
        let text = NETWORK.replace("contacts = 3\n", &format!("contacts = 3\n{keys}\n"));
        let topology = Topology::parse("lab.toml", &text, &Layers::none()).expect("a network");
        let settings = topology.access[0].clone();
        let accounts = settings.accounts.iter().map(|one| Account {
            name: one.name.as_str().into(),
            number: one.number.as_deref().map(Into::into),
            secret: Secret::of(&one.name, &settings.realm, PASSWORD),
        });
        let (accounts, now) = (accounts.collect(), Instant::now());
        let address = NODE.parse().expect("an address");
        let node =
            AccessNode::new(settings, accounts, Arc::new(topology), address, 1, "unguessed", now);
        Self { node, now, count: 0 }
    }

    pub(crate) fn receive(&mut self, from: &str, transport: Transport, text: &str) -> Vec<Packet> {
        let peer = from.parse().expect("an address");
        let packet = Packet { transport, peer, bytes: text.to_owned().into() };
        self.node.handle_packet(self.now, packet);
        self.sent()
    }

    pub(crate) fn sent(&mut self) -> Vec<Packet> {
        std::iter::from_fn(|| self.node.poll_transmit()).collect()
    }

    /// Lets time pass, and returns what is sent meanwhile.
    pub(crate) fn pass(&mut self, time: Duration) -> Vec<Packet> {
        let (end, mut sent) = (self.now + time, Vec::new());
        while let Some(due) = self.node.poll_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.node.handle_timeout(self.now);
            sent.extend(self.sent());
        }
        self.now = end;
        sent
    }

    /// A request of a telephone at `from`, with the header lines `lines`.
    pub(crate) fn request(
        &mut self,
        method: &str,
        uri: &str,
        user: &str,
        from: &str,
        lines: &str,
    ) -> String {
        self.count += 1;
        let count = self.count;
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {from};rport;branch=z9hG4bK{count}\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@lab.example>;tag=f{count}\r\nTo: <sip:{user}@lab.example>\r\nCall-ID: call-{count}\r\n\
             CSeq: {count} {method}\r\n{lines}Content-Length: 0\r\n\r\n"
        )
    }

    /// A request sent again with credentials for the challenge that it gets.
    pub(crate) fn with_password(
        &mut self,
        method: &str,
        uri: &str,
        user: &str,
        from: &str,
        lines: &str,
        password: &str,
    ) -> Vec<Packet> {
        self.with_password_over(Transport::Udp, method, uri, user, from, lines, password)
    }

    /// The same over another transport.
    #[allow(clippy::too_many_arguments, reason = "a request has many parts")]
    pub(crate) fn with_password_over(
        &mut self,
        transport: Transport,
        method: &str,
        uri: &str,
        user: &str,
        from: &str,
        lines: &str,
        password: &str,
    ) -> Vec<Packet> {
        let via = format!("SIP/2.0/{} ", transport.token());
        let first = self.request(method, uri, user, from, lines);
        let first = first.replacen("SIP/2.0/UDP ", &via, 1);
        let refusal = one(&self.receive(from, transport, &first));
        let (name, header) = match refusal.status() {
            401 => ("Authorization", "WWW-Authenticate"),
            407 => ("Proxy-Authorization", "Proxy-Authenticate"),
            status => panic!("{status}"),
        };
        let challenge = refusal.header_named(header).expect("a challenge").to_owned();
        let credentials = credentials(&challenge, method, uri, user, password, 1);
        let lines = format!("{name}: {credentials}\r\n{lines}");
        let request = self.request(method, uri, user, from, &lines);
        self.receive(from, transport, &request.replacen("SIP/2.0/UDP ", &via, 1))
    }

    pub(crate) fn register(&mut self, user: &str, from: &str, lines: &str) -> Response {
        one(&self.with_password("REGISTER", "sip:lab.example", user, from, lines, PASSWORD))
    }
}

/// What a client answers to the challenge of SHA-256.
pub(crate) fn credentials(
    challenge: &str,
    method: &str,
    uri: &str,
    user: &str,
    password: &str,
    count: u32,
) -> String {
    use sha2::{Digest as _, Sha256};
    let hash = |text: String| -> String {
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    assert!(challenge.contains("algorithm=SHA-256, qop=\"auth\""), "{challenge}");
    let nonce = challenge
        .split("nonce=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a nonce");
    let ha1 = hash(format!("{user}:lab.example:{password}"));
    let ha2 = hash(format!("{method}:{uri}"));
    let response = hash(format!("{ha1}:{nonce}:{count:08x}:c:auth:{ha2}"));
    format!(
        "Digest username=\"{user}\", realm=\"lab.example\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm=SHA-256, \
         qop=auth, nc={count:08x}, cnonce=\"c\", response=\"{response}\""
    )
}

/// The only packet, which must be a response.
pub(crate) fn one(packets: &[Packet]) -> Response {
    let [packet] = packets else { panic!("{packets:?}") };
    Response::parse(packet.bytes.clone()).expect("a response")
}

/// The requests of these packets, with where they go.
pub(crate) fn requests(packets: &[Packet]) -> Vec<(String, Request)> {
    let read = |packet: &Packet| {
        let request = Request::parse(packet.bytes.clone()).ok()?;
        Some((packet.peer.to_string(), request))
    };
    packets.iter().filter_map(read).collect()
}

pub(crate) fn statuses(packets: &[Packet]) -> Vec<u16> {
    packets
        .iter()
        .filter_map(|packet| Some(Response::parse(packet.bytes.clone()).ok()?.status()))
        .collect()
}

/// A response to a forwarded request, as its receiver writes it.
pub(crate) fn answer(request: &Request, status: u16, tag: &str, lines: &str) -> String {
    let vias: String = request.headers(Name::Via).map(|via| format!("Via: {via}\r\n")).collect();
    let routes: String =
        request.headers(Name::RecordRoute).map(|one| format!("Record-Route: {one}\r\n")).collect();
    let header = |name: Name| request.header(name).unwrap_or_default().to_owned();
    format!(
        "SIP/2.0 {status} X\r\n{vias}{routes}From: {}\r\nTo: {};tag={tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n{lines}Content-Length: 0\r\n\r\n",
        header(Name::From),
        header(Name::To),
        header(Name::CallId),
        header(Name::CSeq),
    )
}
