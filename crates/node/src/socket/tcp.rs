//! TCP connections of one box, by the address of the peer.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use sip_proto::Packet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep};

use super::complaint::Complaint;
use super::connection::{ConnectionTask, Origin};
use super::limits::SocketLimits;
use super::progress::Progress;
use super::room::{Candidate, Room, room_among, room_for};
use super::tally::Tally;
use super::tcp_input::{Cause, Ended, TcpInput};

/// Inputs that connections may have ready before they must wait for the actor.
const INPUT_QUEUE: usize = 256;
/// Rest after a failed accept: without it, a process out of descriptors would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The connections of one box, and the way out to their peers.
pub(crate) struct TcpPort {
    connections: HashMap<SocketAddr, Connection>,
    /// Tells a connection from an earlier one with the same peer.
    next_serial: u64,
    address: SocketAddr,
    limits: SocketLimits,
    inputs: mpsc::Sender<TcpInput>,
    tally: Tally,
    complaint: Complaint,
}

/// One open or opening connection. Dropping it closes it at once.
struct Connection {
    serial: u64,
    /// A peer opened it, and not this box.
    is_accepted: bool,
    progress: Rc<Progress>,
    queue: mpsc::Sender<Bytes>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Messages that wait for the connection.
    fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TcpPort {
    pub(super) fn open(
        listener: std::net::TcpListener,
        address: SocketAddr,
        limits: SocketLimits,
        tally: Tally,
    ) -> io::Result<(Self, TcpInputs)> {
        let listener = TcpListener::from_std(listener)?;
        let (inputs, received) = mpsc::channel(INPUT_QUEUE);
        let port = Self {
            connections: HashMap::new(),
            next_serial: 0,
            address,
            limits,
            inputs,
            tally: tally.clone(),
            complaint: Complaint::new(address),
        };
        Ok((port, TcpInputs { listener, received, pause: None, tally }))
    }

    /// Takes over a connection that a peer opened, if there is room for it.
    pub(crate) fn adopt(&mut self, stream: TcpStream, peer: SocketAddr) {
        let room = room_for(peer.ip(), &self.candidates(true), &self.limits, Instant::now());
        if !self.make(room) {
            self.tally.update(|counts| counts.tcp_over_limit += 1);
            self.complaint.add(peer, &Cause::OverLimit);
            return;
        }
        self.tally.update(|counts| counts.tcp_accepted += 1);
        self.start(peer, Origin::Accepted(stream));
    }

    /// A connection could not be accepted: one that nobody uses may have what it lacks.
    pub(crate) fn make_way(&mut self) {
        let held = self.candidates(true);
        let limits = SocketLimits { connections: held.len(), ..self.limits };
        let room = room_for(self.address.ip(), &held, &limits, Instant::now());
        self.make(room);
    }

    /// Queues a message on the connection with its peer; opens one if there is none.
    ///
    /// A failure comes back as [`TcpInput::Ended`], never from here: a node that tries again at
    /// once could hold its actor in a loop.
    pub(crate) fn send(&mut self, packet: Packet) {
        let peer = packet.peer;
        if !self.connections.contains_key(&peer) {
            let room = room_among(&self.candidates(false), &self.limits, Instant::now());
            if !self.make(room) {
                self.tally.update(|counts| counts.tcp_over_limit += 1);
                self.refuse(peer, self.next_serial, Cause::OverLimit, 1);
                return;
            }
            self.start(peer, Origin::Opened { from: self.address });
        }
        let Some(connection) = self.connections.get(&peer) else {
            return;
        };
        if connection.queue.try_send(packet.bytes).is_err() {
            self.tally.update(|counts| counts.tcp_overflows += 1);
            let serial = connection.serial;
            self.connections.remove(&peer);
            self.refuse(peer, serial, Cause::Overflow, 1);
        }
    }

    /// Forgets a connection that ended; true when the node must hear that its peer is lost.
    pub(crate) fn forget(&mut self, ended: &Ended) -> Option<SocketAddr> {
        let Ended { peer, serial, cause, unsent } = ended;
        if self.connections.get(peer).is_some_and(|connection| connection.serial == *serial) {
            self.connections.remove(peer);
        }
        self.tally.update(|counts| {
            counts.tcp_unsent += *unsent as u64;
            cause.count(counts);
        });
        tracing::debug!(%peer, %cause, unsent, "connection ended");
        if cause.is_abuse() {
            self.complaint.add(*peer, cause);
        }
        let lost = *unsent > 0 || !matches!(cause, Cause::Idle | Cause::Evicted);
        lost.then_some(*peer)
    }

    /// Breaks the connection with a peer whom a cut of the campaign keeps away, with whatever waits there.
    pub(crate) fn cut(&mut self, peer: SocketAddr) {
        let connection = self.connections.remove(&peer);
        let waiting = connection.as_ref().map_or(0, Connection::waiting);
        let serial = connection.map_or(self.next_serial, |connection| connection.serial);
        self.refuse(peer, serial, Cause::Cut, waiting + 1);
    }

    /// What could be closed, among the connections that peers opened or among the others.
    fn candidates(&self, accepted: bool) -> Vec<Candidate> {
        let of_kind = |it: &(&SocketAddr, &Connection)| it.1.is_accepted == accepted;
        let candidate = |(peer, connection): (&SocketAddr, &Connection)| {
            let progress = &connection.progress;
            let is_sending = progress.is_sending() || connection.waiting() > 0;
            Candidate {
                peer: *peer,
                // What waits for a connection of our own to open is not in vain yet.
                is_used: progress.is_used() || !accepted,
                carried: progress.carried(),
                is_busy: is_sending || progress.is_owing(),
            }
        };
        self.connections.iter().filter(of_kind).map(candidate).collect()
    }

    /// Closes what has to make room; false when there is none.
    fn make(&mut self, room: Room) -> bool {
        let peer = match room {
            Room::Free => return true,
            Room::After(peer) => peer,
            Room::None => return false,
        };
        if let Some(connection) = self.connections.remove(&peer) {
            self.refuse(peer, connection.serial, Cause::Evicted, connection.waiting());
        }
        true
    }

    fn start(&mut self, peer: SocketAddr, origin: Origin) {
        let serial = self.next_serial;
        self.next_serial += 1;
        let is_accepted = matches!(origin, Origin::Accepted(_));
        let progress = Rc::new(Progress::new());
        let (queue, messages) = mpsc::channel(self.limits.connection_queue);
        let task = ConnectionTask {
            peer,
            serial,
            messages,
            pongs: queue.downgrade(),
            inputs: self.inputs.clone(),
            limits: self.limits,
            progress: Rc::clone(&progress),
            tally: self.tally.clone(),
        };
        let task = tokio::task::spawn_local(task.run(origin));
        let connection = Connection { serial, is_accepted, progress, queue, task };
        self.connections.insert(peer, connection);
    }

    /// Tells the actor, later and as an input of its own, that a connection ended from this side, with so many messages that
    /// could not go.
    fn refuse(&self, peer: SocketAddr, serial: u64, cause: Cause, unsent: usize) {
        let inputs = self.inputs.clone();
        let ended = Ended { peer, serial, cause, unsent };
        tokio::task::spawn_local(async move {
            // Fails only when the actor is gone, and then nobody wants to know.
            let _ = inputs.send(TcpInput::Ended(ended)).await;
        });
    }
}

/// New connections, messages and losses, as a stream for the actor.
pub(crate) struct TcpInputs {
    listener: TcpListener,
    received: mpsc::Receiver<TcpInput>,
    pause: Option<Pin<Box<Sleep>>>,
    tally: Tally,
}

impl TcpInputs {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<TcpInput> {
        if let Some(pause) = &mut self.pause {
            std::task::ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        match std::task::ready!(self.listener.poll_accept(cx)) {
            Ok((stream, peer)) => Poll::Ready(TcpInput::Accepted { stream, peer }),
            Err(error) => {
                self.tally.update(|counts| counts.tcp_accept_errors += 1);
                tracing::debug!(%error, "connection not accepted");
                self.pause = Some(Box::pin(tokio::time::sleep(ACCEPT_PAUSE)));
                Poll::Ready(TcpInput::NotAccepted)
            }
        }
    }
}

impl Stream for TcpInputs {
    type Item = TcpInput;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<TcpInput>> {
        let this = self.get_mut();
        match this.received.poll_recv(cx) {
            Poll::Ready(input) => Poll::Ready(input),
            Poll::Pending => this.poll_accept(cx).map(Some),
        }
    }
}
