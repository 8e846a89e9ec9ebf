//! One call in a call server: two legs and what joins them.

use std::time::Instant;

use sip_proto::Rejection;
use sip_proto::message::Request;
use sip_proto::transaction::ServerId;
use sip_proto::user_agent::LegId;
use telemetry::CallRecord;

use super::descriptions::Descriptions;
use super::itinerary::Itinerary;
use super::media::Relay;
use super::takeover::Takeover;

/// Names a call; the name of a call that is over never matches a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CallId {
    pub(super) slot: usize,
    pub(super) nonce: u64,
}

/// Which leg of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Towards the caller.
    A,
    /// Towards the answering point.
    B,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) nonce: u64,
    pub(super) a: LegId,
    pub(super) b: Option<LegId>,
    /// What the B leg's INVITE is made from; kept until the answer, in case the next answering point must be tried.
    pub(super) invite: Option<Request>,
    pub(super) itinerary: Itinerary,
    /// What the caller is told if no answering point is left.
    pub(super) refusal: Rejection,
    pub(super) deadline: Option<Deadline>,
    /// A re-INVITE or UPDATE on its way across: the side it came from and its transaction.
    pub(super) modifying: Option<(Side, ServerId)>,
    /// Other requests on their way across: the side they came from, their transaction, their CSeq on the other leg.
    pub(super) crossing: Vec<(Side, ServerId, u32)>,
    /// The link to a trunk group that it came by; `None` for a call from elsewhere.
    pub(super) link: Option<usize>,
    /// `None`: the two ends exchange media with each other.
    pub(super) relay: Option<Relay>,
    /// Kept only in a pool that replicates.
    pub(super) descriptions: Descriptions,
    /// The name under which the partner has a replica.
    pub(super) replica: Option<String>,
    /// It was begun by another call server, and the two sides are being told.
    pub(super) takeover: Option<Takeover>,
    pub(super) record: CallRecord,
}

/// What the call server waits for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    pub(super) due: Instant,
    pub(super) awaited: Awaited,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    /// Any response from the answering point.
    Response,
    /// Its final response.
    Answer,
    /// The end of the call.
    End,
    /// Both sides of a call that is taken over have heard of it.
    TakenOver,
}

impl Call {
    pub(super) fn leg(&self, side: Side) -> Option<LegId> {
        match side {
            Side::A => Some(self.a),
            Side::B => self.b,
        }
    }

    pub(super) fn is_answered(&self) -> bool {
        self.record.answer_us.is_some()
    }
}

impl Side {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}
