//! WebSockets for SIP: one message in each frame, and clients that ask for something else.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::echo::{Event, message, within};
use super::secure_lab::{Lab, exchange, with_secure_echo};
use crate::SocketLimits;

/// A message without Content-Length, which a frame does not need (RFC 7118 §5).
const SHORT: &str =
    "MESSAGE sip:15@127.0.0.1 SIP/2.0\r\nTo: <sip:15@df7jal23ls0d.invalid>\r\n\r\nhello";

/// A request of HTTP, and what is answered before the end.
async fn ask(lab: &Lab, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(lab.ws).await.expect("the box listens");
    // It may close before it has read everything.
    let _ = within(stream.write_all(request)).await;
    let mut answer = Vec::new();
    let _ = within(stream.read_to_end(&mut answer)).await;
    String::from_utf8(answer).expect("text")
}

#[test]
fn each_frame_is_a_message_both_ways() {
    with_secure_echo(SocketLimits::default(), async |bench, lab| {
        let mut socket = lab.ws().await;
        for bytes in [SHORT.as_bytes().to_vec(), message(60_000)] {
            let text = String::from_utf8(bytes.clone()).expect("text");
            for frame in [Message::binary(bytes), Message::text(text.clone())] {
                assert_eq!(exchange(&mut socket, frame).await, Message::text(text.clone()));
            }
        }
        // What is no text goes as what it is.
        let odd = [SHORT.as_bytes(), &[0xff]].concat();
        let odd = Message::binary(odd);
        assert_eq!(exchange(&mut socket, odd.clone()).await, odd);
        // RFC 6455 §5.5.2, RFC 5626 §4.4.1.
        let ping = Message::Ping("are you there".into());
        assert_eq!(exchange(&mut socket, ping).await, Message::Pong("are you there".into()));
        let pong = exchange(&mut socket, Message::text("\r\n\r\n")).await;
        assert_eq!(pong, Message::text("\r\n"));
        let peer = socket.get_ref().local_addr().expect("connected");
        within(socket.close(None)).await.expect("closed");
        while within(socket.next()).await.is_some_and(|frame| frame.is_ok()) {}
        assert_eq!(bench.event().await, Event::Unreachable(peer));
        let counts = bench.counts().await;
        assert_eq!((counts.tcp_received, counts.tcp_closed), (5, 1), "{counts:?}");
    });
}

#[test]
fn a_websocket_over_tls_is_one() {
    with_secure_echo(SocketLimits::default(), async |_, lab| {
        let mut socket = lab.wss().await;
        let text = String::from_utf8(message(300)).expect("text");
        assert_eq!(exchange(&mut socket, Message::text(text.clone())).await, Message::text(text));
        // Without TLS there is a sentence.
        let mut plain = TcpStream::connect(lab.wss).await.expect("the box listens");
        within(plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")).await.expect("written");
        let mut answer = String::new();
        within(plain.read_to_string(&mut answer)).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("wss://"), "{answer}");
    });
}

#[test]
fn who_asks_for_something_else_is_told_what_is_spoken() {
    with_secure_echo(SocketLimits::default(), async |bench, lab| {
        let upgrade = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(9_000));
        let sip = String::from_utf8(message(3)).expect("text");
        for (request, status, part) in [
            (format!("{upgrade}\r\n"), 400, "Sec-WebSocket-Protocol: sip"),
            (format!("{upgrade}Sec-WebSocket-Protocol: mqtt, soap\r\n\r\n"), 400, "subprotocol"),
            ("GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 426, "no web page"),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".to_owned(), 400, "GET"),
            (sip, 400, "SIP over WebSocket"),
            ("\u{16}\u{3}\u{1}".to_owned(), 400, "SIP over WebSocket"),
            (long, 431, "8192"),
        ] {
            let answer = ask(lab, request.as_bytes()).await;
            let start = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&start) && answer.contains(part), "{request:?}: {answer}");
        }
        let counts = bench.counts_when(|counts| counts.upgrades_refused == 7).await;
        assert_eq!(counts.tcp_received, 0);
    });
}

#[test]
fn a_frame_that_is_too_long_is_closed_with_a_code() {
    let limits = SocketLimits { message: 1_000, ..SocketLimits::default() };
    with_secure_echo(limits, async |bench, lab| {
        let mut socket = lab.ws().await;
        let frame = exchange(&mut socket, Message::binary(message(2_000))).await;
        let Message::Close(Some(close)) = frame else { panic!("{frame:?}") };
        assert_eq!(close.code, CloseCode::Size);
        bench.counts_when(|counts| counts.tcp_framing_errors == 1).await;
    });
}

#[test]
fn a_frame_that_does_not_end_and_an_upgrade_that_does_not_end_are_closed() {
    let limits = SocketLimits {
        arrival: Duration::from_millis(100),
        handshake: Duration::from_millis(100),
        ..SocketLimits::default()
    };
    with_secure_echo(limits, async |bench, lab| {
        let mut socket = lab.ws().await;
        let text = String::from_utf8(message(3)).expect("text");
        exchange(&mut socket, Message::text(text)).await;
        // The head of a masked text frame of 100 bytes, and some of them.
        let half = [0x81, 0x80 | 100, 1, 2, 3, 4, 5, 6];
        within(socket.get_mut().write_all(&half)).await.expect("written");
        while within(socket.next()).await.is_some_and(|frame| frame.is_ok()) {}
        bench.counts_when(|counts| counts.tcp_unfinished == 1).await;
        ask(lab, b"GET / HTTP/1.1\r\nHost: x\r\n").await;
        bench.counts_when(|counts| counts.handshakes_failed == 1).await;
        // Many pings are no message that does not end.
        let mut lively = lab.ws().await;
        for _ in 0..20 {
            exchange(&mut lively, Message::Ping("x".into())).await;
        }
        within(lively.send(Message::text(SHORT))).await.expect("written");
        within(lively.next()).await.expect("a frame").expect("it is served");
    });
}
