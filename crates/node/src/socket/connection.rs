//! One connection: its handshake, then messages both ways until it ends for a stated [`Cause`].

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use sip_proto::Packet;
use sip_proto::stream_framer::Frame;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::limits::SocketLimits;
use super::listener::Entry;
use super::progress::Progress;
use super::tally::Tally;
use super::tcp_input::{Cause, Ended, TcpInput};
use super::way::Way;
use super::wire::{Incoming, Outgoing, halves};
use super::{secure, upgrade, websocket};

/// The answer to a ping (RFC 5626 §4.4.1).
const PONG: Bytes = Bytes::from_static(b"\r\n");
/// How long a peer that closed its direction is believed to read on: most are gone.
const HALF_CLOSED: Duration = Duration::from_secs(2);
/// How long what the peer still sends is thrown away after the last answer: unread bytes would turn the end of the connection
/// into a reset, and that may overtake the answer (RFC 9293 §3.6.1).
const FAREWELL: Duration = Duration::from_secs(1);

/// Where a connection comes from.
pub(super) enum Origin {
    Accepted(TcpStream, Entry),
    /// To be opened from the box's own IP address, so that peers and filters see the right box.
    Opened {
        from: SocketAddr,
    },
}

/// Everything that one connection needs while it lives.
pub(super) struct ConnectionTask {
    pub(super) way: Way,
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
        let cause = match origin {
            Origin::Opened { from } => match self.open(from).await {
                Ok(stream) => self.speak(stream, Entry::TCP).await,
                Err(error) => Cause::Connect(error),
            },
            Origin::Accepted(stream, entry) => self.speak(stream, entry).await,
        };
        self.messages.close();
        let unsent = self.messages.len() + usize::from(self.progress.is_sending());
        let ended = Ended { way: self.way, serial: self.serial, cause, unsent };
        // Fails only when the actor is gone, and then nobody wants to know.
        let _ = self.inputs.send(TcpInput::Ended(ended)).await;
    }

    async fn open(&self, from: SocketAddr) -> io::Result<TcpStream> {
        let opening = connect(from, self.way.peer);
        let stream = timeout(self.limits.connect, opening)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        self.tally.update(|counts| counts.tcp_opened += 1);
        Ok(stream)
    }

    /// Shakes hands as the transport wants it, and exchanges messages.
    async fn speak(&mut self, stream: TcpStream, entry: Entry) -> Cause {
        // A message is written whole, so waiting for more only delays.
        if let Err(error) = stream.set_nodelay(true) {
            return Cause::Broken(error);
        }
        let limits = self.limits;
        let is_websocket = entry.is_websocket();
        match (entry.tls, is_websocket) {
            (None, false) => self.exchange(halves(stream, limits.message)).await,
            (Some(tls), false) => {
                match in_time(&limits, secure::greet(stream, &tls, false)).await {
                    Ok(stream) => self.exchange(halves(stream, limits.message)).await,
                    Err(cause) => cause,
                }
            }
            (None, true) => match in_time(&limits, upgrade::accept(stream)).await {
                Ok(upgraded) => self.exchange_frames(upgraded).await,
                Err(cause) => cause,
            },
            (Some(tls), true) => {
                let shake =
                    async { upgrade::accept(secure::greet(stream, &tls, true).await?).await };
                match in_time(&limits, shake).await {
                    Ok(upgraded) => self.exchange_frames(upgraded).await,
                    Err(cause) => cause,
                }
            }
        }
    }

    async fn exchange_frames<S>(&mut self, upgraded: upgrade::Upgraded<S>) -> Cause
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let progress = Rc::clone(&self.progress);
        self.exchange(websocket::halves(upgraded, self.limits.message, progress).await).await
    }

    /// Reads and writes at the same time: two peers that write much cannot block each other.
    async fn exchange(&mut self, (incoming, outgoing): (impl Incoming, impl Outgoing)) -> Cause {
        let (mut incoming, mut outgoing) = (incoming, outgoing);
        let progress = &*self.progress;
        // What the handshake took is no silence.
        progress.read();
        let cause = {
            let reader = Reader {
                way: self.way,
                inputs: &self.inputs,
                pongs: &self.pongs,
                tally: &self.tally,
                progress,
            };
            let mut reader = pin!(reader.run(&mut incoming));
            let mut writer = pin!(write(&mut outgoing, &mut self.messages, &self.tally, progress));
            let cause = tokio::select! {
                cause = &mut reader => cause,
                cause = &mut writer => return cause,
                cause = progress.overdue(&self.limits) => return cause,
            };
            if !cause.leaves_a_way_back() {
                return cause;
            }
            if progress.is_owing() {
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
            } else if !cause.is_told() {
                return cause;
            }
            cause
        };
        let _ = timeout(FAREWELL, take_leave(&mut incoming, &mut outgoing)).await;
        cause
    }
}

/// A handshake that takes longer is none.
async fn in_time<T>(
    limits: &SocketLimits,
    shake: impl Future<Output = Result<T, Cause>>,
) -> Result<T, Cause> {
    timeout(limits.handshake, shake).await.unwrap_or(Err(Cause::SlowHandshake))
}

/// Says that nothing more comes, and waits until the peer has said so too.
async fn take_leave(incoming: &mut impl Incoming, outgoing: &mut impl Outgoing) {
    outgoing.finish().await;
    incoming.drain().await;
}

async fn connect(from: SocketAddr, peer: SocketAddr) -> io::Result<TcpStream> {
    let socket = if peer.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if !from.ip().is_unspecified() {
        socket.bind(SocketAddr::new(from.ip(), 0))?;
    }
    socket.connect(peer).await
}

/// What becomes of whatever comes in.
struct Reader<'a> {
    way: Way,
    inputs: &'a mpsc::Sender<TcpInput>,
    pongs: &'a mpsc::WeakSender<Bytes>,
    tally: &'a Tally,
    progress: &'a Progress,
}

impl Reader<'_> {
    async fn run(self, incoming: &mut impl Incoming) -> Cause {
        loop {
            match incoming.next(self.progress).await {
                Ok(Frame::Message(bytes)) => {
                    self.tally.update(|counts| counts.tcp_received += 1);
                    self.progress.received(&bytes);
                    let Way { transport, peer } = self.way;
                    let packet = Packet { transport, peer, bytes };
                    // Waits while the actor is busy, so that the peer's window closes.
                    let _ = self.inputs.send(TcpInput::Received(packet)).await;
                }
                Ok(Frame::Ping) => {
                    // A full queue means that data goes to the peer, which proves life as well.
                    let _ = self.pongs.upgrade().map(|queue| queue.try_send(PONG));
                }
                Err(cause) => return cause,
            }
        }
    }
}

async fn write(
    outgoing: &mut impl Outgoing,
    messages: &mut mpsc::Receiver<Bytes>,
    tally: &Tally,
    progress: &Progress,
) -> Cause {
    while let Some(bytes) = messages.recv().await {
        progress.sending();
        if let Err(error) = outgoing.send(&bytes).await {
            return Cause::Broken(error);
        }
        progress.sent(&bytes);
        tally.update(|counts| counts.tcp_sent += 1);
    }
    Cause::Closed // only when the owner dropped the connection, which also ends this task
}
