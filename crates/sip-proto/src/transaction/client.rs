//! Non-INVITE client transaction — RFC 3261 §17.1.2.
//!
//! ```text
//!              request              1xx               200-699
//!   (start) ──────────► Trying ──────────► Proceeding ────────► Completed ──K──► Terminated
//!                         │  E: resend         │ E: resend every T2
//!                         └──── F: timeout ────┘
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::output::Output;
use crate::message::Response;
use crate::timer::{Running, Timers};

/// Sends one request other than INVITE and ACK and follows it to its final response.
#[derive(Debug)]
pub(super) struct Client {
    state: State,
    request: Bytes,
    reliable: bool,
    /// Current value of Timer E.
    resend_after: Duration,
    timers: Running<Timer>,
    config: Arc<Timers>,
}

impl Client {
    /// Enters `Trying` and sends `request`.
    pub(super) fn start(
        request: Bytes,
        reliable: bool,
        config: impl Into<Arc<Timers>>,
        now: Instant,
        out: &mut Vec<Output>,
    ) -> Self {
        let (config, mut timers) = (config.into(), Running::default());
        if !reliable {
            timers.set(Timer::E, now + config.t1);
        }
        timers.set(Timer::F, now + config.give_up());
        out.push(Output::Send(request.clone()));
        Self { state: State::Trying, request, reliable, resend_after: config.t1, timers, config }
    }

    /// Takes a response that matched this branch.
    pub(super) fn handle_response(
        &mut self,
        response: Response,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        match (self.state, response.status() / 100) {
            (State::Trying | State::Proceeding, 1) => {
                // Timers E and F go on (RFC 3261 §17.1.2.2).
                self.state = State::Proceeding;
                out.push(Output::Response(response));
            }
            (State::Trying | State::Proceeding, _) => {
                self.state = State::Completed;
                self.request = Bytes::new();
                self.timers.clear();
                out.push(Output::Response(response));
                if self.reliable {
                    self.terminate(out);
                } else {
                    self.timers.set(Timer::K, now + self.config.t4);
                }
            }
            // Retransmissions of the final response are absorbed.
            _ => {}
        }
    }

    /// Fires every timer due at `now`.
    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Output>) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::E => {
                    self.resend_after = match self.state {
                        State::Trying => (self.resend_after * 2).min(self.config.t2),
                        _ => self.config.t2,
                    };
                    self.timers.set(Timer::E, now + self.resend_after);
                    out.push(Output::Resend(self.request.clone()));
                }
                Timer::F => {
                    out.push(Output::Timeout);
                    self.terminate(out);
                }
                Timer::K => self.terminate(out),
            }
        }
    }

    /// The transport failed (RFC 3261 §17.1.4).
    pub(super) fn handle_unreachable(&mut self, out: &mut Vec<Output>) {
        if self.is_pending() {
            out.push(Output::Unreachable);
            self.terminate(out);
        }
    }

    /// True while no final response has come.
    pub(super) fn is_pending(&self) -> bool {
        matches!(self.state, State::Trying | State::Proceeding)
    }

    /// True while no response at all has come.
    pub(super) fn is_unanswered(&self) -> bool {
        self.state == State::Trying
    }

    pub(super) const fn request(&self) -> &Bytes {
        &self.request
    }

    /// True if it only waits to be forgotten (timer K).
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Completed
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
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

/// Named as in RFC 3261 table 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timer {
    E,
    F,
    K,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::fixture::{options, response_to, times};

    fn run(tx: &mut Client, start: Instant, until_ms: u64) -> (Vec<u128>, Vec<Output>) {
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

    fn start(reliable: bool) -> (Instant, Client) {
        let now = Instant::now();
        let tx =
            Client::start(options().to_bytes(), reliable, Timers::RFC3261, now, &mut Vec::new());
        (now, tx)
    }

    // RFC 3261 §17.1.2.2: Timer E doubles up to T2; Timer F ends it at 64*T1.
    #[test]
    fn unanswered_request_is_sent_eleven_times() {
        let (now, mut tx) = start(false);
        let (at, out) = run(&mut tx, now, 40_000);
        let resent = times(&[0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]);
        assert_eq!(at, resent);
        assert!(matches!(out[..], [.., Output::Timeout, Output::Terminate]));
    }

    // RFC 3261 §17.1.2.2: in Proceeding, Timer E is T2.
    #[test]
    fn a_provisional_response_slows_retransmission_to_t2() {
        let (now, mut tx) = start(false);
        tx.handle_response(response_to(&options(), 100), now, &mut Vec::new());
        let (at, _) = run(&mut tx, now, 10_000);
        assert_eq!(at, times(&[0.5, 4.5, 8.5]));
    }

    // RFC 3261 §17.1.2.2: Timer K absorbs retransmitted responses for T4; on TCP it is zero.
    #[test]
    fn a_second_final_response_is_absorbed() {
        let (now, mut tx) = start(false);
        let mut out = Vec::new();
        tx.handle_response(response_to(&options(), 200), now, &mut out);
        tx.handle_response(response_to(&options(), 200), now, &mut out);
        assert!(matches!(out[..], [Output::Response(_)]));
        assert_eq!(tx.poll_timeout(), Some(now + Duration::from_secs(5)));
        let (now, mut tx) = start(true);
        tx.handle_response(response_to(&options(), 200), now, &mut out);
        assert!(matches!(out[..], [.., Output::Response(_), Output::Terminate]));
    }
}
