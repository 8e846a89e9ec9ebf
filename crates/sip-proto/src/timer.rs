//! Time in the protocol: the base values of RFC 3261, and the timers of one machine.

use std::time::{Duration, Instant};

/// How long a proxy lets an INVITE go on without an answer, counted anew from each 101 to 199: more than three minutes (RFC 3261
/// §16.6 item 11, §16.8).
pub const TIMER_C: Duration = Duration::from_secs(185);

/// Base values (RFC 3261 §17.1.1.1, table 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// Round-trip estimate; every other timer follows from it.
    pub t1: Duration,
    /// Cap of the retransmission interval of non-INVITE requests and of responses.
    pub t2: Duration,
    /// How long a message may stay in the network.
    pub t4: Duration,
}

impl Timers {
    pub const RFC3261: Self = Self {
        t1: Duration::from_millis(500),
        t2: Duration::from_secs(4),
        t4: Duration::from_secs(5),
    };

    /// 64·T1: timers B, F, H, J, L and M, and how long a 2xx is retransmitted.
    #[must_use]
    pub const fn give_up(&self) -> Duration {
        self.t1.saturating_mul(64)
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self::RFC3261
    }
}

/// The timers of one state machine: at most two run at a time, so they stand inline.
#[derive(Debug, Clone)]
pub(crate) struct Running<T> {
    slots: [Option<(T, Instant)>; 2],
}

impl<T> Default for Running<T> {
    fn default() -> Self {
        Self { slots: [None, None] }
    }
}

impl<T: Copy + PartialEq> Running<T> {
    /// Starts or restarts a timer.
    pub(crate) fn set(&mut self, timer: T, due: Instant) {
        let same = |slot: &Option<(T, Instant)>| matches!(slot, Some((have, _)) if *have == timer);
        let at = self
            .slots
            .iter()
            .position(same)
            .or_else(|| self.slots.iter().position(Option::is_none));
        let slot =
            at.and_then(|at| self.slots.get_mut(at)).expect("no state runs more than two timers");
        *slot = Some((timer, due));
    }

    pub(crate) fn clear(&mut self) {
        self.slots = [None, None];
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.slots.iter().flatten().map(|(_, due)| *due).min()
    }

    /// Takes one timer that is due, the earliest first.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<T> {
        let slot = self
            .slots
            .iter_mut()
            .filter(|slot| matches!(slot, Some((_, due)) if *due <= now))
            .min_by_key(|slot| slot.as_ref().map(|(_, due)| *due))?;
        slot.take().map(|(timer, _)| timer)
    }
}
