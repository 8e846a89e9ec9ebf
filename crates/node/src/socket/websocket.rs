//! Messages of SIP in frames of a WebSocket, each in one of its own (RFC 6455, RFC 7118 §5).

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use sip_proto::stream_framer::Frame;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};

use super::progress::Progress;
use super::tcp_input::Cause;
use super::upgrade::Upgraded;
use super::wire::{Incoming, Outgoing};

const READ_BUFFER: usize = 8 * 1024;

/// The incoming half. Pings are answered by the library, as it reads on.
pub(super) struct FramesIn<S> {
    stream: SplitStream<WebSocketStream<Watched<S>>>,
    farewell: Rc<Cell<CloseCode>>,
}

/// The outgoing half.
pub(super) struct FramesOut<S> {
    sink: SplitSink<WebSocketStream<Watched<S>>, Message>,
    /// With what the connection is closed.
    farewell: Rc<Cell<CloseCode>>,
}

/// Both halves of a WebSocket with messages of at most `most` bytes.
pub(super) async fn halves<S>(
    upgraded: Upgraded<S>,
    most: usize,
    progress: Rc<Progress>,
) -> (FramesIn<S>, FramesOut<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        // Each message is flushed.
        .write_buffer_size(0)
        .max_write_buffer_size(2 * most)
        .max_message_size(Some(most))
        .max_frame_size(Some(most));
    let Upgraded { stream, begun } = upgraded;
    let stream = Watched { stream, progress };
    let socket =
        WebSocketStream::from_partially_read(stream, begun, Role::Server, Some(config)).await;
    let (sink, stream) = socket.split();
    let farewell = Rc::new(Cell::new(CloseCode::Normal));
    (FramesIn { stream, farewell: Rc::clone(&farewell) }, FramesOut { sink, farewell })
}

impl<S: AsyncRead + AsyncWrite + Unpin> Incoming for FramesIn<S> {
    async fn next(&mut self, progress: &Progress) -> Result<Frame, Cause> {
        loop {
            let bytes = match self.stream.next().await {
                Some(Ok(Message::Text(text))) => Bytes::from(text),
                Some(Ok(Message::Binary(bytes))) => bytes,
                // The end comes next.
                Some(Ok(Message::Close(_))) => continue,
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                    progress.arrived();
                    continue;
                }
                None => return Err(Cause::Left),
                Some(Err(error)) => return Err(self.cause_of(error)),
            };
            // RFC 5626 §4.4.1: a ping is two CRLF, a pong is one.
            let is_empty = bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
            match bytes.len() {
                4.. if is_empty => {
                    progress.arrived();
                    return Ok(Frame::Ping);
                }
                _ if is_empty => progress.arrived(),
                _ => return Ok(Frame::Message(bytes)),
            }
        }
    }

    async fn drain(&mut self) {
        while self.stream.next().await.is_some_and(|read| read.is_ok()) {}
    }
}

impl<S> FramesIn<S> {
    fn cause_of(&self, error: Error) -> Cause {
        let code = match &error {
            Error::ConnectionClosed | Error::AlreadyClosed => return Cause::Left,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return Cause::Left,
            Error::Io(_) => {
                let Error::Io(error) = error else { return Cause::Left };
                return match error.kind() {
                    io::ErrorKind::UnexpectedEof => Cause::Left,
                    _ => Cause::Broken(error),
                };
            }
            Error::Capacity(_) => CloseCode::Size,
            Error::Utf8(_) => CloseCode::Invalid,
            _ => CloseCode::Protocol,
        };
        self.farewell.set(code);
        Cause::NotWebSocket(error.to_string())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Outgoing for FramesOut<S> {
    async fn send(&mut self, message: &Bytes) -> io::Result<()> {
        // SIP is UTF-8 but for some bodies (RFC 7118 §5).
        let frame = match Utf8Bytes::try_from(message.clone()) {
            Ok(text) => Message::Text(text),
            Err(_) => Message::Binary(message.clone()),
        };
        self.sink.send(frame).await.map_err(|error| match error {
            Error::Io(error) => error,
            other => io::Error::other(other),
        })
    }

    async fn finish(&mut self) {
        let frame = CloseFrame { code: self.farewell.get(), reason: Utf8Bytes::default() };
        let _ = self.sink.send(Message::Close(Some(frame))).await;
    }
}

/// A stream that notes when something comes: the library tells only what has come whole.
struct Watched<S> {
    stream: S,
    progress: Rc<Progress>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.progress.read();
            self.progress.cut(true);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
