//! What the PSAP notes about one INVITE, and the record that is made of it.

use std::net::SocketAddr;
use std::time::Instant;

use contract::{CallPicker, CallStage, OpenCall};
use media::StreamReport;
use sip_proto::Rejection;
use sip_proto::message::Request;
use sip_proto::reason::{Reason, cause_of_status};
use sip_proto::user_agent::End;
use sip_proto::wall_clock::WallClock;
use telemetry::{BoxKind, CallRecord, DialogRecord, NO_ACK, Outcome, Party};

/// Q.850: normal call clearing.
pub(crate) const NORMAL_CLEARING: u16 = 16;

/// Q.850: recovery on timer expiry.
const TIMER_EXPIRY: u16 = 102;

/// Q.850: temporary failure, for a call that is dropped.
pub(crate) const TEMPORARY_FAILURE: u16 = 41;

/// One INVITE: its caller, and the times of what happened to it.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// The caller's half of Session-ID (RFC 7989 §5), or one made up for a caller without.
    id: String,
    pub(crate) call_id: String,
    number: String,
    commune: Option<String>,
    pub(crate) arrived: Instant,
    pub(crate) rang: Option<Instant>,
    pub(crate) answered: Option<Instant>,
    /// When the ACK of the answer came.
    pub(crate) acknowledged: Option<Instant>,
    /// When this PSAP sent its BYE.
    pub(crate) hung_up: Option<Instant>,
    pub(crate) media: Vec<StreamReport>,
    digits: String,
    /// What is told of a telephone's dialog.
    dialog: Option<Box<DialogRecord>>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) outcome: Outcome,
    status: u16,
    pub(crate) cause: u16,
    ended_by: Party,
    /// A sentence that says what went wrong, if anything did.
    reason: Option<String>,
}

