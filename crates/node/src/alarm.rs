//! When a box is to be woken: as late as its deadlines allow, so that one wake serves many of them.
//!
//! ```text
//!            due        may be served so late
//!   ──────────┼──────────────────┼────►     a datagram in between wakes the box anyway: what is due is served with it,
//!             └── the timer rings here      and the timer is moved on before it rings
//! ```
//!
//! An interrupt of the timer costs some 20 µs of the processor on a virtual machine, ten times the wake by a datagram from a
//! neighbour on the same core.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::clock;
use crate::deadline_timer::{DeadlineStream, DeadlineTimer};

/// A timer that rings within this is moved when it need not ring yet; one that rings later may ring for nothing now and then.
const SOON: Duration = Duration::from_millis(2);

/// A box that was woken so shortly before is busy: others may wake it within its slack.
const BUSY: Duration = Duration::from_millis(2);

/// The timer of a box, and when it rings.
pub(crate) struct Alarm {
    timer: DeadlineTimer,
    armed: Option<Instant>,
    /// When the box was woken last, whatever for.
    woken: Instant,
}

impl Alarm {
    pub(crate) fn new() -> (Self, DeadlineStream) {
        let (timer, deadlines) = DeadlineTimer::new();
        (Self { timer, armed: None, woken: clock::now() }, deadlines)
    }

    /// It has rung.
    pub(crate) fn rang(&mut self) {
        self.armed = None;
    }

    /// Notes that the box is awake.
    pub(crate) fn awake(&mut self, now: Instant) {
        self.woken = now;
    }

    /// Makes it ring at `due`, or sooner where moving it would cost more.
    pub(crate) fn set(&mut self, now: Instant, due: Instant) {
        let must_move = self.armed.is_none_or(|armed| {
            due < armed || (due > armed && armed.saturating_duration_since(now) < SOON)
        });
        if must_move {
            self.armed = Some(due);
            self.timer.set(clock::real(due.saturating_duration_since(now)));
        }
    }

    /// When to be woken for what is due at `due` and whose lateness is measured: at once, unless the box is so busy that
    /// something else is likely to wake it within `slack`.
    pub(crate) fn punctual(&self, due: Instant, slack: Duration) -> Instant {
        let is_busy = due.saturating_duration_since(self.woken) < BUSY;
        if is_busy { due + slack } else { due }
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
    let ahead = (step - since % step) % step;
    due + Duration::from_nanos(ahead)
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

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

    #[tokio::test]
    async fn a_busy_box_is_woken_late_and_another_one_at_once() {
        let (mut alarm, _deadlines) = Alarm::new();
        let now = clock::now();
        alarm.awake(now);
        assert_eq!(alarm.punctual(now + MS, MS), now + 2 * MS);
        assert_eq!(alarm.punctual(now + 5 * MS, MS), now + 5 * MS);
    }

    #[tokio::test]
    async fn what_was_served_meanwhile_does_not_ring() {
        let (mut alarm, mut deadlines) = Alarm::new();
        let begun = clock::now();
        alarm.set(begun, begun + MS);
        alarm.set(begun, begun + 20 * MS);
        assert!(deadlines.next().await.is_some());
        assert!(clock::now() >= begun + 20 * MS);
        // One that is far away is left alone: when it rings, nobody is due, and that does no harm.
        alarm.rang();
        let begun = clock::now();
        alarm.set(begun, begun + 20 * MS);
        alarm.set(begun, begun + 60 * MS);
        assert_eq!(alarm.armed, Some(begun + 20 * MS));
    }
}
