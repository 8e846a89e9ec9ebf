//! One TCP connection: reads messages, writes messages, and ends for a stated [`Cause`].

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use sip_proto::stream_framer::{Frame, FramingError, StreamFramer};
use sip_proto::{Packet, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::limits::SocketLimits;
use super::progress::Progress;
use super::tally::Tally;
use super::tcp_input::{Cause, Ended, TcpInput};

const READ_BUFFER: usize = 16 * 1024;
/// The answer to a ping (RFC 5626 §4.4.1).
const PONG: Bytes = Bytes::from_static(b"\r\n");
/// How long a peer that closed its direction is believed to read on: most are gone.
const HALF_CLOSED: Duration = Duration::from_secs(2);
/// How long what the peer still sends is thrown away after the last answer: unread bytes would turn the end of the connection
/// into a reset, and that may overtake the answer (RFC 9293 §3.6.1).
const FAREWELL: Duration = Duration::from_secs(1);

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
    pub(super) progress: Rc<Progress>,
    pub(super) tally: Tally,
}

impl ConnectionTask {
    /// Lives as long as the connection, then reports its end.
    pub(super) async fn run(mut self, origin: Origin) {
        let cause = match self.stream(origin).await {
            Ok(stream) => self.exchange(stream).await,
            Err(error) => Cause::Connect(error),
        };
        self.messages.close();
        let unsent = self.messages.len() + usize::from(self.progress.is_sending());
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
    async fn exchange(&mut self, mut stream: TcpStream) -> Cause {
        let (mut reading, mut writing) = stream.split();
        let progress = &*self.progress;
        let cause = {
            let reader = Reader {
                peer: self.peer,
                framer: StreamFramer::new(self.limits.message),
                inputs: &self.inputs,
                pongs: &self.pongs,
                tally: &self.tally,
                progress,
            };
            let mut reader = pin!(reader.run(&mut reading));
            let mut writer = pin!(write(&mut writing, &mut self.messages, &self.tally, progress));
            let cause = tokio::select! {
                cause = &mut reader => cause,
                cause = &mut writer => return cause,
                cause = progress.overdue(&self.limits) => return cause,
            };
            if !(cause.leaves_a_way_back() && progress.is_owing()) {
                return cause;
            }
            let patience = match cause {
                Cause::Framing(_) => self.limits.answer,
                _ => self.limits.answer.min(HALF_CLOSED),
            };
            // What was sound before the end is answered.
            tokio::select! {
                _ = &mut writer => {}
                () = progress.settled() => {}
                () = sleep(patience) => {}
            }
            cause
        };
        let _ = timeout(FAREWELL, take_leave(&mut reading, &mut writing)).await;
        cause
    }
}

/// Says that nothing more comes, and waits until the peer has said so too.
async fn take_leave(reading: &mut ReadHalf<'_>, writing: &mut WriteHalf<'_>) {
    let _ = writing.shutdown().await;
    let mut buffer = vec![0; READ_BUFFER];
    while reading.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
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
    progress: &'a Progress,
}

impl Reader<'_> {
    async fn run(mut self, stream: &mut ReadHalf<'_>) -> Cause {
        let mut buffer = vec![0; READ_BUFFER];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) if self.framer.is_inside_message() => return Cause::Truncated,
                Ok(0) => return Cause::Closed,
                Ok(length) => self.framer.push(&buffer[..length]),
                Err(error) => return Cause::Broken(error),
            }
            self.progress.read();
            if let Err(error) = self.deliver().await {
                return Cause::Framing(error);
            }
            self.progress.cut(self.framer.is_inside_message());
        }
    }

    async fn deliver(&mut self) -> Result<(), FramingError> {
        while let Some(frame) = self.framer.next_frame()? {
            match frame {
                Frame::Message(bytes) => {
                    self.tally.update(|counts| counts.tcp_received += 1);
                    self.progress.received(&bytes);
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
    stream: &mut WriteHalf<'_>,
    messages: &mut mpsc::Receiver<Bytes>,
    tally: &Tally,
    progress: &Progress,
) -> Cause {
    while let Some(bytes) = messages.recv().await {
        progress.sending();
        if let Err(error) = stream.write_all(&bytes).await {
            return Cause::Broken(error);
        }
        progress.sent(&bytes);
        tally.update(|counts| counts.tcp_sent += 1);
    }
    Cause::Closed // only when the owner dropped the connection, which also ends this task
}
