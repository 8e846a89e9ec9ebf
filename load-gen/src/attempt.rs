//! One attempt: the call of one caller, from INVITE to its one outcome.
//!
//! ```text
//!            180, 183           200               talked enough,
//!  Calling ───────────► Ringing ────► Talking ──► hung up ──┐
//!     │                    │             │ BYE from callee  ├──► outcome, one record
//!     └── out of patience ─┴──► gave up ─┴──────────────────┘
//! ```
//!
//! Plain state: the [`Generator`](crate::Generator) tells it what happened and carries out what it
//! asks for.

use std::time::{Duration, Instant};

use contract::{CallPicker, OpenCall};
use media::StreamReport;
use telemetry::{BoxKind, CallRecord, Outcome, Party};

use crate::caller::Caller;

/// A caller who leaves the end to the call taker still ends a call after this time, so that a
/// call that everybody else forgot is found.
const LONGEST_CALL: Duration = Duration::from_secs(3_600);

/// A call from the caller's side.
#[derive(Debug)]
pub(crate) struct Attempt {
    state: State,
    talk: Duration,
    /// From the first ring; `None` when the patience counts from the INVITE.
    patience_once_it_rings: Option<Duration>,
    /// When the caller gave up, in Unix microseconds.
    gave_up_us: Option<u64>,
    /// When patience or talk time runs out.
    deadline: Option<Instant>,
    /// Why the answered call came to nothing, as the caller found out.
    failure: Option<String>,
    /// Filled in as the call goes on. Its outcome is set last.
    record: CallRecord,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Calling,
    Ringing,
    Talking,
    /// CANCEL sent, or to be sent.
    GaveUp,
    /// BYE sent.
    HungUp,
}

/// How the user agent says that a call is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A final response of 300 or above.
    Refused { status: u16, cause: Option<u16> },
    /// No final response to the INVITE.
    NoResponse,
    /// The transport could not reach the trunk group.
    Unreachable,
    /// BYE from the other side.
    CalleeHungUp { cause: Option<u16> },
    /// Our BYE is done; `confirmed` when it was answered.
    HungUp { confirmed: bool },
    /// The other side has forgotten the call: it answered 481 or 408 to a request inside it.
    PeerGone { status: u16 },
}

/// Who places a call, and when, as far as the record is concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) generator: &'a str,
    pub(crate) trunk_group: &'a str,
    /// Unix microseconds.
    pub(crate) intended_us: u64,
    pub(crate) start_us: u64,
}

impl Attempt {
    /// The INVITE goes out at `now`.
    pub(crate) fn start(caller: &Caller, origin: Origin<'_>, now: Instant) -> Self {
        Self {
            state: State::Calling,
            gave_up_us: None,
            talk: caller.talk.unwrap_or(LONGEST_CALL),
            deadline: Some(now + caller.silence_patience.unwrap_or(caller.patience)),
            patience_once_it_rings: caller.silence_patience.and(Some(caller.patience)),
            failure: None,
            record: CallRecord {
                number: caller.number.clone(),
                commune: caller.commune.clone(),
                trunk_group: Some(origin.trunk_group.to_owned()),
                intended_us: Some(origin.intended_us),
                caller: Some(caller.index),
                attempt_of_caller: Some(caller.nth),
                class: Some(caller.class),
                ..CallRecord::open(
                    BoxKind::Generator,
                    origin.generator,
                    format!("{:032x}", caller.attempt),
                    origin.start_us,
                )
            },
        }
    }

    /// From the intended start, in microseconds.
    pub(crate) fn since_intended(&self, now_us: u64) -> u64 {
        now_us.saturating_sub(self.record.intended_us.unwrap_or(self.record.start_us))
    }

    /// Neither a ring nor an answer has come.
    pub(crate) const fn is_silent(&self) -> bool {
        self.record.ring_us.is_none() && self.record.answer_us.is_none()
    }

    /// A provisional response above 100 arrived.
    pub(crate) fn handle_progress(&mut self, call_id: &str, now: Instant, now_us: u64) {
        self.record.ring_us.get_or_insert(now_us);
        self.learn(call_id);
        if self.state == State::Calling {
            self.state = State::Ringing;
            if let Some(patience) = self.patience_once_it_rings {
                self.deadline = Some(now + patience);
            }
        }
    }

    /// The 200 arrived.
    pub(crate) fn handle_answer(&mut self, call_id: &str, now: Instant, now_us: u64) {
        self.learn(call_id);
        // A caller who gave up is not there any more: the user agent ends this call with BYE.
        if matches!(self.state, State::Calling | State::Ringing) {
            self.state = State::Talking;
            self.record.status = Some(200);
            self.record.answer_us = Some(now_us);
            self.deadline = Some(now + self.talk);
        }
    }

    /// The call was answered, and is worth nothing.
    pub(crate) fn fail(&mut self, why: String) {
        self.failure.get_or_insert(why);
    }

    /// When [`hang_up`](Self::hang_up) is due.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The 200 came while the caller waited for it.
    pub(crate) fn is_answered(&self) -> bool {
        self.record.answer_us.is_some()
    }

