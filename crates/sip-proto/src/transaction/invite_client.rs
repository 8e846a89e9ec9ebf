//! INVITE client transaction — RFC 3261 §17.1.1, with the `Accepted` state of RFC 6026 §7.2.
//!
//! ```text
//!              INVITE                1xx              2xx
//!   (start) ──────────► Calling ──────────► Proceeding ──────► Accepted ──M──► Terminated
//!                          │ A: resend          │ 300-699          ▲ 2xx: pass up
//!                          │ B: timeout         ▼                  │
//!                          └──────────────► Completed ──D──► Terminated
//! ```
//!
//! `Proceeding` has no timer: how long to let it ring is the transaction user's business.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::output::Output;
use crate::message::{Draft, Request, Response};
use crate::timer::{Running, Timers};

/// RFC 3261 table 4: "> 32s for UDP", however short T1 is, as the peer's T1 may be the usual one.
const MIN_TIMER_D: Duration = Duration::from_secs(32);

/// Sends one INVITE and follows it to its final response.
#[derive(Debug)]
pub(super) struct InviteClient {
    state: State,
    /// What is resent, and what ACK and CANCEL are made from.
    invite: Bytes,
    /// Built on the first 300-699, resent for every retransmission of it.
    ack: Option<Bytes>,
    reliable: bool,
    /// Current value of Timer A; doubles on each retransmission, without a cap.
    resend_after: Duration,
    timers: Running<Timer>,
    config: Arc<Timers>,
}

impl InviteClient {
    /// Enters `Calling` and sends `invite`.
    pub(super) fn start(
        invite: Bytes,
        reliable: bool,
        config: impl Into<Arc<Timers>>,
        now: Instant,
        out: &mut Vec<Output>,
    ) -> Self {
        let (config, mut timers) = (config.into(), Running::default());
        if !reliable {
            timers.set(Timer::A, now + config.t1);
        }
        timers.set(Timer::B, now + config.give_up());
        out.push(Output::Send(invite.clone()));
        Self {
            state: State::Calling,
            invite,
            ack: None,
            reliable,
            resend_after: config.t1,
            timers,
            config,
        }
    }

    /// Takes a response that matched this branch.
    pub(super) fn handle_response(
        &mut self,
        response: Response,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        match (self.state, response.status() / 100) {
            (State::Calling | State::Proceeding, 1) => {
                self.enter(State::Proceeding);
                out.push(Output::Response(response));
            }
            (State::Calling | State::Proceeding, 2) => {
                self.enter(State::Accepted);
                self.timers.set(Timer::M, now + self.config.give_up());
                // Only the TU acknowledges a 2xx, so nothing is made from the INVITE any more.
                self.invite = Bytes::new();
                out.push(Output::Response(response));
            }
            (State::Calling | State::Proceeding, _) => {
                if let Ok(invite) = Request::reread(std::mem::take(&mut self.invite)) {
                    let ack = Draft::ack_for(&invite, &response);
                    out.push(Output::Send(ack.clone()));
                    self.ack = Some(ack);
                }
                out.push(Output::Response(response));
                self.enter(State::Completed);
                if self.reliable {
                    self.terminate(out);
                } else {
                    let absorb = self.config.give_up().max(MIN_TIMER_D);
                    self.timers.set(Timer::D, now + absorb);
                }
            }
            // Forked 2xx: each one is a separate dialog, so the TU must see them all.
            (State::Accepted, 2) => out.push(Output::Response(response)),
            // Our ACK was lost. The TU already has this response.
            (State::Completed, 3..) => out.extend(self.ack.clone().map(Output::Send)),
            _ => {}
        }
    }

