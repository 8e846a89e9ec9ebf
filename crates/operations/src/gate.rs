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
use std::fmt;
use std::ops::Sub;
use std::time::Duration;

use topology::reader::{Raw, kind};

use crate::operation::Canary;

/// What a gate judges by. Whatever it is, a canary that restarts more often than it may does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GateIndicator {
    /// Answer seizure ratio of the calls that the canary was given, as a share of that of all other sites: 1 is as well as they.
    /// What the pool as a whole hides, because calls that the canary refuses are answered elsewhere, shows here.
    SiteAsrVsOthers,
    /// Answer seizure ratio of the calls that the canary was given.
    SiteAsr,
    /// How often the canary restarted while it was observed.
    Restarts,
    /// Answer seizure ratio of all attempts in the network.
    Asr,
    /// The same of attempts to emergency numbers.
    EmergencyAsr,
    /// The same of all other attempts.
    OrdinaryAsr,
}

const INDICATORS: [(&str, Option<GateIndicator>); 7] = [
    ("site_asr_vs_others", Some(GateIndicator::SiteAsrVsOthers)),
    ("site_asr", Some(GateIndicator::SiteAsr)),
    ("restarts", Some(GateIndicator::Restarts)),
    ("asr", Some(GateIndicator::Asr)),
    ("emergency_asr", Some(GateIndicator::EmergencyAsr)),
    ("ordinary_asr", Some(GateIndicator::OrdinaryAsr)),
    ("arrivals", None),
];

impl GateIndicator {
    pub(crate) fn kind(raw: Raw<'_>) -> Result<Self, String> {
        kind::choice(&INDICATORS)(raw)?.ok_or_else(|| {
            "cannot judge a canary: arrivals belong to a PSAP, not to a site".to_owned()
        })
    }

    /// A bound in the unit of this indicator: a share, or a number of restarts.
    pub(crate) fn bound(self, raw: Raw<'_>) -> Result<f64, String> {
        match self {
            Self::Restarts => kind::number(0.0..=1_000_000.0)(raw),
            _ => kind::share(raw),
        }
    }
}

impl fmt::Display for GateIndicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = INDICATORS.iter().find(|(_, indicator)| *indicator == Some(*self));
        f.write_str(named.map(|(name, _)| *name).expect("the table names every indicator"))
    }
}

/// Calls, and those of them that were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCounts {
    pub offered: u64,
    pub answered: u64,
}

impl CallCounts {
    /// Answer seizure ratio, once there are `least` calls.
    fn asr(self, least: u32) -> Option<f64> {
        let enough = self.offered >= u64::from(least.max(1));
        enough.then(|| self.answered as f64 / self.offered as f64)
    }
}

impl Sub for CallCounts {
    type Output = Self;

    /// What came after `earlier`. A machine that was lost and replaced counts anew.
    fn sub(self, earlier: Self) -> Self {
        Self {
            offered: self.offered.saturating_sub(earlier.offered),
            answered: self.answered.saturating_sub(earlier.answered),
        }
    }
}

/// What was counted since the start of the campaign, as a gate looks at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GateCounts {
    /// At the canary.
    pub site: CallCounts,
    pub restarts: u64,
    /// At all other sites together.
    pub others: CallCounts,
    /// By callers, whichever site they came to.
    pub emergency: CallCounts,
    pub ordinary: CallCounts,
}

impl Sub for GateCounts {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            site: self.site - earlier.site,
            restarts: self.restarts.saturating_sub(earlier.restarts),
            others: self.others - earlier.others,
            emergency: self.emergency - earlier.emergency,
            ordinary: self.ordinary - earlier.ordinary,
        }
    }
}

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

/// What was seen of a canary when the gate is to decide.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measured {
    /// The worst value of the indicator; `None`: too little to judge.
    pub value: Option<f64>,
    /// What was counted while it was observed.
    pub counts: GateCounts,
}

impl From<Option<f64>> for Measured {
    fn from(value: Option<f64>) -> Self {
        Self { value, ..Self::default() }
    }
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
