//! Legs: one dialog, from its INVITE to its BYE, as a user agent holds it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::Packet;
use crate::arena::Key;
use crate::deadlines::Turn;
use crate::dialog::Dialog;
use crate::message::{Method, Payload};
use crate::reason::Reason;
use crate::transaction::{ClientId, ServerId};
use crate::user_agent::acks::Acks;
use crate::user_agent::timer_terms::{Asked, SessionTimer};
use crate::user_agent::unacknowledged::Reliable;

crate::key_type! {
    /// Names a leg. The name of a dead leg never matches a new one.
    pub struct LegId;
}

impl LegId {
    /// Our tag of the dialog. It carries the leg's name, so a request inside the dialog finds its
    /// leg without a search.
    pub(super) fn tag(self) -> String {
        let mut tag = String::with_capacity(Key::TEXT_LEN);
        self.0.push_text(&mut tag);
        tag
    }

    pub(super) fn from_tag(tag: &str) -> Option<Self> {
        Key::parse(tag).map(Self)
    }
}

/// More branches than any honest fork has. Further answers are acknowledged and left to time out,
/// so that one peer cannot make us send a BYE for each packet of its own.
pub(super) const MAX_LOSERS: usize = 16;

/// Where a leg stands.
#[derive(Debug)]
pub(super) enum State {
    /// Our INVITE is on its way.
    Calling {
        invite: ClientId,
        offered: bool,
        hang_up: Option<HangUp>,
        call_id: Box<str>,
        terms: Option<Box<CallingTerms>>,
    },
    /// The peer's INVITE, with this CSeq number, awaits our final response.
    Offered { invite: ServerId, seq: u32 },
    /// Our 2xx awaits its ACK.
    Answered { hang_up: Option<HangUp> },
    /// Both sides agree that the dialog exists.
    Confirmed,
    /// Our BYE awaits its response.
    Closing,
}

/// What the extensions that we offer in an INVITE need until its final response.
#[derive(Debug)]
pub(super) struct CallingTerms {
    /// The session description of the INVITE.
    pub(super) description: Bytes,
    /// The tags of those whose provisional responses we have acknowledged, with the newest RSeq of each.
    pub(super) heard_reliably: Vec<(Box<str>, u32)>,
}

/// The TU has hung up; what it said goes into the BYE that has to wait.
#[derive(Debug, Clone)]
pub(super) struct HangUp {
    pub(super) reason: Option<Box<Reason>>,
}

impl HangUp {
    pub(super) fn with(reason: Option<&Reason>) -> Self {
        Self { reason: reason.cloned().map(Box::new) }
    }
}

/// One leg. What few legs have, and not for long, is kept apart: thousands of legs do nothing but last.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) state: State,
    /// `None` while our INVITE has no response with a tag.
    pub(super) dialog: Option<Dialog>,
    /// Where our INVITE went, or where the peer's came from.
    pub(super) peer: SocketAddr,
    /// The peer has sent anything at all in answer to our INVITE.
    pub(super) heard: bool,
    /// True if we sent the first INVITE: decides who backs off longer after glare (RFC 3261 §14.1).
    pub(super) is_uac: bool,
    /// Complete Session-ID line of our requests and responses, or empty (RFC 7989).
    pub(super) session: Box<str>,
    /// Dialogs that provisional responses to our INVITE have made, the newest last (RFC 3261 §12.1.2).
    pub(super) early: Vec<Dialog>,
    /// The peer demands that provisional responses be acknowledged.
    pub(super) reliable: Option<Box<Reliable>>,
    /// The peer has had our tag, in a provisional response of ours.
    pub(super) has_rung: bool,
    /// Our ACKs of its 2xx, for further copies of them.
    pub(super) acks: Acks,
    /// A 2xx to a re-INVITE of ours may come until then, though the leg ends.
    pub(super) answer_until: Option<Instant>,
    /// Tags of other answerers of our INVITE, which have had their BYE: at most [`MAX_LOSERS`].
    pub(super) losers: Vec<Box<str>>,
    /// Our 2xx that awaits its ACK.
    pub(super) answer: Option<Box<Answer>>,
    /// Our re-INVITE or UPDATE that awaits its final response.
    pub(super) our_modify: Option<Box<OurModify>>,
    /// The peer's re-INVITE or UPDATE that awaits our final response.
    pub(super) their_modify: Option<Box<TheirModify>>,
    /// How long a session lasts that the INVITE or UPDATE of the peer asks for which awaits our final response.
    pub(super) asked: Option<Asked>,
    /// The session ends by itself, unless it is refreshed.
    pub(super) timer: Option<Box<SessionTimer>>,
    /// When something last came from the peer inside the dialog.
    pub(super) heard_at: Option<Instant>,
    /// When to look whether it has been quiet for too long.
    pub(super) audit_at: Option<Instant>,
    /// Our OPTIONS awaits its response.
    pub(super) audited: bool,
    /// Our tag, if the leg was begun by another user agent: it does not name the leg then.
    pub(super) adopted_tag: Option<Box<str>>,
    /// When it is looked at next.
    pub(super) turn: Option<Turn>,
}

