//! A browser as a telephone: SIP over a WebSocket, through an access node to an answering point.

use std::net::{SocketAddr, TcpListener, TcpStream};

use sha2::{Digest as _, Sha256};
use sip_proto::digest::Secret;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocket};

use crate::history::said;
use crate::serving::{LIMIT, Lab, OFFER, free};

const REALM: &str = "lab.example";
const PASSWORD: &str = "a-good-password";
/// What a browser writes of itself (RFC 7118 §5).
const NOWHERE: &str = "df7jal23ls0d.invalid";

/// What JsSIP and SIP.js do: one connection for everything.
struct Browser {
    socket: WebSocket<TcpStream>,
    count: u32,
}

impl Browser {
    fn open(at: SocketAddr) -> Self {
        let stream = TcpStream::connect(at).expect("it listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a socket");
        let mut request = format!("ws://{at}/").into_client_request().expect("a request");
        request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("sip"));
        let (socket, _) =
            tokio_tungstenite::tungstenite::client(request, stream).expect("a WebSocket");
        Self { socket, count: 0 }
    }

    /// Sends a request with these header lines and this body.
    fn send(&mut self, method: &str, uri: &str, to: &str, lines: &str, body: &str) {
        self.count += 1;
        let (count, length) = (self.count, body.len());
        // The ACK of a 2xx has the number of its INVITE.
        let number = if method == "ACK" { count - 1 } else { count };
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/WS {NOWHERE};branch=z9hG4bK{count}\r\nMax-Forwards: 70\r\n\
             From: <sip:anna@{REALM}>;tag=a\r\nTo: {to}\r\nCall-ID: browser\r\nCSeq: {number} {method}\r\n\
             Contact: <sip:anna@{NOWHERE};transport=ws>\r\n{lines}Content-Length: {length}\r\n\r\n{body}"
        );
        self.socket.send(Message::text(text)).expect("it is sent");
    }

    /// The next response that is final.
    fn answer(&mut self) -> String {
        loop {
            let Message::Text(text) = self.socket.read().expect("a frame") else { continue };
            if !text.starts_with("SIP/2.0 1") {
                return text.as_str().to_owned();
            }
        }
    }
}

/// The values of a header, in their order.
fn values<'a>(message: &'a str, name: &str) -> Vec<&'a str> {
    let line = format!("{name}: ");
    let lines = message.split("\r\n").filter_map(|one| one.strip_prefix(&line));
    lines.flat_map(|line| line.split(", <").map(|value| value.trim_start_matches('<'))).collect()
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The answer to a challenge (RFC 7616 §3.4.1).
fn credentials(challenge: &str, uri: &str) -> String {
    let rest = challenge.split("nonce=\"").nth(1).expect("a nonce");
    let nonce = rest.split('"').next().expect("a nonce");
    let secret = Secret::of("anna", REALM, PASSWORD).sha256;
    let response =
        hash(&format!("{secret}:{nonce}:00000001:c:auth:{}", hash(&format!("REGISTER:{uri}"))));
    format!(
        "Authorization: Digest username=\"anna\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         algorithm=SHA-256, qop=auth, nc=00000001, cnonce=\"c\", response=\"{response}\"\r\n"
    )
}

/// An address where nobody listens.
fn free_for_tcp() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address")
}

