//! Our ACKs of the 2xx of one leg, each kept for as long as a copy of its 2xx may come (RFC 3261 §13.2.2.4).

use std::collections::VecDeque;
use std::time::Instant;

use crate::Packet;

/// More 2xx than any honest leg acknowledges within 64·T1. A copy of an older one gets a new ACK without a body.
const MOST: usize = 64;

/// The ACKs of a leg, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Acks {
    kept: VecDeque<SentAck>,
}

/// The ACK of a 2xx: sent, or owed by the TU.
#[derive(Debug)]
pub(super) struct SentAck {
    /// CSeq of the INVITE.
    seq: u32,
    /// `None` while the TU owes the answer that goes into it.
    pub(super) packet: Option<Packet>,
    /// When no further copy of the 2xx can come.
    forget_at: Instant,
}

impl Acks {
    /// The TU owes the answer for the ACK of the INVITE numbered `seq`.
    pub(super) fn owe(&mut self, seq: u32, forget_at: Instant) {
        self.keep(SentAck { seq, packet: None, forget_at });
    }

    /// The ACK of the INVITE numbered `seq` has been sent.
    pub(super) fn sent(&mut self, seq: u32, packet: Packet, forget_at: Instant) {
        self.keep(SentAck { seq, packet: Some(packet), forget_at });
    }

    fn keep(&mut self, ack: SentAck) {
        self.kept.retain(|have| have.seq != ack.seq);
        if self.kept.len() == MOST {
            self.kept.pop_front();
        }
        self.kept.push_back(ack);
    }

    /// The CSeq number of the newest INVITE whose ACK the TU owes.
    pub(super) fn owed(&self) -> Option<u32> {
        self.kept.iter().rev().find(|ack| ack.packet.is_none()).map(|ack| ack.seq)
    }

    /// The ACK of the INVITE numbered `seq`, unless it was forgotten.
    pub(super) fn of(&self, seq: u32) -> Option<&SentAck> {
        self.kept.iter().find(|ack| ack.seq == seq)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Forgets those of which no copy of the 2xx can come any more.
    pub(super) fn forget(&mut self, now: Instant) {
        while self.kept.front().is_some_and(|ack| ack.forget_at <= now) {
            self.kept.pop_front();
        }
    }

    /// When to forget the next one.
    pub(super) fn due(&self) -> Option<Instant> {
        self.kept.front().map(|ack| ack.forget_at)
    }
}
