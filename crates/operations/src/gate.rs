//! The gate behind a canary: what is counted while a site is observed, and whether the others follow.
//!
//! ```text
//!   begins           window           ends
//!     ├──────────────────┤
//!     │    ├──────────────────┤              the worst of all windows that lie inside,
//!     │              ├──────────────────┤    and of the whole
//!     ├─────────────────────────────────┤
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use crate::gate_measure::{CallCounts, GateCounts, GateIndicator, Measured};
use crate::operation::Canary;

/// A canary while it is observed.
#[derive(Debug)]
pub struct GateWatch {
    indicator: GateIndicator,
    min_attempts: u32,
    /// More is worse: the canary has no lower bound.
    bounded_above: bool,
    window: Duration,
    begun: Duration,
    first: GateCounts,
    last: GateCounts,
    /// Looks that a window may still begin with, and the last one.
    looks: VecDeque<(Duration, GateCounts)>,
    worst: Option<f64>,
}

impl GateWatch {
    /// The observation of `canary` begins at `at`, with what was counted until then. Windows are `window` long.
    #[must_use]
    pub fn new(canary: &Canary, window: Duration, at: Duration, counts: GateCounts) -> Self {
        Self {
            indicator: canary.indicator,
            min_attempts: canary.min_attempts,
            bounded_above: canary.min.is_none(),
            window,
            begun: at,
            first: counts,
            last: counts,
            looks: VecDeque::from([(at, counts)]),
            worst: None,
        }
    }

    /// What is counted by `at`.
    pub fn see(&mut self, at: Duration, counts: GateCounts) {
        self.last = counts;
        self.looks.push_back((at, counts));
        let Some(from) = at.checked_sub(self.window).filter(|from| *from >= self.begun) else {
            return;
        };
        while self.looks.get(1).is_some_and(|(next, _)| *next <= from) {
            self.looks.pop_front();
        }
        if let Some((_, earlier)) = self.looks.front() {
            self.worst = self.worse(self.worst, self.value(counts - *earlier));
        }
    }

    /// What has been seen so far.
    #[must_use]
    pub fn measured(&self) -> Measured {
        let counts = self.last - self.first;
        // Where the whole is too little to judge, a part of it is.
        let whole = self.value(counts);
        let value = whole.and_then(|whole| self.worse(self.worst, Some(whole)));
        Measured { value, counts }
    }

    fn value(&self, counts: GateCounts) -> Option<f64> {
        let least = self.min_attempts;
        let all = CallCounts {
            offered: counts.emergency.offered + counts.ordinary.offered,
            answered: counts.emergency.answered + counts.ordinary.answered,
        };
        match self.indicator {
            GateIndicator::SiteAsrVsOthers => {
                let others = counts.others.asr(least).filter(|others| *others > 0.0)?;
                Some(counts.site.asr(least)? / others)
            }
            GateIndicator::SiteAsr => counts.site.asr(least),
            // The sum over the whole time, which is never less than that of a window.
            GateIndicator::Restarts => Some(counts.restarts as f64),
            GateIndicator::Asr => all.asr(least),
            GateIndicator::EmergencyAsr => counts.emergency.asr(least),
            GateIndicator::OrdinaryAsr => counts.ordinary.asr(least),
        }
    }

    fn worse(&self, one: Option<f64>, other: Option<f64>) -> Option<f64> {
        match (one, other) {
            (Some(one), Some(other)) if self.bounded_above => Some(one.max(other)),
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}

impl Measured {
    /// What was seen of a canary, as a person tells it.
    pub(crate) fn sentence(&self, site: &str) -> String {
        let GateCounts { site: calls, others, restarts, .. } = self.counts;
        let share = |calls: CallCounts| {
            calls.asr(1).map_or_else(|| "-".to_owned(), |asr| format!("{:.1} %", asr * 100.0))
        };
        let times = if restarts == 1 { "restart" } else { "restarts" };
        format!(
            "canary {site}: {} calls, answered {} (others {}), {restarts} {times}",
            grouped(calls.offered),
            share(calls),
            share(others)
        )
    }
}

/// `1,204`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::operation;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn canary(keys: &str) -> Canary {
        let text = format!(
            "at = \"0\"\nsites = \"all\"\ncommands = [\"load r8\"]\n\
             canary = {{ observe = \"25m\"{keys} }}"
        );
        operation(&text).canary.expect("it has one")
    }

