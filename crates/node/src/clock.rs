//! The one clock of a process. It may run faster than the wall's: then a campaign of an evening takes minutes on real
//! sockets, and every timer of every box goes as much faster. Only what the machine itself takes does not.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

static CLOCK: OnceLock<Clock> = OnceLock::new();

/// How the time of this process follows from the machine's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// Seconds of this clock in one second.
    factor: f64,
    /// When both clocks showed the same: on the machine's monotonic clock, and as Unix time.
    instant: Instant,
    unix: Duration,
}

impl Clock {
    /// A clock that is `factor` times as fast since the Unix time `since`, which all processes of a run share.
    #[must_use]
    pub fn new(factor: f64, since: Duration) -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Instant::now();
        // A machine that has just started cannot show its time that long ago.
        let instant = now.checked_sub(unix.saturating_sub(since)).unwrap_or(now);
        Self { factor, instant, unix: since }
    }

    fn shown(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.instant).mul_f64(self.factor)
    }
}

/// One moment on both clocks, from which a node can date what it records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallStart {
    pub now: Instant,
    /// Time since 1 January 1970 UTC.
    pub unix: Duration,
}

impl WallStart {
    /// Reads both clocks.
    #[must_use]
    pub fn read() -> Self {
        Self { now: now(), unix: unix() }
    }
}

/// Makes this the clock of the process. To be called before anything reads it; the first call counts.
pub fn set_clock(clock: Clock) {
    let _ = CLOCK.set(clock);
}

/// Now, by the clock of this process.
#[must_use]
pub fn now() -> Instant {
    let now = Instant::now();
    CLOCK.get().map_or(now, |clock| clock.instant + clock.shown(now))
}

/// Unix time by the clock of this process.
#[must_use]
pub fn unix() -> Duration {
    match CLOCK.get() {
        Some(clock) => clock.unix + clock.shown(Instant::now()),
        None => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
    }
}

/// How long the machine takes for a time by the clock of this process.
#[must_use]
pub fn real(time: Duration) -> Duration {
    match CLOCK.get() {
        Some(clock) => {
            Duration::try_from_secs_f64(time.as_secs_f64() / clock.factor).unwrap_or(Duration::MAX)
        }
        None => time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_shows_more_time_than_has_passed() {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let clock = Clock::new(20.0, since);
        let shown = clock.shown(clock.instant + Duration::from_secs(3));
        assert_eq!(shown, Duration::from_secs(60));
    }
}