#[test]
fn a_browser_registers_and_calls_for_help_over_one_websocket() {
    let (address, ws) = (free(), free_for_tcp());
    let secret = Secret::of("anna", REALM, PASSWORD).sha256;
    let lab = Lab::with(&format!(
        "[access.lab]\naddress = \"{address}\"\nws = \"{ws}\"\ntrunk_group = \"mobile\"\nrealm = \"{REALM}\"\n\
         [access.lab.accounts.anna]\nnumber = \"0199001234\"\nsha256 = \"{secret}\"\n"
    ));
    let (mut psap, mut switch) = (lab.serve("psap"), lab.serve("switch"));
    let mut browser = Browser::open(ws);
    let (uri, me) = (format!("sip:{REALM}"), format!("<sip:anna@{REALM}>"));
    browser.send("REGISTER", &uri, &me, "", "");
    let refused = browser.answer();
    assert!(refused.starts_with("SIP/2.0 401 "), "{refused}");
    browser.send("REGISTER", &uri, &me, &credentials(&refused, &uri), "");
    let registered = browser.answer();
    assert!(registered.starts_with("SIP/2.0 200 ") && registered.contains(NOWHERE), "{registered}");
    let help = format!("sip:112@{REALM}");
    browser.send("INVITE", &help, &format!("<{help}>"), "Content-Type: application/sdp\r\n", OFFER);
    let answered = browser.answer();
    assert!(answered.starts_with("SIP/2.0 200 "), "{answered}");
    // RFC 3261 §12.1.2: the route set is turned round.
    let mut routes = values(&answered, "Record-Route");
    routes.reverse();
    let routes: String = routes.iter().map(|route| format!("Route: <{route}\r\n")).collect();
    assert!(routes.contains(&format!("@{ws};transport=ws;lr>")), "{routes}");
    let to = answered.split("\r\n").find_map(|line| line.strip_prefix("To: ")).expect("To");
    let contact = values(&answered, "Contact")[0].split('>').next().expect("a URI").to_owned();
    browser.send("ACK", &contact, to, &routes, "");
    browser.send("BYE", &contact, to, &routes, "");
    let ended = browser.answer();
    assert!(ended.starts_with("SIP/2.0 200 ") && ended.contains("BYE"), "{ended}");
    for process in [&mut switch, &mut psap] {
        process.interrupt();
        process.finish();
    }
}

#[test]
fn a_certificate_that_is_not_there_is_told_with_the_way_to_one() {
    let (address, tls) = (free(), free_for_tcp());
    let lab = Lab::with(&format!(
        "[access.lab]\naddress = \"{address}\"\ntls = \"{tls}\"\ntrunk_group = \"mobile\"\n"
    ));
    let mut switch = lab.start("switch", &["--no-records"]);
    switch.until("no TLS without a certificate, which `tocsin certificates` makes");
    assert_eq!(switch.finish().code(), Some(2), "{}", switch.words());
}

#[test]
fn certificates_are_made_beside_the_file_and_stay_until_they_are_made_anew() {
    let (address, tls) = (free(), free_for_tcp());
    let lab = Lab::with(&format!(
        "[access.lab]\naddress = \"{address}\"\ntls = \"{tls}\"\ntrunk_group = \"mobile\"\nrealm = \"{REALM}\"\n"
    ));
    let told = said(&lab.workspace, &["certificates", "lab.toml"]);
    for part in
        ["lab.ca.pem  the authority", "lab.pem  127.0.0.1, lab.example", "samu-59.pem", "(made)"]
    {
        assert!(told.contains(part), "no {part:?} in {told}");
    }
    // How telephones trust it, with a path that they can open.
    let authority = lab.workspace.path("certificates/lab.ca.pem");
    assert!(told.contains("sip_cafile /") && authority.is_file(), "{told}");
    let first = std::fs::read(&authority).expect("a file");
    let told = said(&lab.workspace, &["certificates", "lab.toml"]);
    assert!(told.contains("(kept)") && !told.contains("(made)"), "{told}");
    assert_eq!(std::fs::read(&authority).expect("a file"), first);
    let told = said(&lab.workspace, &["certificates", "lab.toml", "--force", "--out", "elsewhere"]);
    assert!(told.contains("elsewhere/lab.pem"), "{told}");
    said(&lab.workspace, &["certificates", "lab.toml", "--force"]);
    assert_ne!(std::fs::read(&authority).expect("a file"), first);
    // The access node finds its own.
    let mut switch = lab.start("switch", &["--no-records", "--access"]);
    switch.until("lab: certificate certificates/lab.pem, SHA-256");
    switch.until_listening(tls);
    switch.interrupt();
    switch.finish();
}
