//! What a connection has done so far: by this its task knows when it is overdue, and the box which one to close when it
//! needs room.

use std::cell::Cell;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::limits::SocketLimits;
use super::tcp_input::Cause;

/// Shared by the two halves of a connection and by its owner, all on one thread.
#[derive(Debug)]
pub(super) struct Progress {
    /// When a byte last went either way.
    last: Cell<Instant>,
    /// When a whole message last went either way; the beginning until then.
    carried: Cell<Instant>,
    is_used: Cell<bool>,
    /// When the message began that has not come whole yet.
    arriving: Cell<Option<Instant>>,
    /// When the message began that has not gone whole yet.
    leaving: Cell<Option<Instant>>,
    /// Requests of the peer without a final response.
    unanswered: Cell<usize>,
    /// Something began or ended that has a limit of its own.
    changed: Notify,
    answered: Notify,
}

impl Progress {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            last: Cell::new(now),
            carried: Cell::new(now),
            is_used: Cell::new(false),
            arriving: Cell::new(None),
            leaving: Cell::new(None),
            unanswered: Cell::new(0),
            changed: Notify::new(),
            answered: Notify::new(),
        }
    }

    /// Bytes have come.
    pub(super) fn read(&self) {
        self.last.set(Instant::now());
    }

    /// What began to come has come whole, and is no message.
    pub(super) fn arrived(&self) {
        self.arriving.set(None);
    }

    /// A whole message has come.
    pub(super) fn received(&self, message: &[u8]) {
        self.arrived();
        self.carry();
        // RFC 3261 §17: an ACK has no response.
        if !is_response(message) && !message.starts_with(b"ACK ") {
            self.unanswered.set(self.unanswered.get() + 1);
        }
    }

    /// All that could be cut from the bytes so far has been cut; the rest is the beginning of a message, or nothing.
    pub(super) fn cut(&self, is_inside_message: bool) {
        // More bytes of a message give it no more time.
        if is_inside_message && self.arriving.get().is_none() {
            self.arriving.set(Some(Instant::now()));
            self.changed.notify_one();
        }
    }

    /// A message begins to go.
    pub(super) fn sending(&self) {
        self.leaving.set(Some(Instant::now()));
        self.changed.notify_one();
    }

    /// It has gone whole.
    pub(super) fn sent(&self, message: &[u8]) {
        self.leaving.set(None);
        self.last.set(Instant::now());
        self.carry();
        if is_final_response(message) {
            self.unanswered.set(self.unanswered.get().saturating_sub(1));
            if !self.is_owing() {
                self.answered.notify_one();
            }
        }
    }

    fn carry(&self) {
        self.carried.set(Instant::now());
        self.is_used.set(true);
    }

    /// A message is partly written.
    pub(super) fn is_sending(&self) -> bool {
        self.leaving.get().is_some()
    }

    /// A whole message went either way.
    pub(super) fn is_used(&self) -> bool {
        self.is_used.get()
    }

    /// When a whole message last went either way; the beginning until then.
    pub(super) fn carried(&self) -> Instant {
        self.carried.get()
    }

    /// A request of the peer has no final response yet.
    pub(super) fn is_owing(&self) -> bool {
        self.unanswered.get() > 0
    }

    /// Completes when every request has its final response.
    pub(super) async fn settled(&self) {
        while self.is_owing() {
            self.answered.notified().await;
        }
    }

    /// Completes when the connection has taken longer for something than it may, and says for what.
    pub(super) async fn overdue(&self, limits: &SocketLimits) -> Cause {
        loop {
            let idle = if self.is_used() { limits.idle } else { limits.idle.min(limits.silent) };
            let dues = [
                Some((self.last.get() + idle, Cause::Idle)),
                self.arriving.get().map(|since| (since + limits.arrival, Cause::Unfinished)),
                self.leaving.get().map(|since| (since + limits.departure, Cause::Stalled)),
            ];
            let first = dues.into_iter().flatten().min_by_key(|(due, _)| *due);
            let (due, cause) = first.expect("there is always a limit for idleness");
            if due <= Instant::now() {
                return cause;
            }
            tokio::select! {
                () = sleep_until(due) => {}
                () = self.changed.notified() => {}
            }
        }
    }
}

fn is_response(message: &[u8]) -> bool {
    message.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
}

/// RFC 3261 §7.2: `SIP/2.0` and a status, which is provisional below 200.
fn is_final_response(message: &[u8]) -> bool {
    is_response(message) && message.get(8).is_some_and(|digit| *digit != b'1')
}
