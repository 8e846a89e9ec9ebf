//! Impairments carried out by a box's own sockets: what is lost, and what waits until it goes on.
//!
//! ```text
//!   sockets ─► admit ──► node            node ─► admit ──► sockets
//!                │  waits until its time           │  waits
//!                └───────────── take_due ──────────┘
//! ```
//!
//! What becomes of a packet is decided in `operations`, as in virtual time. A box without impairments has none of this.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::Instant;

use media::Forward;
use operations::{Direction, Fate, ImpairmentOrder, Impairments};
use sip_proto::{Packet, Transport};

use crate::socket::Tally;

/// Packets that may wait in one box; what comes then is lost, as in the queue of a router.
const MOST_WAITING: usize = 100_000;

/// The impairments of one box, and what they put off.
pub(crate) struct Impaired {
    impairments: Impairments,
    waiting: BinaryHeap<Reverse<Waiting>>,
    sequence: u64,
    tally: Tally,
}

/// A packet on its way in or out of a box.
#[derive(Clone)]
pub(crate) enum InTransit {
    Received(Packet),
    ToSend(Packet),
    MediaReceived { number: u32, from: SocketAddr, bytes: Vec<u8> },
    MediaToSend { forward: Forward, bytes: Vec<u8> },
}

/// What becomes of a packet at once.
pub(crate) enum Admission {
    /// It goes on.
    Passes(InTransit),
    /// It is gone, or waits.
    Held,
    /// It would have to cross a cut on a connection, which breaks.
    Breaks(Transport, SocketAddr),
}

struct Waiting {
    due: Instant,
    sequence: u64,
    what: InTransit,
}

impl Impaired {
    pub(crate) fn new(tally: Tally) -> Self {
        Self { impairments: Impairments::default(), waiting: BinaryHeap::new(), sequence: 0, tally }
    }

    pub(crate) fn obey(&mut self, order: ImpairmentOrder) {
        self.impairments.obey(order);
    }

    /// Whether nothing suffers any more, and nothing waits.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.waiting.is_empty() && self.impairments.is_over(now)
    }

    /// Whether nothing may pass to or from `peer`.
    pub(crate) fn is_cut(&self, peer: SocketAddr) -> bool {
        self.impairments.is_cut(peer)
    }

    /// When the first packet that waits goes on.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.waiting.peek().map(|Reverse(first)| first.due)
    }

    /// Decides about a packet.
    pub(crate) fn admit(&mut self, now: Instant, what: InTransit) -> Admission {
        let fate = match &what {
            InTransit::Received(packet) => self.of_packet(now, Direction::Incoming, packet),
            InTransit::ToSend(packet) => self.of_packet(now, Direction::Outgoing, packet),
            InTransit::MediaReceived { from, .. } => {
                self.impairments.datagram(now, Direction::Incoming, *from)
            }
            InTransit::MediaToSend { forward, .. } => {
                self.impairments.datagram(now, Direction::Outgoing, forward.to)
            }
        };
        let Fate::Arrives { at, copy } = fate else {
            self.tally.update(|counts| counts.impaired_lost += 1);
            return match what {
                InTransit::Received(packet) | InTransit::ToSend(packet)
                    if packet.transport.is_reliable() =>
                {
                    Admission::Breaks(packet.transport, packet.peer)
                }
                _ => Admission::Held,
            };
        };
        if let Some(copy) = copy {
            self.tally.update(|counts| counts.impaired_twice += 1);
            self.put_off(copy, what.clone());
        }
        if at <= now {
            return Admission::Passes(what);
        }
        self.tally.update(|counts| counts.impaired_late += 1);
        self.put_off(at, what);
        Admission::Held
    }

    fn of_packet(&mut self, now: Instant, direction: Direction, packet: &Packet) -> Fate {
        match packet.transport {
            Transport::Udp => self.impairments.datagram(now, direction, packet.peer),
            _ => self.impairments.message(now, direction, packet.peer),
        }
    }

    fn put_off(&mut self, due: Instant, what: InTransit) {
        if self.waiting.len() >= MOST_WAITING {
            self.tally.update(|counts| counts.impaired_lost += 1);
            return;
        }
        self.sequence += 1;
        self.waiting.push(Reverse(Waiting { due, sequence: self.sequence, what }));
    }

    /// The next packet whose time has come, and when that was.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<(Instant, InTransit)> {
        if self.next_due().is_none_or(|due| due > now) {
            return None;
        }
        self.waiting.pop().map(|Reverse(waiting)| (waiting.due, waiting.what))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.sequence).cmp(&(other.due, other.sequence))
    }
}