    /// Fires every timer due at `now`.
    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Output>) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::A => {
                    self.resend_after *= 2;
                    self.timers.set(Timer::A, now + self.resend_after);
                    out.push(Output::Resend(self.invite.clone()));
                }
                Timer::B => {
                    out.push(Output::Timeout);
                    self.terminate(out);
                }
                Timer::D | Timer::M => self.terminate(out),
            }
        }
    }

    /// The transport failed (RFC 3261 §17.1.4): only an INVITE without a response yet is lost by
    /// that.
    pub(super) fn handle_unreachable(&mut self, out: &mut Vec<Output>) {
        if self.is_unanswered() {
            out.push(Output::Unreachable);
            self.terminate(out);
        }
    }

    /// The INVITE, while a CANCEL or ACK may still have to be made from it.
    pub(super) const fn invite(&self) -> &Bytes {
        &self.invite
    }

    /// True once a provisional response came: RFC 3261 §9.1 allows no CANCEL before it.
    pub(super) fn is_proceeding(&self) -> bool {
        self.state == State::Proceeding
    }

    /// True while no response at all has come.
    pub(super) fn is_unanswered(&self) -> bool {
        self.state == State::Calling
    }

    /// True while no final response has come.
    pub(super) fn is_pending(&self) -> bool {
        matches!(self.state, State::Calling | State::Proceeding)
    }

    /// True if it only waits to be forgotten (timers D and M).
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Accepted | State::Completed)
    }

    /// When [`handle_timeout`](Self::handle_timeout) must next be called.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Timers belong to the state that set them, so leaving a state stops them.
    fn enter(&mut self, state: State) {
        self.timers.clear();
        self.state = state;
    }

    fn terminate(&mut self, out: &mut Vec<Output>) {
        self.enter(State::Terminated);
        out.push(Output::Terminate);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Calling,
    Proceeding,
    Completed,
    Accepted,
    Terminated,
}