    /// What the caller heard.
    pub(crate) fn note_media(&mut self, report: StreamReport) {
        self.record.media.push(report);
    }

    /// Shows the call as it is now.
    pub(crate) fn show(&self, picker: &mut CallPicker) {
        let is_ending = matches!(self.state, State::GaveUp | State::HungUp);
        picker.show(&self.record.attempt, self.record.start_us, || {
            OpenCall::of_record(&self.record, is_ending)
        });
    }

    /// True from the answer until somebody hangs up.
    pub(crate) fn is_talking(&self) -> bool {
        self.state == State::Talking
    }

    /// The caller is done: out of patience, talked enough, or told to stop. False when that was
    /// so before.
    pub(crate) fn hang_up(&mut self, now_us: u64) -> bool {
        self.deadline = None;
        self.state = match self.state {
            State::Calling | State::Ringing => {
                self.gave_up_us = Some(now_us);
                State::GaveUp
            }
            State::Talking => {
                self.record.bye_us = Some(now_us);
                State::HungUp
            }
            State::GaveUp | State::HungUp => return false,
        };
        true
    }

    /// The call is over. Gives the one record of this attempt.
    pub(crate) fn finish(mut self, end: End, now_us: u64) -> CallRecord {
        self.record.end_us = now_us;
        if let End::Refused { status, cause } = end {
            (self.record.status, self.record.cause) = (Some(status), cause);
        }
        let (outcome, ended_by, reason) = match self.state {
            State::Talking | State::HungUp => self.end_of_call(end),
            State::GaveUp => self.after_giving_up(end),
            State::Calling | State::Ringing => without_answer(end),
        };
        self.record.outcome = outcome;
        self.record.ended_by = Some(ended_by);
        self.record.reason = reason;
        self.record
    }

    fn end_of_call(&mut self, end: End) -> (Outcome, Party, Option<String>) {
        let lost = |why: String| (Outcome::Lost, Party::Network, Some(why));
        if let Some(why) = self.failure.take() {
            return lost(why);
        }
        match end {
            // A border element releases so the calls of a site that it has found down.
            End::CalleeHungUp { cause: Some(OUT_OF_ORDER) } => {
                self.record.cause = Some(OUT_OF_ORDER);
                lost("the network released the call: destination out of order".to_owned())
            }
            End::CalleeHungUp { cause } => {
                self.record.cause = cause;
                (Outcome::Answered, Party::Callee, None)
            }
            End::HungUp { confirmed: true } => {
                self.record.cause = Some(16);
                (Outcome::Answered, Party::Caller, None)
            }
            End::HungUp { confirmed: false } => lost("the BYE got no response".to_owned()),
            End::PeerGone { status } => {
                lost(format!("the other side had forgotten the call ({status})"))
            }
            End::Unreachable => lost("the trunk group became unreachable".to_owned()),
            End::NoResponse | End::Refused { .. } => {
                lost("the call ended without a BYE".to_owned())
            }
        }
    }

    fn after_giving_up(&mut self, end: End) -> (Outcome, Party, Option<String>) {
        match end {
            End::NoResponse => {
                let why = "no final response, not even to the CANCEL";
                (Outcome::TimedOut, Party::Network, Some(why.to_owned()))
            }
            End::Unreachable => unreachable_trunk_group(),
            // A 200 crossed the CANCEL and found no caller any more, so it was ended with BYE (RFC 3261 §9.1).
            End::HungUp { confirmed } => {
                self.record.bye_us = self.gave_up_us;
                let why = (!confirmed).then(|| "the BYE got no response".to_owned());
                (Outcome::Abandoned, Party::Caller, why)
            }
            // Usually 487, or a refusal that crossed the CANCEL.
            _ => (Outcome::Abandoned, Party::Caller, None),
        }
    }

    /// The Call-ID is known from the INVITE on: of a call that nobody answered it is all that is left.
    pub(crate) fn learn(&mut self, call_id: &str) {
        if self.record.call_id.is_empty() {
            call_id.clone_into(&mut self.record.call_id);
        }
    }
}

fn without_answer(end: End) -> (Outcome, Party, Option<String>) {
    match end {
        // RFC 3261 §21.4.24, §21.6: busy, no answer and decline are the callee's word.
        End::Refused { status: 480 | 486 | 600 | 603, .. } => {
            (Outcome::Rejected, Party::Callee, None)
        }
        End::Refused { .. } => (Outcome::Rejected, Party::Network, None),
        End::Unreachable => unreachable_trunk_group(),
        End::NoResponse | End::CalleeHungUp { .. } | End::HungUp { .. } | End::PeerGone { .. } => {
            (Outcome::TimedOut, Party::Network, Some("no final response".to_owned()))
        }
    }
}

/// Q.850: destination out of order.
const OUT_OF_ORDER: u16 = 27;

