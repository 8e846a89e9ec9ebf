//! One call in a call server: two legs and what joins them.

use std::net::IpAddr;

use sip_proto::Rejection;
use sip_proto::message::{Payload, Request};
use sip_proto::transaction::ServerId;
use sip_proto::user_agent::LegId;
use telemetry::CallRecord;

use super::descriptions::Descriptions;
use super::media_relay::MediaRelay;
use super::route_list::RouteList;
use super::side::Side;
use super::takeover_replies::TakeoverReplies;

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) a: LegId,
    pub(super) b: Option<LegId>,
    /// Until the answer, and not of a call that is taken over.
    pub(super) setup: Option<Box<Setup>>,
    /// The offer whose answer is awaited.
    pub(super) offer: Option<Offer>,
    /// A provisional response has carried an answer to it.
    pub(super) has_early_answer: bool,
    /// What its deadline is for, if it has one (`calls.rs`).
    pub(super) awaited: Option<Awaited>,
    /// A re-INVITE or UPDATE on its way across: the side it came from and its transaction.
    pub(super) modifying: Option<(Side, ServerId)>,
    /// Other requests on their way across: the side they came from, their transaction, their CSeq on the other leg.
    pub(super) crossing: Vec<(Side, ServerId, u32)>,
    /// The link to a trunk group that it came by; `None` for a call from elsewhere.
    pub(super) link: Option<usize>,
    /// The source whose unfinished calls it counts among.
    pub(super) counts_at: Option<IpAddr>,
    /// `None`: the two ends exchange media with each other.
    pub(super) relay: Option<MediaRelay>,
    /// Kept only in a pool that replicates.
    pub(super) descriptions: Descriptions,
    /// The name under which the partner has a replica.
    pub(super) replica: Option<String>,
    /// The answers of the two sides, while the call is taken over from another call server.
    pub(super) takeover: Option<TakeoverReplies>,
    pub(super) record: CallRecord,
}

/// What is needed to try the next answering point. An answered call has it no more: most calls are answered, and last.
#[derive(Debug)]
pub(super) struct Setup {
    /// What the B leg's INVITE is made from.
    pub(super) invite: Request,
    pub(super) route_list: RouteList,
    /// The refusal that the caller gets if no answering point is left.
    pub(super) refusal: Rejection,
    /// What goes on to the caller of what the answering point has said with it.
    pub(super) told: Payload,
}

impl Setup {
    pub(super) fn new(invite: Request, route_list: RouteList) -> Self {
        Self { invite, route_list, refusal: Rejection::new(480), told: Payload::empty() }
    }
}

/// A session description that must be answered: who has sent it, and the media of its streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) from: Side,
    pub(super) kinds: Vec<String>,
}

/// What the call server waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    /// Any response from the answering point.
    Response,
    /// Its final response.
    Answer,
    /// The end of the call.
    End,
    /// The answers of both sides of a call that is taken over.
    TakenOver,
}

impl Call {
    /// A call without a B leg and without media.
    pub(super) fn new(a: LegId, link: Option<usize>, record: CallRecord) -> Self {
        Self {
            a,
            b: None,
            setup: None,
            offer: None,
            has_early_answer: false,
            awaited: None,
            modifying: None,
            crossing: Vec::new(),
            link,
            counts_at: None,
            relay: None,
            descriptions: Descriptions::default(),
            replica: None,
            takeover: None,
            record,
        }
    }

    pub(super) fn leg(&self, side: Side) -> Option<LegId> {
        match side {
            Side::A => Some(self.a),
            Side::B => self.b,
        }
    }

    /// The legs that it has.
    pub(super) fn legs(&self) -> impl Iterator<Item = LegId> + use<> {
        [Some(self.a), self.b].into_iter().flatten()
    }

    pub(super) fn is_answered(&self) -> bool {
        self.record.answer_us.is_some()
    }
}