/// Named as in RFC 3261 table 4 and RFC 6026.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timer {
    A,
    B,
    D,
    M,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::fixture::{invite, response_to, times};

    struct Fixture {
        start: Instant,
        now: Instant,
        tx: InviteClient,
        out: Vec<Output>,
        sent_at: Vec<u128>,
    }

    impl Fixture {
        fn start(reliable: bool) -> Self {
            let (now, mut out) = (Instant::now(), Vec::new());
            let tx =
                InviteClient::start(invite().to_bytes(), reliable, Timers::RFC3261, now, &mut out);
            Self { start: now, now, tx, out, sent_at: vec![0] }
        }

        /// Runs virtual time forward, firing timers on the way.
        fn advance(&mut self, ms: u64) {
            let end = self.now + Duration::from_millis(ms);
            while let Some(due) = self.tx.poll_timeout().filter(|due| *due <= end) {
                self.now = due;
                let before = self.out.len();
                self.tx.handle_timeout(due, &mut self.out);
                let resent =
                    self.out[before..].iter().filter(|out| matches!(out, Output::Resend(_)));
                let at = (due - self.start).as_millis();
                self.sent_at.extend(resent.map(|_| at));
            }
            self.now = end;
        }

        fn receive(&mut self, status: u16) -> Vec<Output> {
            self.out.clear();
            self.tx.handle_response(response_to(&invite(), status), self.now, &mut self.out);
            std::mem::take(&mut self.out)
        }
    }

    // RFC 3261 §17.1.1.2: "the request is retransmitted with intervals that double after each
    // transmission", without the cap of T2; at 64*T1 the TU is told of the timeout.
    #[test]
    fn unanswered_invite_is_sent_seven_times_and_then_times_out() {
        let mut f = Fixture::start(false);
        f.advance(31_999);
        assert_eq!(f.sent_at, times(&[0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]));
        f.advance(1);
        assert!(matches!(f.out[..], [.., Output::Timeout, Output::Terminate]));
        assert_eq!(f.tx.poll_timeout(), None);
    }

    // RFC 3261 §17.1.1.2: copies are identical, as they must hit the same server transaction.
    #[test]
    fn every_copy_is_the_same() {
        let mut f = Fixture::start(false);
        f.advance(8_000);
        let copies = f.out.iter().filter_map(|out| match out {
            Output::Send(bytes) | Output::Resend(bytes) => Some(bytes),
            _ => None,
        });
        assert!(
            copies.clone().count() == 5 && copies.clone().all(|copy| *copy == invite().to_bytes())
        );
    }

    // RFC 3261 §17.1.1.2: a provisional response stops retransmission.
    #[test]
    fn provisional_response_stops_retransmission() {
        let mut f = Fixture::start(false);
        f.receive(180);
        f.advance(600_000);
        assert_eq!(f.sent_at, [0]);
        assert!(f.out.is_empty());
    }

    // RFC 3261 §17.1.1.2: ACK each retransmitted 300-699 for at least 32 s, but pass it up only
    // once.
    #[test]
    fn rejection_is_acked_every_time_but_reported_once() {
        let mut f = Fixture::start(false);
        let first = f.receive(486);
        assert!(matches!(&first[..], [Output::Send(_), Output::Response(_)]));
        f.advance(31_999);
        let again = f.receive(486);
        assert!(matches!(&again[..], [Output::Send(_)]));
        f.advance(1);
        assert!(matches!(f.out[..], [Output::Terminate]));
    }

    // RFC 3261 table 4: Timer D does not shrink with T1.
    #[test]
    fn timer_d_is_at_least_32_s() {
        let config = Timers { t1: Duration::from_millis(50), ..Timers::RFC3261 };
        let (now, mut out) = (Instant::now(), Vec::new());
        let invite_bytes = invite().to_bytes();
        let mut tx = InviteClient::start(invite_bytes, false, config, now, &mut out);
        tx.handle_response(response_to(&invite(), 486), now, &mut out);
        assert_eq!(tx.poll_timeout(), Some(now + Duration::from_secs(32)));
    }

    // RFC 3261 §17.1.1.3: the ACK has the Via, From, Call-ID and CSeq number of the INVITE and the
    // To of the response.
    #[test]
    fn the_ack_is_made_from_invite_and_response() {
        let mut f = Fixture::start(false);
        let out = f.receive(486);
        let Output::Send(ack) = &out[0] else { panic!("no ACK in {out:?}") };
        let ack = Request::parse(ack.clone()).unwrap();
        assert_eq!(ack.method(), crate::message::Method::Ack);
        assert_eq!(ack.branch(), invite().branch());
        assert_eq!(ack.uri().as_str(), invite().uri().as_str());
        assert_eq!(ack.cseq().0, invite().cseq().0);
        assert_eq!(ack.to_tag(), Some("remote"));
    }

    // RFC 6026 §7.2: every 2xx is passed up while Accepted; none is acknowledged here. A late 1xx
    // is dropped.
    #[test]
    fn forked_answers_all_reach_the_tu() {
        let mut f = Fixture::start(false);
        for _ in 0..3 {
            assert!(matches!(&f.receive(200)[..], [Output::Response(_)]));
        }
        assert!(f.receive(180).is_empty());
        assert!(f.receive(486).is_empty());
        f.advance(32_000);
        assert!(matches!(f.out[..], [Output::Terminate]));
    }

    // RFC 3261 §17.1.1.2: on a reliable transport Timer A is not started and D is zero.
    #[test]
    fn reliable_transport_never_retransmits() {
        let mut f = Fixture::start(true);
        f.advance(31_000);
        assert_eq!(f.sent_at, [0]);
        assert!(matches!(&f.receive(503)[..], [.., Output::Terminate]));
    }

    // RFC 3261 §17.1.4.
    #[test]
    fn a_transport_error_is_reported_only_before_the_first_response() {
        let mut f = Fixture::start(true);
        f.receive(100);
        f.tx.handle_unreachable(&mut f.out);
        assert!(f.out.is_empty());
        let mut f = Fixture::start(true);
        f.tx.handle_unreachable(&mut f.out);
        assert!(matches!(f.out[..], [.., Output::Unreachable, Output::Terminate]));
    }
}