fn unreachable_trunk_group() -> (Outcome, Party, Option<String>) {
    let why = "the trunk group could not be reached";
    (Outcome::TimedOut, Party::Network, Some(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    const NOW_US: u64 = 1_000_000;

    /// A state, how the call ends in it, and what that counts as.
    type Case = (fn(Instant) -> Attempt, End, Outcome, Party);

    fn attempt(now: Instant) -> Attempt {
        let caller = fixture::caller();
        Attempt::start(&caller, origin(), now)
    }

    fn origin() -> Origin<'static> {
        Origin {
            generator: "generator-0",
            trunk_group: "mobile",
            intended_us: NOW_US - 10,
            start_us: NOW_US,
        }
    }

    fn talking(now: Instant) -> Attempt {
        let mut attempt = attempt(now);
        attempt.handle_progress("a@b", now, NOW_US + 1);
        attempt.handle_answer("a@b", now, NOW_US + 2);
        attempt
    }

    fn gave_up(now: Instant) -> Attempt {
        let mut attempt = attempt(now);
        assert!(attempt.hang_up(NOW_US));
        attempt
    }

    #[test]
    fn each_end_in_each_state_is_one_outcome() {
        let now = Instant::now();
        let refused = |status| End::Refused { status, cause: Some(17) };
        let hung_up = |confirmed| End::HungUp { confirmed };
        let callee = End::CalleeHungUp { cause: Some(16) };
        let released = End::CalleeHungUp { cause: Some(27) };
        let cases: [Case; 14] = [
            (attempt, refused(486), Outcome::Rejected, Party::Callee),
            (attempt, refused(503), Outcome::Rejected, Party::Network),
            (attempt, End::NoResponse, Outcome::TimedOut, Party::Network),
            (attempt, End::Unreachable, Outcome::TimedOut, Party::Network),
            (gave_up, refused(487), Outcome::Abandoned, Party::Caller),
            (gave_up, hung_up(true), Outcome::Abandoned, Party::Caller),
            (gave_up, callee, Outcome::Abandoned, Party::Caller),
            (gave_up, End::NoResponse, Outcome::TimedOut, Party::Network),
            (talking, callee, Outcome::Answered, Party::Callee),
            (talking, released, Outcome::Lost, Party::Network),
            (talking, hung_up(true), Outcome::Answered, Party::Caller),
            (talking, hung_up(false), Outcome::Lost, Party::Network),
            (talking, End::PeerGone { status: 481 }, Outcome::Lost, Party::Network),
            (talking, End::Unreachable, Outcome::Lost, Party::Network),
        ];
        for (state, end, outcome, ended_by) in cases {
            let record = state(now).finish(end, NOW_US + 9);
            assert_eq!((record.outcome, record.ended_by), (outcome, Some(ended_by)), "{end:?}");
            assert_eq!(
                record.reason.is_some(),
                ended_by == Party::Network && outcome != Outcome::Rejected
            );
        }
    }

    #[test]
    fn patience_runs_until_the_answer_and_talk_time_from_it() {
        let now = Instant::now();
        assert_eq!(attempt(now).deadline(), Some(now + Duration::from_secs(20)));
        let mut attempt = talking(now + Duration::from_secs(5));
        assert_eq!(attempt.deadline(), Some(now + Duration::from_secs(65)));
        assert!(attempt.is_talking());
        assert!(attempt.hang_up(NOW_US));
        assert!(!attempt.hang_up(NOW_US), "only once");
        assert_eq!(attempt.deadline(), None);
    }

    // RFC 3261 §9.1: CANCEL has no effect once the callee has answered. The dialog exists then,
    // and the user agent ends it with BYE; for the caller the attempt is over all the same.
    #[test]
    fn an_answer_that_crosses_the_cancel_finds_nobody() {
        let now = Instant::now();
        let mut attempt = gave_up(now);
        attempt.handle_answer("a@b", now, NOW_US + 1);
        assert!(!attempt.is_talking());
        let record = attempt.finish(End::HungUp { confirmed: true }, NOW_US + 2);
        assert_eq!((record.outcome, record.answer_us), (Outcome::Abandoned, None));
        assert_eq!(record.call_id, "a@b");
    }

    #[test]
    fn the_first_ring_counts() {
        let now = Instant::now();
        let mut attempt = attempt(now);
        attempt.handle_progress("a@b", now, NOW_US + 1);
        attempt.handle_progress("a@b", now, NOW_US + 2);
        let record = attempt.finish(End::NoResponse, NOW_US + 3);
        assert_eq!((record.ring_us, record.end_us), (Some(NOW_US + 1), NOW_US + 3));
    }

    #[test]
    fn silence_is_borne_until_it_rings_and_patience_counts_from_there() {
        let now = Instant::now();
        let seconds = Duration::from_secs;
        let caller = Caller { silence_patience: Some(seconds(12)), ..fixture::caller() };
        let mut attempt = Attempt::start(&caller, origin(), now);
        assert_eq!(attempt.deadline(), Some(now + seconds(12)));
        attempt.handle_progress("a@b", now + seconds(11), NOW_US);
        assert_eq!(attempt.deadline(), Some(now + seconds(31)));
        attempt.handle_progress("a@b", now + seconds(15), NOW_US);
        assert_eq!(attempt.deadline(), Some(now + seconds(31)), "only the first ring counts");
    }
}
