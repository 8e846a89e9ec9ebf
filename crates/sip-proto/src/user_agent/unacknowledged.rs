//! What a leg has sent reliably (RFC 3262), and what waits for its PRACK.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::Packet;
use crate::message::Payload;

/// What a peer that demands it is sent reliably.
#[derive(Debug)]
pub(super) struct Reliable {
    /// CSeq number of its INVITE.
    pub(super) invite_seq: u32,
    /// The INVITE has an offer.
    pub(super) has_offer: bool,
    pub(super) first: u32,
    /// RSeq of the newest one; one below `first` before there is any.
    pub(super) newest: u32,
    pub(super) pending: Option<Pending>,
    pub(super) waiting: VecDeque<(u16, Payload)>,
    /// The call is answered as soon as the pending one is acknowledged.
    pub(super) answer: Option<Payload>,
}

/// A response that awaits its PRACK.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) packet: Packet,
    pub(super) has_body: bool,
    pub(super) interval: Duration,
    pub(super) resend_at: Instant,
    pub(super) give_up_at: Instant,
}

impl Reliable {
    pub(super) fn due(&self) -> Option<Instant> {
        self.pending.as_ref().map(|pending| pending.resend_at.min(pending.give_up_at))
    }
}