    fn calls(offered: u64, answered: u64) -> CallCounts {
        CallCounts { offered, answered }
    }

    /// Looks each 10 s for 25 minutes; `rate` gives what came between two looks.
    fn watch(canary: &Canary, rate: impl Fn(u64) -> GateCounts) -> Measured {
        let mut sum = GateCounts { site: calls(900, 100), restarts: 7, ..GateCounts::default() };
        let mut watch = GateWatch::new(canary, s(300), s(600), sum);
        for look in 1..=150 {
            let more = rate(look);
            let add = |to: &mut CallCounts, more: CallCounts| {
                to.offered += more.offered;
                to.answered += more.answered;
            };
            add(&mut sum.site, more.site);
            add(&mut sum.others, more.others);
            add(&mut sum.emergency, more.emergency);
            sum.restarts += more.restarts;
            watch.see(s(600 + 10 * look), sum);
        }
        watch.measured()
    }

    // Calls that the canary refuses are answered elsewhere: the network as a whole stays well.
    #[test]
    fn a_canary_that_refuses_is_found_by_default_although_the_pool_covers_for_it() {
        let masked = |_| GateCounts {
            site: calls(8, 6),
            others: calls(42, 41),
            emergency: calls(48, 47),
            ..GateCounts::default()
        };
        let by_default = canary("");
        assert_eq!(by_default.indicator, GateIndicator::SiteAsrVsOthers);
        let measured = watch(&by_default, masked);
        assert!(!by_default.passes(measured.value), "{measured:?}");
        let tight = canary(", min = 0.95");
        assert!(!tight.passes(watch(&tight, masked).value));
        let network = canary(", indicator = \"emergency_asr\", min = 0.95");
        assert!(network.passes(watch(&network, masked).value), "which shows nothing");
        let told = measured.sentence("alpha");
        assert_eq!(told, "canary alpha: 1,200 calls, answered 75.0 % (others 97.6 %), 0 restarts");
        let well = watch(&by_default, |_| GateCounts {
            site: calls(8, 8),
            others: calls(42, 41),
            ..GateCounts::default()
        });
        assert!(by_default.passes(well.value) && well.value > Some(1.0));
    }

    #[test]
    fn what_was_bad_for_a_while_is_remembered_at_the_end() {
        // Two bad minutes early on, and well for the rest of twenty-five.
        let early = |look: u64| GateCounts {
            site: calls(10, if (12..24).contains(&look) { 2 } else { 10 }),
            others: calls(50, 50),
            restarts: u64::from(look == 20 || look == 90),
            ..GateCounts::default()
        };
        let asr = canary(", indicator = \"site_asr\", min = 0.9");
        let measured = watch(&asr, early);
        assert!(measured.value < Some(0.75), "the worst five minutes: {measured:?}");
        assert!(
            measured.counts.site.answered as f64 / 1_500.0 > 0.9,
            "the whole would have passed"
        );
        let restarts = canary(", indicator = \"restarts\", max = 0");
        let measured = watch(&restarts, early);
        assert_eq!(measured.value, Some(2.0), "all of them, and none from before");
        assert!(!restarts.passes(measured.value));
        assert_eq!(measured.counts.restarts, 2);
    }

    #[test]
    fn a_canary_with_too_little_traffic_is_not_judged() {
        let few = |look: u64| GateCounts {
            site: calls(u64::from(look.is_multiple_of(2)), u64::from(look.is_multiple_of(2))),
            others: calls(50, 50),
            ..GateCounts::default()
        };
        let least = canary(", min_attempts = 76");
        assert_eq!(watch(&least, few).value, None, "75 calls");
        assert!(!least.passes(None));
        let least = canary(", min_attempts = 75");
        assert_eq!(watch(&least, few).value, Some(1.0));
        let alone = watch(&least, |_| GateCounts { site: calls(9, 9), ..GateCounts::default() });
        assert_eq!(alone.value, None, "with nobody to compare it to");
    }
}
