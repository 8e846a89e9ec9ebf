//! Messages on which the boxes were wrong once, sent as bytes to a network that is served by hand: `cases/*.sip`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;

use crate::serving::{LIMIT, Lab};

fn case(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("runs/cases").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The bytes with every `from` replaced.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let (from, mut left, mut out) = (from.as_bytes(), bytes, Vec::new());
    while let Some(at) = left.windows(from.len()).position(|part| part == from) {
        out.extend_from_slice(&left[..at]);
        out.extend_from_slice(to.as_bytes());
        left = &left[at + from.len()..];
    }
    out.extend_from_slice(left);
    out
}

/// Sends a case from a socket of its own, whose address its Via tells, and returns the final response.
fn final_response(name: &str, to: SocketAddr) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(LIMIT)).expect("a limit");
    let own = socket.local_addr().expect("its address");
    let via = format!("SIP/2.0/UDP {own};rport;");
    let bytes = ["SIP/2.0/UDP 127.0.0.1:5070;rport;", "SIP/2.0/UDP 127.9.0.1:5060;"]
        .iter()
        .fold(case(name), |bytes, written| replaced(&bytes, written, &via));
    socket.send_to(&bytes, to).expect("a way out");
    let mut bytes = [0; 8192];
    loop {
        let length = socket.recv(&mut bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        if !text.starts_with("SIP/2.0 1") {
            return text;
        }
    }
}

#[test]
fn what_was_wrong_once_is_right_on_the_wire() {
    let lab = Lab::with("[timers]\nt1 = \"50ms\"\nt2 = \"400ms\"\nt4 = \"500ms\"\n");
    let (_psap, _switch) = (lab.serve("psap"), lab.serve("switch"));
    let expect = |name: &str, to: SocketAddr, status: u16, line: &str| {
        let response = final_response(name, to);
        assert!(response.starts_with(&format!("SIP/2.0 {status} ")), "{name}: {response}");
        assert!(response.contains(line), "{name}: no {line:?} in {response}");
    };
    let (trunk_group, alpha) = (lab.trunk_group, lab.call_server);
    expect("01-contact-sips.sip", trunk_group, 200, "m=audio");
    expect("02-nested-multipart.sip", trunk_group, 200, "m=audio");
    expect("03-405-without-allow.sip", alpha, 405, "\r\nAllow: INVITE");
    expect("04-empty-allow-events.sip", alpha, 405, "\r\nAllow: INVITE");
    expect("05-escaped-number-404.sip", trunk_group, 200, "m=audio");
    expect("10-gzip.sip", trunk_group, 415, "\r\nAccept-Encoding: ");
    // Nobody acknowledges these answers: 64·T1 later nothing is left of the calls.
    lab.told(&["show", "latest"], "3 lost");

    let mut stream = TcpStream::connect(trunk_group).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream.write_all(&case("15-tcp-good-request-lost-before-bad-framing.sip")).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer, and the end of the connection");
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
}
