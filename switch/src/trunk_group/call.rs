//! One call through a trunk group.

use std::net::IpAddr;
use std::time::Instant;

use sip_proto::dialog::Dialog;
use sip_proto::flow::Flow;
use sip_proto::message::Request;
use sip_proto::transaction::{ClientId, ServerId};
use telemetry::CallRecord;

use super::circuits::Circuit;
use super::member::Member;

sip_proto::key_type! {
    /// Names a call; the name of a call that is over never matches a new one.
    pub(super) struct CallId;
}

/// What a transaction of this trunk group is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owner {
    /// The INVITE that makes the call, on either side.
    Setup(CallId),
    /// A request inside the dialog, forwarded for the server transaction `server`.
    Inside { call: CallId, server: ServerId, bearing: Bearing },
    /// OPTIONS of our own to an end of the call.
    Audit(CallId, Side),
    /// A BYE of our own: for an answer that came too late, or for a call that we have ended.
    Nobody,
    /// OPTIONS to the member at this place.
    Probe(usize),
}

/// What a request inside a dialog has to do with the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bearing {
    /// The BYE of the call.
    Ends,
    /// Another request inside the dialog of the call: what becomes of it shows whether the two ends still know the call.
    Shows(Side),
    /// It is inside an early dialog, or one of another branch of a fork.
    None,
}

/// The two ends of a call, as a trunk group sees them; the one that has sent a request, where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Caller,
    Site,
}

impl Side {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Caller => Self::Site,
            Self::Site => Self::Caller,
        }
    }

    /// As it is told of what happens in a dialog.
    pub(super) const fn described(self) -> &'static str {
        match self {
            Self::Caller => "the caller",
            Self::Site => "the callee",
        }
    }

    /// As it is told in a record.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Site => "site",
        }
    }
}

/// The dialog of an answered call as either end has it, so that the trunk group can end it in the name of the other one.
#[derive(Debug)]
pub(super) struct Dialogs {
    pub(super) towards_caller: Dialog,
    pub(super) towards_site: Dialog,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    /// With the Call-ID, which its record has, it finds this call for requests inside its dialog.
    pub(super) caller_tag: Box<str>,
    /// The caller's INVITE transaction.
    pub(super) server: ServerId,
    /// The CSeq number of that INVITE.
    pub(super) seq: u32,
    /// The way to the caller: that of its last request.
    pub(super) flow: Flow,
    /// What is forwarded; kept until the answer, in case the next site must be tried.
    pub(super) invite: Option<Request>,
    /// Where the call is now: the member, and the circuit that it holds there.
    pub(super) circuit: Option<(usize, Circuit)>,
    pub(super) client: Option<ClientId>,
    /// Every branch of the call so far: its transaction and the member that it went to.
    pub(super) branches: Vec<(ClientId, usize)>,
    pub(super) state: State,
    /// To tag of the first 2xx. It names the dialog of the call; other 2xx come from forks.
    pub(super) answered_tag: Box<str>,
    /// Once it is answered.
    pub(super) dialogs: Option<Box<Dialogs>>,
    /// When something last passed inside the dialog.
    pub(super) heard_at: Instant,
    /// When the INVITE went to where the call is now.
    pub(super) sent_at: Instant,
    /// Which start of the call server has answered the INVITE there.
    pub(super) origin_state: Option<u64>,
    /// The source whose unfinished calls it counts among ([`sip_proto::sources`]).
    pub(super) counts_at: Option<IpAddr>,
    /// This end has left a request inside the dialog without an answer; see [`Wake::Doubt`](super::Wake).
    pub(super) silent: Option<Side>,
    /// The member that has taken the call over from the one that answered.
    pub(super) taken_by: Option<usize>,
    /// CSeq of the request by which it did. If the first member is alive after all, its requests have lower ones.
    pub(super) taken_seq: u32,
    /// Its site was found down; released at the next [`Wake::Orphans`](super::Wake) unless it is taken over.
    pub(super) is_orphan: bool,
    /// re-INVITEs on their way through: the transaction of each with its sender, and with its receiver.
    pub(super) inside: Vec<(ServerId, ClientId)>,
    pub(super) record: CallRecord,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The site has not said anything.
    Trying,
    /// The site has the call; Timer C runs (RFC 3261 §16.6 item 11).
    Proceeding,
    /// The caller has given up; the final response is on its way.
    Cancelled,
    /// A dialog exists.
    Answered,
}

impl Call {
    /// It goes to the member at the place `index` from now on. If that has no free circuit, it is one call more than its
    /// circuits, and holds none.
    pub(super) fn move_to(&mut self, index: usize, member: &mut Member) {
        self.circuit = member.circuits.seize().map(|circuit| (index, circuit));
        if self.record.tried.last() != Some(&member.name) {
            self.record.note_tried(&member.name);
        }
        self.record.site = Some(member.site.clone());
    }

    /// The place of the member towards which it holds a circuit.
    pub(super) fn member(&self) -> Option<usize> {
        self.circuit.as_ref().map(|(index, _)| *index)
    }

    /// The place of the member that it went to last.
    pub(super) fn place(&self) -> Option<usize> {
        self.member().or_else(|| self.branches.last().map(|(_, index)| *index))
    }

    /// True if the member at this place has had the call already.
    pub(super) fn has_tried(&self, index: usize) -> bool {
        self.branches.iter().any(|(_, tried)| *tried == index)
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.state == State::Cancelled
    }
}