/// A 2xx that is retransmitted until its ACK (RFC 3261 §13.3.1.4).
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) packet: Packet,
    /// The transaction of the INVITE.
    pub(super) invite: ServerId,
    /// CSeq of the INVITE.
    pub(super) seq: u32,
    pub(super) interval: Duration,
    pub(super) resend_at: Instant,
    pub(super) give_up_at: Instant,
    /// When the TU is told that the ACK is overdue: only of the first INVITE.
    pub(super) overdue_at: Option<Instant>,
}

impl Answer {
    fn due(&self) -> Instant {
        let next = self.resend_at.min(self.give_up_at);
        self.overdue_at.map_or(next, |overdue| overdue.min(next))
    }
}

/// A re-INVITE or UPDATE of ours.
#[derive(Debug)]
pub(super) struct OurModify {
    pub(super) method: Method,
    pub(super) payload: Payload,
    /// Its CSeq number; a further copy of an earlier answer has another one.
    pub(super) seq: u32,
    /// `None` before it is sent.
    pub(super) client: Option<ClientId>,
    /// It is sent again after glare, instead of failing with 491.
    pub(super) repeats: bool,
    /// It only refreshes the session: the TU does not know of it.
    pub(super) is_refresh: bool,
    /// The TU wants it no more.
    pub(super) cancelled: bool,
    /// When to send it: after a 491, or while a change by the peer is under way (RFC 3261 §14.1).
    pub(super) retry_at: Option<Instant>,
}

impl OurModify {
    /// One that is sent now; `repeats`: also after glare.
    pub(super) const fn new(method: Method, payload: Payload, repeats: bool) -> Self {
        Self {
            method,
            payload,
            seq: 0,
            client: None,
            repeats,
            is_refresh: false,
            cancelled: false,
            retry_at: None,
        }
    }
}

/// A re-INVITE or UPDATE of the peer.
#[derive(Debug)]
pub(super) struct TheirModify {
    pub(super) server: ServerId,
    pub(super) method: Method,
    /// Its CSeq number, which the ACK of our 2xx repeats.
    pub(super) seq: u32,
}

/// What is left of a leg, until no 2xx can come any more.
#[derive(Debug)]
pub(super) struct OverLeg {
    pub(super) dialog: Dialog,
    pub(super) session: Box<str>,
    pub(super) acks: Acks,
    /// The peer believes in the dialog no more: it was ended by BYE, or goes on elsewhere.
    pub(super) is_ended: bool,
}

impl Leg {
    pub(super) fn new(state: State, peer: SocketAddr, is_uac: bool) -> Self {
        Self {
            state,
            dialog: None,
            peer,
            heard: !is_uac,
            is_uac,
            session: "".into(),
            early: Vec::new(),
            reliable: None,
            has_rung: false,
            acks: Acks::default(),
            answer_until: None,
            losers: Vec::new(),
            answer: None,
            our_modify: None,
            their_modify: None,
            asked: None,
            timer: None,
            heard_at: None,
            audit_at: None,
            audited: false,
            adopted_tag: None,
            turn: None,
        }
    }

    /// The session is established, and no change of it is under way (RFC 3261 §14.1).
    pub(super) fn is_free_to_change(&self) -> bool {
        let busy =
            self.our_modify.is_some() || self.their_modify.is_some() || self.answer.is_some();
        !busy && self.acks.owed().is_none() && matches!(self.state, State::Confirmed)
    }

    /// When it must be looked at next.
    pub(super) fn due(&self) -> Option<Instant> {
        let due = [
            self.answer.as_deref().map(Answer::due),
            self.reliable.as_ref().and_then(|reliable| reliable.due()),
            self.acks.due(),
            self.our_modify.as_ref().and_then(|modify| modify.retry_at),
            self.audit_at,
            self.timer.as_ref().map(|timer| timer.due()),
        ];
        due.into_iter().flatten().min()
    }
}
