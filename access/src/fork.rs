//! An INVITE on its way, and its branches: what `forks.rs` goes by.

use bytes::Bytes;
use sip_proto::Rejection;
use sip_proto::message::Request;
use sip_proto::transaction::{ClientId, Failure, ServerId};

use crate::accounts::AccountId;
use crate::bindings::{Bound, PhoneFlow};

sip_proto::key_type! {
    /// Names one INVITE on its way.
    pub(crate) struct ForkId;
}

/// An INVITE on its way.
#[derive(Debug)]
pub(crate) struct Fork {
    pub(crate) server: ServerId,
    pub(crate) invite: Request,
    pub(crate) from: PhoneFlow,
    pub(crate) branches: Vec<Branch>,
    /// The best refusal so far (RFC 3261 §16.7 item 6).
    pub(crate) best: Option<Refusal>,
    pub(crate) is_answered: bool,
    pub(crate) is_cancelled: bool,
}

/// What one telephone, or the network, makes of it.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) client: ClientId,
    /// The flow that is tried now; `None` for the network.
    pub(crate) flow: Option<PhoneFlow>,
    /// Other flows of the same telephone.
    pub(crate) way: Option<Way>,
}

/// The flows of one telephone that were not tried yet, the next one last, and the user whose telephone calls it.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) flows: Vec<Bound>,
    pub(crate) caller: Option<AccountId>,
}

#[derive(Debug)]
pub(crate) enum Refusal {
    /// Of a telephone or of the network.
    Theirs(u16, Bytes),
    Ours(Rejection),
}

impl Refusal {
    pub(crate) const fn status(&self) -> u16 {
        match self {
            Self::Theirs(status, _) => *status,
            Self::Ours(rejection) => rejection.status,
        }
    }

    /// 6xx before all others, then the lowest class; of 4xx those that the caller can do something about.
    pub(crate) fn rank(&self) -> (u16, bool) {
        let status = self.status();
        let can_be_mended = matches!(status, 401 | 407 | 415 | 420 | 484);
        (if status >= 600 { 0 } else { status / 100 }, !can_be_mended)
    }
}

/// What the sender of a request hears of a branch that failed (RFC 3261 §16.9, RFC 5626 §5.3.1).
pub(crate) fn refusal_of(failure: Failure, to_telephone: bool) -> Rejection {
    match failure {
        Failure::Timeout => Rejection::new(408),
        Failure::Unreachable if to_telephone => Rejection::new(430)
            .with_warning("the flow of the telephone is dead: it must register again".to_owned()),
        Failure::Unreachable => Rejection::new(503),
    }
}
