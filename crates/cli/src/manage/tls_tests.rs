//! The management plane over TLS: whom it answers, and who holds nobody up.

use std::time::Duration;

use axum::http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Access;
use super::tests::{LIMIT, Plane};

impl Plane {
    fn access(&self, fingerprint: &str) -> Access {
        let fingerprint = Some(fingerprint.to_owned());
        Access { address: self.address, token: self.token.clone(), fingerprint }
    }
}

/// What comes back to these octets.
async fn raw(plane: &Plane, octets: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(plane.address).await.expect("a connection");
    let _ = stream.write_all(octets).await;
    let mut answer = Vec::new();
    let read = timeout(LIMIT, stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the connection ends");
    answer
}

#[tokio::test]
async fn whoever_has_the_fingerprint_asks_over_tls_and_nobody_else_is_taken_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (plane, fingerprint) = Plane::secured(folder.path(), LIMIT);
    let (status, text) =
        plane.access(&fingerprint).ask(Method::GET, "/v1/sites", None).await.expect("asked");
    let text = text.expect("an answer");
    assert!(status == 200 && String::from_utf8_lossy(&text).contains("alpha"), "{status}");
    let body = r#"{"command": "unlock", "sites": ["beta.a"]}"#.to_owned();
    let lower = fingerprint.to_lowercase();
    let (status, _) =
        plane.access(&lower).ask(Method::POST, "/v1/commands", Some(body)).await.expect("asked");
    assert_eq!(status, 200);
    let other = fingerprint.replace(|octet: char| octet.is_ascii_digit(), "F");
    let error =
        plane.access(&other).ask(Method::GET, "/v1/sites", None).await.expect_err("another one");
    assert!(format!("{error:#}").contains("shows another certificate"), "{error:#}");
    let plain = Plane::new();
    let error =
        plain.access(&fingerprint).ask(Method::GET, "/v1/sites", None).await.expect_err("no TLS");
    assert!(format!("{error:#}").contains("TLS"), "{error:#}");
}

#[tokio::test]
async fn plain_http_is_told_that_tls_is_spoken_here() {
    let folder = tempfile::tempdir().expect("a folder");
    let (plane, _) = Plane::secured(folder.path(), LIMIT);
    let asked =
        format!("GET /v1/sites HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(9_000));
    let answer = raw(&plane, asked.as_bytes()).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("TLS is spoken here: ask https://"), "{answer}");
    assert!(!answer.contains("alpha"), "{answer}");
}

#[tokio::test]
async fn who_says_nothing_or_half_of_a_handshake_is_left_and_holds_nobody_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let (plane, fingerprint) = Plane::secured(folder.path(), Duration::from_millis(200));
    for half in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00", b"\x16\x03\x01", b"\x00\xff"] {
        let answer = raw(&plane, half).await;
        assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{half:?}: {answer:?}");
    }
    // More than there are places for: the oldest gives its own to whoever asks.
    let (plane, fingerprint) = {
        let _ = fingerprint;
        Plane::secured(folder.path(), LIMIT)
    };
    let mut held = Vec::new();
    for _ in 0..80 {
        let mut stream = TcpStream::connect(plane.address).await.expect("a connection");
        stream.write_all(b"\x16\x03\x01").await.expect("half of it");
        held.push(stream);
    }
    let (status, _) =
        plane.access(&fingerprint).ask(Method::GET, "/v1/sites", None).await.expect("asked");
    assert_eq!(status, 200);
}
