//! When the first emergency call was harmed, and since when none is any more.
//!
//! An attempt is harmed that the network refuses or leaves without an answer, and a call that is cut. A few of them are
//! usual; harm is a minute in which more than a share of the attempts are harmed. Where calls are few, the minute is as long
//! as the last [`FEWEST`] attempts.

use std::collections::VecDeque;
use std::time::Duration;

/// The time over which the share is taken.
const MINUTE: Duration = Duration::from_secs(60);
/// Of fewer attempts no share is taken.
const FEWEST: u64 = 20;

/// The section `[crisis.harm]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HarmSettings {
    /// Above this share of attempts it is harm.
    pub share: f64,
    /// And only with so many harmed in the minute.
    pub least: u64,
    /// When there was none for so long, it is over.
    pub over_after: Duration,
}

impl Default for HarmSettings {
    fn default() -> Self {
        Self { share: 0.05, least: 3, over_after: Duration::from_secs(15 * 60) }
    }
}

/// What became of emergency attempts between two looks.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Duration,
    attempts: u64,
    harmed: u64,
}

#[derive(Debug)]
pub(super) struct HarmWatch {
    settings: HarmSettings,
    recent: VecDeque<Look>,
    attempts: u64,
    harmed: u64,
    first: Option<Duration>,
    last: Duration,
}

impl HarmWatch {
    pub(super) const fn new(settings: HarmSettings) -> Self {
        Self {
            settings,
            recent: VecDeque::new(),
            attempts: 0,
            harmed: 0,
            first: None,
            last: Duration::ZERO,
        }
    }

    /// Takes what became of emergency attempts since the last look.
    pub(super) fn look(&mut self, at: Duration, attempts: u64, harmed: u64) {
        if attempts == 0 && harmed == 0 {
            return;
        }
        self.recent.push_back(Look { at, attempts, harmed });
        self.attempts += attempts;
        self.harmed += harmed;
        while let Some(oldest) = self.recent.front().copied()
            && oldest.at + MINUTE <= at
            && self.attempts - oldest.attempts >= FEWEST
        {
            self.recent.pop_front();
            self.attempts -= oldest.attempts;
            self.harmed -= oldest.harmed;
        }
        let bound = self.settings.share * self.attempts as f64;
        if self.harmed >= self.settings.least && self.harmed as f64 > bound {
            let began = self.recent.iter().find(|look| look.harmed > 0);
            if self.first.is_none() {
                self.first = began.map(|look| look.at);
            }
            self.last = at;
        }
    }

    /// When the first call was harmed.
    pub(super) const fn first(&self) -> Option<Duration> {
        self.first
    }

    /// Since when there is no harm any more, once that has lasted long enough to believe it.
    pub(super) fn over(&self, at: Duration) -> Option<Duration> {
        self.first.filter(|_| at >= self.last + self.settings.over_after).map(|_| self.last)
    }

    /// When it will be over, if nothing happens until then.
    pub(super) fn over_due(&self) -> Option<Duration> {
        self.first.map(|_| self.last + self.settings.over_after)
    }

    /// Whether calls are being harmed, as far as is known.
    pub(super) fn lasts(&self, at: Duration) -> bool {
        self.first.is_some() && self.over(at).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn harm_begins_with_the_first_failure_of_a_bad_minute_and_ends_with_the_last() {
        let mut harm = HarmWatch::new(HarmSettings::default());
        // 40 attempts in ten seconds, one of them in 100 fails: as usual.
        for step in 0..30 {
            harm.look(s(10 * step), 40, u64::from(step % 3 == 0));
        }
        assert_eq!(harm.first(), None);
        // A quarter fails from 310 s to 400 s.
        for step in 30..41 {
            harm.look(s(10 * step), 40, if step == 30 { 0 } else { 10 });
        }
        let first = harm.first().expect("harm");
        assert!((s(270)..=s(310)).contains(&first), "{first:?}");
        for step in 41..200 {
            harm.look(s(10 * step), 40, 0);
        }
        let over = harm.over(s(1_990)).expect("it is over");
        assert!((s(400)..s(470)).contains(&over), "{over:?}");
        assert_eq!(harm.over(s(1_300)), None);
        assert!(harm.lasts(s(1_300)) && !harm.lasts(s(1_990)));
    }

    #[test]
    fn few_calls_are_enough_if_all_of_them_fail() {
        let mut harm = HarmWatch::new(HarmSettings::default());
        for minute in 0..40 {
            harm.look(s(120 * minute), 1, u64::from(minute >= 20));
        }
        assert_eq!(harm.first(), Some(s(2_400)));
        let mut quiet = HarmWatch::new(HarmSettings::default());
        (0..40).for_each(|minute| quiet.look(s(120 * minute), 1, u64::from(minute == 20)));
        assert_eq!((quiet.first(), quiet.over(s(9_999))), (None, None));
    }
}
