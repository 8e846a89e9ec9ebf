//! The server's side of a new connection: the handshake, in time or not at all; and a sentence for whoever speaks plain HTTP.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use super::ServerIdentity;

/// What is told to plain HTTP.
const SENTENCE: &str = r#"{"error":"TLS is spoken here: ask https:// in place of http://"}"#;

/// How long whoever is told may take to hear it.
const FAREWELL: Duration = Duration::from_secs(1);

/// What is read of a request that is not answered, so that its sender hears the sentence.
const MOST: u64 = 64 * 1024;

/// What became of a new connection.
pub(crate) enum Greeted {
    Secured(Box<TlsStream<TcpStream>>),
    /// It spoke plain HTTP, and was told not to.
    Plain,
    /// The handshake failed; in words.
    Failed(String),
}

/// Greets whoever has connected, within `patience`.
pub(crate) async fn greet(
    identity: &ServerIdentity,
    mut stream: TcpStream,
    patience: Duration,
) -> Greeted {
    let begun = timeout(patience, is_plain(&stream)).await;
    match begun {
        Err(_) => Greeted::Failed("nothing came".to_owned()),
        Ok(Err(error)) => Greeted::Failed(error.to_string()),
        Ok(Ok(true)) => {
            let _ = timeout(FAREWELL, say(&mut stream)).await;
            Greeted::Plain
        }
        Ok(Ok(false)) => match timeout(patience, identity.acceptor().accept(stream)).await {
            Err(_) => Greeted::Failed("the handshake stood still".to_owned()),
            Ok(Err(error)) => Greeted::Failed(error.to_string()),
            Ok(Ok(secured)) => Greeted::Secured(Box::new(secured)),
        },
    }
}

/// Whether it begins like a request of HTTP: a handshake begins with 22 (RFC 8446 §5.1), a method with a letter.
async fn is_plain(stream: &TcpStream) -> std::io::Result<bool> {
    let mut first = [0];
    let length = stream.peek(&mut first).await?;
    Ok(length == 1 && first[0].is_ascii_alphabetic())
}

/// Says that TLS is spoken here, and reads what still comes: a connection that is closed before takes the sentence along.
async fn say(stream: &mut TcpStream) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        SENTENCE.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(SENTENCE.as_bytes()).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(MOST), &mut tokio::io::sink()).await?;
    Ok(())
}
