//! Non-INVITE server transaction — RFC 3261 §17.2.2, with RFC 4320.
//!
//! ```text
//!             request            200-699
//!   (start) ─────────► Trying ───────────► Completed ──J──► Terminated
//! ```
//!
//! RFC 4320 §4.1 leaves no use for provisional responses here, so there is no `Proceeding`.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::output::Output;
use crate::timer::{Running, Timers};

/// Answers one request other than INVITE and ACK; repeats the answer for its retransmissions.
#[derive(Debug)]
pub(super) struct Server {
    state: State,
    response: Bytes,
    reliable: bool,
    timers: Running<Timer>,
    config: Arc<Timers>,
}

impl Server {
    /// Enters `Trying`.
    pub(super) fn start(reliable: bool, config: impl Into<Arc<Timers>>, now: Instant) -> Self {
        let (config, mut timers) = (config.into(), Running::default());
        // The client gave up after Timer F; a TU that never answers must not hold the transaction
        // for ever.
        timers.set(Timer::Abandoned, now + config.give_up());
        Self { state: State::Trying, response: Bytes::new(), reliable, timers, config }
    }

    /// The TU answers with a final response. False if one has been sent already.
    pub(super) fn respond(&mut self, response: Bytes, now: Instant, out: &mut Vec<Output>) -> bool {
        if self.state != State::Trying {
            return false;
        }
        self.state = State::Completed;
        self.timers.clear();
        out.push(Output::Send(response.clone()));
        self.response = response;
        if self.reliable {
            self.terminate(out);
        } else {
            self.timers.set(Timer::J, now + self.config.give_up());
        }
        true
    }

    /// The request came again.
    pub(super) fn handle_retransmission(&self, out: &mut Vec<Output>) {
        if self.state == State::Completed {
            out.push(Output::Resend(self.response.clone()));
        }
    }

    /// Fires every timer due at `now`.
    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Output>) {
        while let Some(Timer::J | Timer::Abandoned) = self.timers.pop_due(now) {
            self.terminate(out);
        }
    }

    /// True if it only waits to be forgotten (timer J).
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
    Completed,
    Terminated,
}

/// `J` as in RFC 3261 table 4; `Abandoned` is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timer {
    J,
    Abandoned,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    // RFC 3261 §17.2.2: a retransmission gets the same response, for 64*T1.
    #[test]
    fn a_retransmission_gets_the_same_response() {
        let now = Instant::now();
        let (mut tx, mut out) = (Server::start(false, Timers::RFC3261, now), Vec::new());
        tx.handle_retransmission(&mut out);
        assert!(out.is_empty());
        assert!(tx.respond(Bytes::from_static(b"200"), now, &mut out));
        tx.handle_retransmission(&mut out);
        assert!(matches!(&out[..], [Output::Send(a), Output::Resend(b)] if a == b));
        assert_eq!(tx.poll_timeout(), Some(now + Duration::from_secs(32)));
        assert!(!tx.respond(Bytes::from_static(b"500"), now, &mut out));
    }

    // RFC 3261 §17.2.2: Timer J is zero on a reliable transport.
    #[test]
    fn a_reliable_transport_ends_at_once() {
        let now = Instant::now();
        let (mut tx, mut out) = (Server::start(true, Timers::RFC3261, now), Vec::new());
        tx.respond(Bytes::from_static(b"200"), now, &mut out);
        assert!(matches!(out[..], [Output::Send(_), Output::Terminate]));
    }
}
