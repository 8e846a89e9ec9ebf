//! INVITE server transaction — RFC 3261 §17.2.1, with the `Accepted` state of RFC 6026 §7.1.
//!
//! ```text
//!             INVITE              300-699              ACK
//!   (start) ─────────► Proceeding ───────► Completed ───────► Confirmed ──I──► Terminated
//!                       │  2xx              │ G: resend
//!                       ▼                   └ H: no ACK ─────────────────────► Terminated
//!                    Accepted ──L──► Terminated
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::output::Output;
use crate::timer::{Running, Timers};

/// Answers one INVITE; absorbs its retransmissions.
#[derive(Debug)]
pub(super) struct InviteServer {
    state: State,
    /// The last response sent.
    response: Bytes,
    reliable: bool,
    /// Current value of Timer G.
    resend_after: Duration,
    timers: Running<Timer>,
    config: Arc<Timers>,
}

impl InviteServer {
    /// Enters `Proceeding`. If the TU has sent nothing within 200 ms, a 100 is due (RFC 3261
    /// §17.2.1).
    pub(super) fn start(reliable: bool, config: impl Into<Arc<Timers>>, now: Instant) -> Self {
        let (config, mut timers) = (config.into(), Running::default());
        timers.set(Timer::Trying, now + Duration::from_millis(200));
        Self {
            state: State::Proceeding,
            response: Bytes::new(),
            reliable,
            resend_after: config.t1,
            timers,
            config,
        }
    }

    /// The TU answers. False if a final response has been sent already.
    pub(super) fn respond(
        &mut self,
        status: u16,
        response: Bytes,
        now: Instant,
        out: &mut Vec<Output>,
    ) -> bool {
        if self.state != State::Proceeding {
            return false;
        }
        self.timers.clear();
        out.push(Output::Send(response.clone()));
        match status {
            100..=199 => self.response = response,
            200..=299 => {
                // The TU retransmits the 2xx itself (RFC 3261 §13.3.1.4, RFC 6026 §7.1).
                self.state = State::Accepted;
                self.response = Bytes::new();
                self.timers.set(Timer::L, now + self.config.give_up());
            }
            _ => {
                self.state = State::Completed;
                self.response = response;
                if !self.reliable {
                    self.timers.set(Timer::G, now + self.config.t1);
                }
                self.timers.set(Timer::H, now + self.config.give_up());
            }
        }
        true
    }

    /// The INVITE came again.
    pub(super) fn handle_retransmission(&self, out: &mut Vec<Output>) {
        let answered = matches!(self.state, State::Proceeding | State::Completed);
        if answered && !self.response.is_empty() {
            out.push(Output::Resend(self.response.clone()));
        }
    }

    /// An ACK with the INVITE's branch. True if it was for our 300-699, false if the TU must see
    /// it.
    pub(super) fn handle_ack(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        match self.state {
            State::Completed => {
                self.timers.clear();
                self.response = Bytes::new();
                self.state = State::Confirmed;
                if self.reliable {
                    self.terminate(out);
                } else {
                    self.timers.set(Timer::I, now + self.config.t4);
                }
                true
            }
            State::Confirmed => true,
            // RFC 6026 §7.1: an ACK in Accepted is for the 2xx.
            State::Proceeding | State::Accepted | State::Terminated => false,
        }
    }

    /// Fires every timer due at `now`.
    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Output>) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Trying => out.push(Output::TryingDue),
                Timer::G => {
                    self.resend_after = (self.resend_after * 2).min(self.config.t2);
                    self.timers.set(Timer::G, now + self.resend_after);
                    out.push(Output::Resend(self.response.clone()));
                }
                Timer::H => {
                    out.push(Output::Timeout);
                    self.terminate(out);
                }
                Timer::I | Timer::L => self.terminate(out),
            }
        }
    }

    /// True while no final response has been sent: only then a CANCEL has an effect (RFC 3261
    /// §9.2).
    pub(super) fn is_pending(&self) -> bool {
        self.state == State::Proceeding
    }

    /// True if it only waits to be forgotten (timers I and L).
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Accepted | State::Confirmed)
    }

    /// When [`handle_timeout`](Self::handle_timeout) must next be called.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    fn terminate(&mut self, out: &mut Vec<Output>) {
        self.timers.clear();
        self.state = State::Terminated;
        out.push(Output::Terminate);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Proceeding,
    Completed,
    Confirmed,
    Accepted,
    Terminated,
}

