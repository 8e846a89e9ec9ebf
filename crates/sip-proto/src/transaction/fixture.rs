//! Messages for the tests of the four machines.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::message::{Payload, Reply, Request, Response, response};

pub(super) fn invite() -> Request {
    request("INVITE")
}

pub(super) fn options() -> Request {
    request("OPTIONS")
}

fn request(method: &str) -> Request {
    let text = format!(
        "{method} sip:15@127.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1.x\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=local\r\nTo: <sip:15@127.0.0.2>\r\n\
         Call-ID: c1\r\nCSeq: 7 {method}\r\nContent-Length: 0\r\n\r\n"
    );
    Request::parse(Bytes::from(text)).expect("a sound request")
}

pub(super) fn response_to(request: &Request, status: u16) -> Response {
    let source: SocketAddr = ([127, 0, 0, 1], 5060).into();
    let payload = Payload::empty();
    let reply = Reply { status, phrase: None, to_tag: "remote", fixed: &[], payload: &payload };
    Response::parse(response(request, source, &reply)).expect("a sound response")
}

/// Seconds as milliseconds.
pub(super) fn times(seconds: &[f64]) -> Vec<u128> {
    seconds.iter().map(|s| (s * 1_000.0) as u128).collect()
}
