//! When a box is to be woken: as late as its deadlines allow, so that one wake serves many of them.
//!
//! ```text
//!   step          step          step          step        of 0.8, 1 or 4 ms, the same for all boxes of a process
//!    │   due  due  │             │     due     │
//!    ┼────┴────┴──►┼─────────────┼──────┴─────►┼──►       all that is due is served at the next step
//! ```
//!
//! What is served together is answered together: who spreads it has more wakes later on, by the answers.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::clock;
use crate::deadline_timer::{DeadlineStream, DeadlineTimer};

/// What is to be punctual may share a wake with what follows so soon.
const PUNCTUAL_STEP: Duration = Duration::from_micros(800);

/// A box with nothing to be punctual about for so long is not busy: nothing follows that could share a wake.
const IDLE: Duration = Duration::from_millis(2);

/// The timer of a box, and when it rings.
pub(crate) struct Alarm {
    timer: DeadlineTimer,
    armed: Option<Instant>,
}

impl Alarm {
    pub(crate) fn new() -> (Self, DeadlineStream) {
        let (timer, deadlines) = DeadlineTimer::new();
        (Self { timer, armed: None }, deadlines)
    }

    /// It has rung.
    pub(crate) fn rang(&mut self) {
        self.armed = None;
    }

    /// Makes it ring at `due`, or earlier: that does no harm, and costs less than moving it.
    pub(crate) fn set(&mut self, now: Instant, due: Instant) {
        if self.armed.is_none_or(|armed| due < armed) {
            self.armed = Some(due);
            self.timer.set(clock::real(due.saturating_duration_since(now)));
        }
    }
}

/// The first whole step that is not before `due`. All boxes of a process count the steps from the same moment, so deadlines
/// close to each other share one wake.
pub(crate) fn step_after(due: Instant, step: Duration) -> Instant {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let begun = *BEGUN.get_or_init(clock::now);
    let since = due.saturating_duration_since(begun).as_nanos();
    // Numbers of 64 bits bear five centuries, and are divided at once.
    let Ok(since) = u64::try_from(since) else { return due };
    let step = u64::try_from(step.as_nanos()).unwrap_or(u64::MAX).max(1);
    due + Duration::from_nanos((step - since % step) % step)
}

/// When to be woken for what is due at `due` and whose lateness is measured.
pub(crate) fn punctual(now: Instant, due: Instant) -> Instant {
    let is_idle = due.saturating_duration_since(now) >= IDLE;
    if is_idle { due } else { step_after(due, PUNCTUAL_STEP) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn steps_are_the_same_for_all_boxes() {
        let due = clock::now() + MS;
        let step = step_after(due, MS);
        assert!(step >= due && step < due + MS);
        assert_eq!(step_after(step, MS), step);
        assert_eq!(step_after(due + (step - due) / 2, MS), step);
    }

    #[test]
    fn a_box_that_is_not_busy_is_woken_when_something_is_due() {
        let now = clock::now();
        assert_eq!(punctual(now, now + 5 * MS), now + 5 * MS);
        let soon = punctual(now, now + MS);
        assert_eq!(soon, step_after(now + MS, PUNCTUAL_STEP));
    }

    #[tokio::test]
    async fn the_alarm_is_moved_for_what_is_earlier_only() {
        let (mut alarm, _deadlines) = Alarm::new();
        let now = clock::now();
        alarm.set(now, now + 20 * MS);
        alarm.set(now, now + 60 * MS);
        assert_eq!(alarm.armed, Some(now + 20 * MS));
        alarm.set(now, now + MS);
        assert_eq!(alarm.armed, Some(now + MS));
        alarm.rang();
        alarm.set(now, now + 60 * MS);
        assert_eq!(alarm.armed, Some(now + 60 * MS));
    }
}
