//! What a connection is to its task: messages that come, and messages that go.

use std::io;

use bytes::Bytes;
use sip_proto::stream_framer::{Frame, StreamFramer};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf,
};

use super::progress::Progress;
use super::tcp_input::Cause;

const READ_BUFFER: usize = 16 * 1024;

/// The incoming half of a connection.
pub(super) trait Incoming {
    /// The next message or ping that has come whole; the error is the end of the connection.
    async fn next(&mut self, progress: &Progress) -> Result<Frame, Cause>;

    /// Throws away what still comes, until the end.
    async fn drain(&mut self);
}

/// The outgoing half.
pub(super) trait Outgoing {
    /// Writes one message whole.
    async fn send(&mut self, message: &Bytes) -> io::Result<()>;

    /// Says that nothing more comes.
    async fn finish(&mut self);
}

/// Messages one after the other in a stream of bytes (RFC 3261 §18.3).
pub(super) struct StreamIn<S> {
    stream: ReadHalf<S>,
    framer: StreamFramer,
    buffer: Vec<u8>,
}

pub(super) struct StreamOut<S>(WriteHalf<S>);

/// Both halves of a stream with messages of at most `most` bytes.
pub(super) fn halves<S>(stream: S, most: usize) -> (StreamIn<S>, StreamOut<S>)
where
    S: AsyncRead + AsyncWrite,
{
    let (reading, writing) = tokio::io::split(stream);
    let framer = StreamFramer::new(most);
    (StreamIn { stream: reading, framer, buffer: vec![0; READ_BUFFER] }, StreamOut(writing))
}

impl<S: AsyncRead> Incoming for StreamIn<S> {
    async fn next(&mut self, progress: &Progress) -> Result<Frame, Cause> {
        loop {
            if let Some(frame) = self.framer.next_frame().map_err(Cause::Framing)? {
                return Ok(frame);
            }
            progress.cut(self.framer.is_inside_message());
            match self.stream.read(&mut self.buffer).await {
                Ok(length) if length > 0 => self.framer.push(&self.buffer[..length]),
                // Many end TLS without saying so; what is cut short shows by its length.
                Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                    return Err(Cause::Broken(error));
                }
                _ if self.framer.is_inside_message() => return Err(Cause::Truncated),
                _ => return Err(Cause::Closed),
            }
            progress.read();
        }
    }

    async fn drain(&mut self) {
        while self.stream.read(&mut self.buffer).await.is_ok_and(|length| length > 0) {}
    }
}

impl<S: AsyncWrite> Outgoing for StreamOut<S> {
    async fn send(&mut self, message: &Bytes) -> io::Result<()> {
        self.0.write_all(message).await?;
        self.0.flush().await
    }

    async fn finish(&mut self) {
        let _ = self.0.shutdown().await;
    }
}
