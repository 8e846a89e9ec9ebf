//! Connections of one box over TCP, TLS and WebSocket, by transport and peer.

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
use super::listener::Entry;
use super::progress::Progress;
use super::room::{Candidate, Room, room_among, room_for};
use super::tally::Tally;
use super::tcp_input::{Cause, Ended, TcpInput};
use super::way::Way;

/// Inputs that connections may have ready before they must wait for the actor.
const INPUT_QUEUE: usize = 256;
/// Rest after a failed accept: without it, a process out of descriptors would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The connections of one box, and the way out to their peers.
pub(crate) struct TcpPort {
    connections: HashMap<Way, Connection>,
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
        listeners: Vec<(std::net::TcpListener, Entry)>,
        address: SocketAddr,
        limits: SocketLimits,
        tally: Tally,
    ) -> io::Result<(Self, TcpInputs)> {
        let listening = |(listener, entry)| Ok((TcpListener::from_std(listener)?, entry));
        let listeners = listeners.into_iter().map(listening).collect::<io::Result<_>>()?;
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
        Ok((port, TcpInputs { listeners, next: 0, received, pause: None, tally }))
    }

    /// Takes over a connection that a peer opened, if there is room for it.
    pub(crate) fn adopt(&mut self, stream: TcpStream, peer: SocketAddr, entry: Entry) {
        let way = Way { transport: entry.transport, peer };
        let room = room_for(peer.ip(), &self.candidates(true), &self.limits, Instant::now());
        if !self.make(room) {
            self.tally.update(|counts| counts.tcp_over_limit += 1);
            self.complaint.add(way, &Cause::OverLimit);
            return;
        }
        self.tally.update(|counts| counts.tcp_accepted += 1);
        self.start(way, Origin::Accepted(stream, entry));
    }

    /// A connection could not be accepted: one that nobody uses may have what it lacks.
    pub(crate) fn make_way(&mut self) {
        let held = self.candidates(true);
        let limits = SocketLimits { connections: held.len(), ..self.limits };
        let room = room_for(self.address.ip(), &held, &limits, Instant::now());
        self.make(room);
    }

    /// Queues a message on the connection with its peer; opens one if there is none, and the peer can be called
    /// ([`Transport::is_of_clients`](sip_proto::Transport::is_of_clients)).
    ///
    /// A failure comes back as [`TcpInput::Ended`], never from here: a node that tries again at
    /// once could hold its actor in a loop.
    pub(crate) fn send(&mut self, packet: Packet) {
        let way = Way { transport: packet.transport, peer: packet.peer };
        if !self.connections.contains_key(&way) {
            if way.transport.is_of_clients() {
                return self.refuse(way, self.next_serial, Cause::Gone, 1);
            }
            let room = room_among(&self.candidates(false), &self.limits, Instant::now());
            if !self.make(room) {
                self.tally.update(|counts| counts.tcp_over_limit += 1);
                self.refuse(way, self.next_serial, Cause::OverLimit, 1);
                return;
            }
            self.start(way, Origin::Opened { from: self.address });
        }
        let Some(connection) = self.connections.get(&way) else {
            return;
        };
        if connection.queue.try_send(packet.bytes).is_err() {
            self.tally.update(|counts| counts.tcp_overflows += 1);
            let serial = connection.serial;
            self.connections.remove(&way);
            self.refuse(way, serial, Cause::Overflow, 1);
        }
    }

    /// Forgets a connection that ended; true when the node must hear that its peer is lost.
    pub(crate) fn forget(&mut self, ended: &Ended) -> Option<Way> {
        let Ended { way, serial, cause, unsent } = ended;
        if self.connections.get(way).is_some_and(|connection| connection.serial == *serial) {
            self.connections.remove(way);
        }
        self.tally.update(|counts| {
            counts.tcp_unsent += *unsent as u64;
            cause.count(counts);
        });
        tracing::debug!(%way, %cause, unsent, "connection ended");
        if cause.is_abuse() {
            self.complaint.add(*way, cause);
        }
        // A client that was closed for its silence cannot be called again.
        let lost = *unsent > 0
            || way.transport.is_of_clients()
            || !matches!(cause, Cause::Idle | Cause::Evicted);
        lost.then_some(*way)
    }

    /// Breaks the connection with a peer whom a cut of the campaign keeps away, with whatever waits there.
    pub(crate) fn cut(&mut self, way: Way) {
        let connection = self.connections.remove(&way);
        let waiting = connection.as_ref().map_or(0, Connection::waiting);
        let serial = connection.map_or(self.next_serial, |connection| connection.serial);
        self.refuse(way, serial, Cause::Cut, waiting + 1);
    }

    /// What could be closed, among the connections that peers opened or among the others.
    fn candidates(&self, accepted: bool) -> Vec<Candidate> {
        let of_kind = |it: &(&Way, &Connection)| it.1.is_accepted == accepted;
        let candidate = |(way, connection): (&Way, &Connection)| {
            let progress = &connection.progress;
            let is_sending = progress.is_sending() || connection.waiting() > 0;
            Candidate {
                way: *way,
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
        let way = match room {
            Room::Free => return true,
            Room::After(way) => way,
            Room::None => return false,
        };
        if let Some(connection) = self.connections.remove(&way) {
            self.refuse(way, connection.serial, Cause::Evicted, connection.waiting());
        }
        true
    }

    fn start(&mut self, way: Way, origin: Origin) {
        let serial = self.next_serial;
        self.next_serial += 1;
        let is_accepted = matches!(origin, Origin::Accepted(..));
        let progress = Rc::new(Progress::new());
        let (queue, messages) = mpsc::channel(self.limits.connection_queue);
        let task = ConnectionTask {
            way,
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
        self.connections.insert(way, connection);
    }

    /// Tells the actor, later and as an input of its own, that a connection ended from this side, with so many messages that
    /// could not go.
    fn refuse(&self, way: Way, serial: u64, cause: Cause, unsent: usize) {
        let inputs = self.inputs.clone();
        let ended = Ended { way, serial, cause, unsent };
        tokio::task::spawn_local(async move {
            // Fails only when the actor is gone, and then nobody wants to know.
            let _ = inputs.send(TcpInput::Ended(ended)).await;
        });
    }
}

/// New connections, messages and losses, as a stream for the actor.
pub(crate) struct TcpInputs {
    listeners: Vec<(TcpListener, Entry)>,
    /// The one that is asked first, each in its turn.
    next: usize,
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
        let accepted = (0..self.listeners.len()).find_map(|turn| {
            let place = (self.next + turn) % self.listeners.len();
            let (listener, entry) = self.listeners.get(place)?;
            match listener.poll_accept(cx) {
                Poll::Ready(accepted) => Some((place, accepted, entry.clone())),
                Poll::Pending => None,
            }
        });
        let Some((place, accepted, entry)) = accepted else { return Poll::Pending };
        self.next = place + 1;
        match accepted {
            Ok((stream, peer)) => Poll::Ready(TcpInput::Accepted { stream, peer, entry }),
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
