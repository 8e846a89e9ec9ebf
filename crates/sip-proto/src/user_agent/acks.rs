//! Our ACKs of the 2xx of one leg, each kept for as long as a copy of its 2xx may come (RFC 3261 §13.2.2.4).

use std::time::Instant;

use bytes::Bytes;

use crate::Packet;
use crate::message::Payload;
use crate::transaction::AckId;

/// More 2xx than any honest leg acknowledges within 64·T1. A copy of an older one gets a new ACK without a body.
const MOST: usize = 64;

/// The ACKs of a leg, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Acks {
    kept: Vec<KnownAck>,
}

/// The ACK of a 2xx.
#[derive(Debug)]
struct KnownAck {
    /// CSeq of the INVITE.
    seq: u32,
    state: AckState,
    /// When no further copy of the 2xx can come.
    forget_at: Instant,
}

/// What has become of an ACK.
#[derive(Debug, Clone)]
pub(super) enum AckState {
    /// The TU owes the answer that goes into it.
    Owed,
    /// It was sent and says nothing of its own, so it is written again for a further copy of its 2xx: most of thousands are
    /// never needed.
    Plain(AckId),
    /// It was sent, with something in it.
    Full(Box<Packet>),
}

impl AckState {
    /// An ACK has gone out with this payload.
    pub(super) fn sent(id: AckId, packet: Packet, payload: &Payload) -> Self {
        match payload.is_empty() {
            true => Self::Plain(id),
            false => {
                // Without the room that was left while it was written.
                let bytes = Bytes::copy_from_slice(&packet.bytes);
                Self::Full(Box::new(Packet { bytes, ..packet }))
            }
        }
    }
}

impl Acks {
    /// What has become of the ACK of the INVITE numbered `seq`.
    pub(super) fn note(&mut self, seq: u32, state: AckState, forget_at: Instant) {
        self.kept.retain(|have| have.seq != seq);
        if self.kept.len() == MOST {
            self.kept.remove(0);
        }
        // There is rarely a second one.
        self.kept.reserve_exact(1);
        self.kept.push(KnownAck { seq, state, forget_at });
    }

    /// The CSeq number of the newest INVITE whose ACK the TU owes.
    pub(super) fn owed(&self) -> Option<u32> {
        let is_owed = |ack: &&KnownAck| matches!(ack.state, AckState::Owed);
        self.kept.iter().rev().find(is_owed).map(|ack| ack.seq)
    }

    /// The ACK of the INVITE numbered `seq`, unless it was forgotten.
    pub(super) fn of(&self, seq: u32) -> Option<&AckState> {
        self.kept.iter().find(|ack| ack.seq == seq).map(|ack| &ack.state)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Forgets those of which no copy of the 2xx can come any more.
    pub(super) fn forget(&mut self, now: Instant) {
        let over = self.kept.iter().take_while(|ack| ack.forget_at <= now).count();
        self.kept.drain(..over);
        if self.kept.is_empty() {
            self.kept = Vec::new();
        }
    }

    /// When to forget the next one.
    pub(super) fn due(&self) -> Option<Instant> {
        self.kept.first().map(|ack| ack.forget_at)
    }
}