/// Named as in RFC 3261 table 4 and RFC 6026; `Trying` has no letter there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timer {
    Trying,
    G,
    H,
    I,
    L,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::fixture::times;

    fn start(reliable: bool) -> (Instant, InviteServer) {
        let now = Instant::now();
        (now, InviteServer::start(reliable, Timers::RFC3261, now))
    }

    fn run(tx: &mut InviteServer, start: Instant, until_ms: u64) -> (Vec<u128>, Vec<Output>) {
        let (mut at, mut out) = (Vec::new(), Vec::new());
        let end = start + Duration::from_millis(until_ms);
        while let Some(due) = tx.poll_timeout().filter(|due| *due <= end) {
            let before = out.len();
            tx.handle_timeout(due, &mut out);
            let resent =
                out[before..].iter().filter(|out| matches!(out, Output::Resend(_))).count();
            at.extend(std::iter::repeat_n((due - start).as_millis(), resent));
        }
        (at, out)
    }

    // RFC 3261 §17.2.1: "MUST generate a 100 unless it knows that the TU will respond within 200
    // ms".
    #[test]
    fn trying_is_due_after_200_ms_unless_the_tu_has_answered() {
        let (now, mut tx) = start(false);
        let (_, out) = run(&mut tx, now, 200);
        assert!(matches!(out[..], [Output::TryingDue]));
        let (now, mut tx) = start(false);
        tx.respond(180, Bytes::from_static(b"180"), now, &mut Vec::new());
        assert!(run(&mut tx, now, 1_000).1.is_empty());
    }

    // RFC 3261 §17.2.1: Timer G doubles up to T2; Timer H gives up at 64*T1.
    #[test]
    fn a_rejection_is_resent_until_timer_h() {
        let (now, mut tx) = start(false);
        tx.respond(486, Bytes::from_static(b"486"), now, &mut Vec::new());
        let (at, out) = run(&mut tx, now, 40_000);
        let expected = times(&[0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]);
        assert_eq!(at, expected);
        assert!(matches!(out[..], [.., Output::Timeout, Output::Terminate]));
    }

    // RFC 3261 §17.2.1: the ACK moves to Confirmed, where Timer I absorbs more ACKs for T4.
    #[test]
    fn an_ack_ends_it_and_later_acks_are_absorbed() {
        let (now, mut tx) = start(false);
        let mut out = Vec::new();
        tx.respond(486, Bytes::from_static(b"486"), now, &mut out);
        assert!(tx.handle_ack(now, &mut out));
        assert!(tx.handle_ack(now, &mut out));
        assert_eq!(tx.poll_timeout(), Some(now + Duration::from_secs(5)));
    }

    // RFC 6026 §7.1: after a 2xx, INVITE retransmissions are absorbed until Timer L; the ACK goes
    // to the TU.
    #[test]
    fn accepted_absorbs_the_invite_and_passes_the_ack() {
        let (now, mut tx) = start(false);
        let mut out = Vec::new();
        tx.respond(200, Bytes::from_static(b"200"), now, &mut out);
        out.clear();
        tx.handle_retransmission(&mut out);
        assert!(out.is_empty());
        assert!(!tx.handle_ack(now, &mut out));
        let (at, out) = run(&mut tx, now, 32_000);
        assert!(at.is_empty() && matches!(out[..], [Output::Terminate]));
    }

    #[test]
    fn only_the_first_final_response_counts() {
        let (now, mut tx) = start(true);
        let mut out = Vec::new();
        assert!(tx.respond(200, Bytes::from_static(b"200"), now, &mut out));
        assert!(!tx.respond(486, Bytes::from_static(b"486"), now, &mut out));
    }
}