impl Attempt {
    pub(crate) fn new(id: String, invite: &Request, source: SocketAddr, now: Instant) -> Self {
        let to = invite.to().uri();
        Self {
            id,
            call_id: invite.call_id().to_owned(),
            number: to.dialled().unwrap_or_else(|| to.as_str().to_owned()),
            commune: invite.commune().map(str::to_owned),
            arrived: now,
            rang: None,
            answered: None,
            acknowledged: None,
            hung_up: None,
            media: Vec::new(),
            digits: String::new(),
            dialog: DialogRecord::of(invite, source),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The id as a number.
    pub(crate) fn key(&self) -> u128 {
        u128::from_str_radix(&self.id, 16).unwrap_or_default()
    }

    /// What is told of the dialog, if it is a telephone's.
    pub(crate) fn dialog(&mut self) -> Option<&mut DialogRecord> {
        self.dialog.as_deref_mut()
    }

    /// The caller has dialled these by INFO while no audio was open.
    pub(crate) fn note_digits(&mut self, digits: &str) {
        const MOST: usize = 64;
        let room = MOST.saturating_sub(self.digits.len());
        self.digits.extend(digits.chars().take(room));
    }

    /// What was heard of the caller; a call without audio may have digits as well.
    fn reports(&mut self) -> Vec<StreamReport> {
        let (mut reports, digits) =
            (std::mem::take(&mut self.media), std::mem::take(&mut self.digits));
        if digits.is_empty() {
            return reports;
        }
        match reports.first_mut() {
            Some(report) => report.digits.insert_str(0, &digits),
            None => reports.push(StreamReport { digits, ..StreamReport::default() }),
        }
        reports
    }

    /// Shows the call as it is now; `waits`: no call taker is rung for it yet.
    pub(crate) fn show(&self, psap: &str, clock: &WallClock, waits: bool, picker: &mut CallPicker) {
        let (stage, since) = match (self.hung_up, self.answered) {
            (Some(hung_up), _) => (CallStage::Ending, hung_up),
            (None, Some(answered)) => (CallStage::Talking, answered),
            (None, None) if waits => (CallStage::Queued, self.arrived),
            (None, None) => (CallStage::Ringing, self.rang.unwrap_or(self.arrived)),
        };
        let start_us = clock.micros(self.arrived);
        picker.show(&self.id, start_us, || OpenCall {
            attempt: self.id.clone(),
            call_ids: vec![self.call_id.clone()],
            caller: self.dialog.as_ref().map(|dialog| dialog.from.clone()),
            number: self.number.clone(),
            commune: self.commune.clone(),
            trunk_group: None,
            site: None,
            psap: Some(psap.to_owned()),
            stage,
            start_us,
            since_us: clock.micros(since),
        });
    }

    pub(crate) fn record(
        mut self,
        psap: &str,
        clock: &WallClock,
        now: Instant,
        ending: Ending,
    ) -> CallRecord {
        let micros = |at| clock.micros(at);
        let media = self.reports();
        CallRecord {
            call_id: self.call_id,
            number: self.number,
            commune: self.commune,
            psap: Some(psap.to_owned()),
            ring_us: self.rang.map(micros),
            answer_us: self.answered.map(micros),
            ack_us: self.acknowledged.map(micros),
            bye_us: self.hung_up.map(micros),
            end_us: micros(now),
            outcome: ending.outcome,
            status: Some(ending.status),
            cause: Some(ending.cause),
            ended_by: Some(ending.ended_by),
            reason: ending.reason,
            media,
            dialog: self.dialog,
            ..CallRecord::open(BoxKind::Psap, psap, self.id, micros(self.arrived))
        }
    }
}

impl Ending {
    /// We sent a final response of 300 or above.
    pub(crate) fn refused(rejection: &Rejection) -> Self {
        let cause = rejection.reason.as_ref().map(Reason::q850_cause);
        Self {
            outcome: Outcome::Rejected,
            status: rejection.status,
            cause: cause.unwrap_or_else(|| cause_of_status(rejection.status)),
            ended_by: Party::Callee,
            reason: rejection.warning.clone(),
        }
    }

    /// The caller gave up before the answer.
    pub(crate) fn abandoned(reason: Option<&Reason>) -> Self {
        Self {
            outcome: Outcome::Abandoned,
            status: 487,
            cause: reason.map_or(NORMAL_CLEARING, Reason::q850_cause),
            ended_by: Party::Caller,
            reason: None,
        }
    }

    /// One side hung up after the answer.
    pub(crate) const fn hung_up(by: Party, cause: u16) -> Self {
        Self { outcome: Outcome::Answered, status: 200, cause, ended_by: by, reason: None }
    }

    /// The call was lost after the answer.
    pub(crate) const fn lost(cause: u16, reason: String) -> Self {
        Self {
            outcome: Outcome::Lost,
            status: 200,
            cause,
            ended_by: Party::Network,
            reason: Some(reason),
        }
    }

    /// The dialog ended and we had not hung up.
    pub(crate) fn of_dialog(end: &End, answered: bool) -> Self {
        match end {
            End::Bye(bye) if !answered => Self::abandoned(Reason::of(bye).as_ref()),
            End::Bye(bye) => {
                let cause = Reason::of(bye).map_or(NORMAL_CLEARING, |reason| reason.q850_cause());
                Self::hung_up(Party::Caller, cause)
            }
            End::HungUp { .. } => Self::hung_up(Party::Callee, NORMAL_CLEARING),
            End::NoAck => Self::lost(TEMPORARY_FAILURE, NO_ACK.to_owned()),
            End::Unrefreshed => Self::lost(
                TIMER_EXPIRY,
                "the caller's side did not refresh the session (RFC 4028)".to_owned(),
            ),
            End::PeerGone { status } => Self::lost(
                cause_of_status(*status),
                format!("the caller's side answered {status} inside the dialog"),
            ),
        }
    }

    pub(crate) fn with_reason(self, reason: &str) -> Self {
        Self { reason: Some(reason.to_owned()), ..self }
    }
}
