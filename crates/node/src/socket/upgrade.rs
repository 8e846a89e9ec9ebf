//! The opening handshake of a WebSocket for SIP (RFC 6455 §4.2, RFC 7118 §4), and what is said to a request that is none.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::machine::TryParse as _;
use tokio_tungstenite::tungstenite::handshake::server::{Request, create_response, write_response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;

use super::tcp_input::Cause;

/// The subprotocol that a client must ask for (RFC 7118 §4.1).
const SUBPROTOCOL: &str = "sip";

/// The head of a request, in bytes.
const MOST: usize = 8 * 1024;

const END: &[u8] = b"\r\n\r\n";

/// How long whoever is refused may take to hear it, and what is read of it meanwhile.
const FAREWELL: Duration = Duration::from_secs(1);
const MOST_UNREAD: u64 = 64 * 1024;

const NO_HTTP: &str =
    "SIP over WebSocket is spoken here (RFC 7118): begin with GET and Upgrade: websocket";
const NO_UPGRADE: &str =
    "this is no web page: open a WebSocket here with the subprotocol sip (RFC 7118)";
const NO_SUBPROTOCOL: &str =
    "the subprotocol sip is spoken here (RFC 7118): ask for it with Sec-WebSocket-Protocol: sip";
const TOO_LONG: &str = "the head of this request is longer than 8192 bytes";

/// A stream on which frames come from now on.
pub(super) struct Upgraded<S> {
    pub(super) stream: S,
    /// What has come of them already.
    pub(super) begun: Vec<u8>,
}

/// Accepts a WebSocket for SIP; whoever asks for something else hears what is spoken here.
pub(super) async fn accept<S>(mut stream: S) -> Result<Upgraded<S>, Cause>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (head, begun) = match read_head(&mut stream).await? {
        Head::Whole(head, begun) => (head, begun),
        Head::Not(status, why) => return Err(refused(&mut stream, status, why).await),
    };
    let Ok(Some((_, request))) = Request::try_parse(&head) else {
        return Err(refused(&mut stream, 400, NO_HTTP).await);
    };
    let Ok(mut response) = create_response(&request) else {
        return Err(refused(&mut stream, 426, NO_UPGRADE).await);
    };
    let asked = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL);
    let mut asked =
        asked.iter().filter_map(|value| value.to_str().ok()).flat_map(|it| it.split(','));
    if !asked.any(|one| one.trim().eq_ignore_ascii_case(SUBPROTOCOL)) {
        return Err(refused(&mut stream, 400, NO_SUBPROTOCOL).await);
    }
    let sip = HeaderValue::from_static(SUBPROTOCOL);
    response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, sip);
    let mut text = Vec::new();
    write_response(&mut text, &response).map_err(|error| Cause::Handshake(error.to_string()))?;
    stream.write_all(&text).await.map_err(Cause::Broken)?;
    stream.flush().await.map_err(Cause::Broken)?;
    Ok(Upgraded { stream, begun })
}

enum Head {
    /// With what came behind it.
    Whole(Vec<u8>, Vec<u8>),
    /// It is none, with a status and a sentence.
    Not(u16, &'static str),
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Result<Head, Cause> {
    let mut head = Vec::with_capacity(1_024);
    loop {
        let seen = head.len();
        match stream.read_buf(&mut head).await {
            Ok(0) => return Err(Cause::Closed),
            Ok(_) => {}
            Err(error) => return Err(Cause::Broken(error)),
        }
        if !head[0].is_ascii_alphabetic() {
            return Ok(Head::Not(400, NO_HTTP));
        }
        // No byte is searched twice.
        let from = seen.saturating_sub(END.len() - 1);
        if let Some(end) = memchr::memmem::find(&head[from..], END) {
            let begun = head.split_off(from + end + END.len());
            return Ok(Head::Whole(head, begun));
        }
        if head.len() > MOST {
            return Ok(Head::Not(431, TOO_LONG));
        }
    }
}

async fn refused(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    status: u16,
    why: &'static str,
) -> Cause {
    refuse(stream, status, why).await;
    Cause::NoUpgrade(why)
}

/// Answers a request of HTTP with a sentence, and reads what still comes: a connection that is closed before takes the sentence along.
pub(super) async fn refuse(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    status: u16,
    why: &str,
) {
    let phrase = match status {
        426 => "Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
        431 => "Request Header Fields Too Large",
        _ => "Bad Request",
    };
    let answer = format!(
        "HTTP/1.1 {status} {phrase}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{why}\n",
        why.len() + 1
    );
    let say = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(MOST_UNREAD), &mut tokio::io::sink()).await
    };
    let _ = timeout(FAREWELL, say).await;
}
