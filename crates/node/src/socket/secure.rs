//! The handshake of TLS (RFC 8446, RFC 5246) with a telephone, and what is said to one that speaks without.

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::tcp_input::Cause;
use super::upgrade;

/// What is told to a browser that asks without TLS.
const SENTENCE: &str = "TLS is spoken here: open wss:// in the place of ws://";

/// Shakes hands with whoever has connected. On a port for WebSockets, a request without TLS is told so.
pub(super) async fn greet(
    mut stream: TcpStream,
    tls: &TlsAcceptor,
    is_for_websockets: bool,
) -> Result<Box<TlsStream<TcpStream>>, Cause> {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(0) => return Err(Cause::Closed),
        Ok(_) => {}
        Err(error) => return Err(Cause::Broken(error)),
    }
    // A handshake begins with 22 (RFC 8446 §5.1), SIP and HTTP with a letter.
    if first[0].is_ascii_alphabetic() {
        if is_for_websockets {
            upgrade::refuse(&mut stream, 400, SENTENCE).await;
        }
        return Err(Cause::Handshake("it speaks without TLS".to_owned()));
    }
    let secured = tls.accept(stream).await;
    secured.map(Box::new).map_err(|error| Cause::Handshake(error.to_string()))
}
