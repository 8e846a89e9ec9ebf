//! One TCP connection: reads messages, writes messages, and ends for a stated [`Cause`].

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use sip_proto::stream_framer::{Frame, FramingError, StreamFramer};
use sip_proto::{Packet, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::limits::SocketLimits;
use super::tally::Tally;
use super::tcp_input::{Cause, Ended, TcpInput};

const READ_BUFFER: usize = 16 * 1024;
/// The answer to a ping (RFC 5626 §4.4.1).
const PONG: Bytes = Bytes::from_static(b"\r\n");

/// Where a connection comes from.
pub(super) enum Origin {
    Accepted(TcpStream),
    /// To be opened from the box's own IP address, so that peers and filters see the right box.
    Opened {
        from: SocketAddr,
    },
}

/// Everything that one connection needs while it lives.
pub(super) struct ConnectionTask {
    pub(super) peer: SocketAddr,
    pub(super) serial: u64,
    pub(super) messages: mpsc::Receiver<Bytes>,
    /// The same queue, for the reader's pongs. Weak, so that it closes with the connection's owner.
    pub(super) pongs: mpsc::WeakSender<Bytes>,
    pub(super) inputs: mpsc::Sender<TcpInput>,
    pub(super) limits: SocketLimits,
    pub(super) tally: Tally,
}

impl ConnectionTask {
    /// Lives as long as the connection, then reports its end.
    pub(super) async fn run(mut self, origin: Origin) {
        let progress = Progress::new();
        let cause = match self.stream(origin).await {
            Ok(stream) => self.exchange(stream, &progress).await,
            Err(error) => Cause::Connect(error),
        };
        self.messages.close();
        let unsent = self.messages.len() + usize::from(progress.writing.get());
        let ended = Ended { peer: self.peer, serial: self.serial, cause, unsent };
        // Fails only when the actor is gone, and then nobody wants to know.
        let _ = self.inputs.send(TcpInput::Ended(ended)).await;
    }

    async fn stream(&self, origin: Origin) -> io::Result<TcpStream> {
        let stream = match origin {
            Origin::Accepted(stream) => stream,
            Origin::Opened { from } => {
                let opening = connect(from, self.peer);
                let stream = timeout(self.limits.connect, opening)
                    .await
                    .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
                self.tally.update(|counts| counts.tcp_opened += 1);
                stream
            }
        };
        stream.set_nodelay(true)?; // a message is written whole, so waiting for more only delays
        Ok(stream)
    }

    /// Reads and writes at the same time: two peers that write much cannot block each other.
    async fn exchange(&mut self, mut stream: TcpStream, progress: &Progress) -> Cause {
        let (reading, writing) = stream.split();
        let reader = Reader {
            peer: self.peer,
            framer: StreamFramer::new(self.limits.message),
            inputs: &self.inputs,
            pongs: &self.pongs,
            tally: &self.tally,
        };
        tokio::select! {
            cause = reader.run(reading, progress) => cause,
            cause = write(writing, &mut self.messages, &self.tally, progress) => cause,
            () = progress.idle(self.limits.idle) => Cause::Idle,
        }
    }
}

async fn connect(from: SocketAddr, peer: SocketAddr) -> io::Result<TcpStream> {
    let socket = if peer.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if !from.ip().is_unspecified() {
        socket.bind(SocketAddr::new(from.ip(), 0))?;
    }
    socket.connect(peer).await
}

/// The incoming half.
struct Reader<'a> {
    peer: SocketAddr,
    framer: StreamFramer,
    inputs: &'a mpsc::Sender<TcpInput>,
    pongs: &'a mpsc::WeakSender<Bytes>,
    tally: &'a Tally,
}

impl Reader<'_> {
    async fn run(mut self, mut stream: ReadHalf<'_>, progress: &Progress) -> Cause {
        let mut buffer = vec![0; READ_BUFFER];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) if self.framer.is_inside_message() => return Cause::Truncated,
                Ok(0) => return Cause::Closed,
                Ok(length) => self.framer.push(&buffer[..length]),
                Err(error) => return Cause::Broken(error),
            }
            progress.mark();
            if let Err(error) = self.deliver().await {
                return Cause::Framing(error);
            }
        }
    }

    async fn deliver(&mut self) -> Result<(), FramingError> {
        while let Some(frame) = self.framer.next_frame()? {
            match frame {
                Frame::Message(bytes) => {
                    self.tally.update(|counts| counts.tcp_received += 1);
                    let packet = Packet { transport: Transport::Tcp, peer: self.peer, bytes };
                    // Waits while the actor is busy, so that the peer's window closes.
                    let _ = self.inputs.send(TcpInput::Received(packet)).await;
                }
                Frame::Ping => {
                    // A full queue means that data goes to the peer, which proves life as well.
                    let _ = self.pongs.upgrade().map(|queue| queue.try_send(PONG));
                }
            }
        }
        Ok(())
    }
}

async fn write(
    mut stream: WriteHalf<'_>,
    messages: &mut mpsc::Receiver<Bytes>,
    tally: &Tally,
    progress: &Progress,
) -> Cause {
    while let Some(bytes) = messages.recv().await {
        progress.writing.set(true);
        if let Err(error) = stream.write_all(&bytes).await {
            return Cause::Broken(error);
        }
        progress.writing.set(false);
        progress.mark();
        tally.update(|counts| counts.tcp_sent += 1);
    }
    Cause::Closed // only when the owner dropped the connection, which also ends this task
}

/// What the two halves have done, for the idle limit and the count of unsent messages.
struct Progress {
    last: Cell<Instant>,
    /// A message is partly written.
    writing: Cell<bool>,
}

impl Progress {
    fn new() -> Self {
        Self { last: Cell::new(Instant::now()), writing: Cell::new(false) }
    }

    fn mark(&self) {
        self.last.set(Instant::now());
    }

    /// Completes when nothing has been read or written for `limit`.
    async fn idle(&self, limit: Duration) {
        loop {
            let due = self.last.get() + limit;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }
}
