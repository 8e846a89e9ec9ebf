//! What supervision sees: figures in sliding windows, and alarms when they go out of bounds.
//!
//! ```text
//!   attempts, arrivals, restarts ──► Windows by number, département, site … ──► Watch, one for each rule ──► Alarm
//!                                └─► Series, by the minute
//! ```
//!
//! Figures are looked at once each `step`; a look at time *t* sees what happened in `[t - window, t)`.

mod alarm;
pub mod alertmanager;
mod attempt;
mod indicator;
mod rule_watch;
mod series;
mod settings;
#[cfg(test)]
mod tests;
pub mod usual;
mod window;

use std::collections::VecDeque;
use std::time::Duration;

pub use self::alarm::{Alarm, AlarmState};
pub use self::attempt::{ObservedAttempt, department};
pub use self::indicator::{By, Indicator};
pub use self::series::{Sample, SampleCounts};
pub use self::settings::{Bound, Rule, Severity, SupervisionSettings};
pub use self::usual::{UsualDay, UsualSource};

use self::rule_watch::{EvaluationTime, RuleWatch};
use self::series::SampleSeries;
use self::window::Windows;

/// The supervision of a network.
#[derive(Debug)]
pub struct Supervision {
    step: Duration,
    window: Duration,
    /// Steps of a window, and of the shortest baseline.
    length: u64,
    baseline: u64,
    /// Steps that are over and were looked at.
    looked: u64,
    views: Vec<WindowView>,
    watches: Vec<RuleWatch>,
    usual: Option<UsualDay>,
    changes: VecDeque<Alarm>,
    series: SampleSeries,
    /// A key while it is put together; kept for its memory.
    key: String,
}

/// Windows of one class of events, by one kind of key.
#[derive(Debug)]
struct WindowView {
    class: Class,
    by: By,
    windows: Windows,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Attempts,
    EmergencyAttempts,
    OrdinaryAttempts,
    Arrivals,
    Restarts,
}

/// Views that canaries may ask for, whatever the rules are.
const ALWAYS: [(Class, By); 5] = [
    (Class::Attempts, By::All),
    (Class::EmergencyAttempts, By::All),
    (Class::OrdinaryAttempts, By::All),
    (Class::Attempts, By::Site),
    (Class::Restarts, By::Site),
];

impl Supervision {
    /// Supervision that has seen nothing yet, at time zero of the campaign.
    #[must_use]
    pub fn new(settings: &SupervisionSettings) -> Self {
        let steps = |time: Duration| {
            let steps = time.as_nanos().div_ceil(settings.step.as_nanos().max(1));
            u64::try_from(steps).unwrap_or(u64::MAX)
        };
        let view = |(class, by)| WindowView { class, by, windows: Windows::default() };
        let mut views: Vec<WindowView> = ALWAYS.into_iter().map(view).collect();
        let usual = settings.usual_day.clone();
        let mut watches = Vec::new();
        for rule in &settings.rules {
            let (class, by) = (Class::of(rule.indicator), rule.by);
            let known = views.iter().position(|view| view.class == class && view.by == by);
            let place = known.unwrap_or_else(|| {
                views.push(view((class, by)));
                views.len() - 1
            });
            watches.push(RuleWatch::new(rule.clone(), place));
        }
        if let Some(usual) = &usual {
            // Calls may be missing at a PSAP from the first one on.
            for view in views.iter_mut().filter(|view| view.class == Class::Arrivals) {
                match view.by {
                    By::All => view.windows.know(""),
                    _ => usual.psaps().for_each(|psap| view.windows.know(psap)),
                }
            }
        }
        Self {
            step: settings.step,
            window: settings.window,
            length: steps(settings.window),
            baseline: steps(settings.baseline),
            looked: 0,
            views,
            watches,
            usual,
            changes: VecDeque::new(),
            series: SampleSeries::default(),
            key: String::new(),
        }
    }

    /// Counts an attempt whose fate is known: at its answer, or at its end when it had none.
    pub fn attempt_ended(&mut self, at: Duration, attempt: &ObservedAttempt<'_>) {
        self.advance(at);
        self.series.attempt(at, attempt);
        let Some(step) = self.step_of(at) else {
            return;
        };
        for view in &mut self.views {
            let counts = match view.class {
                Class::Attempts => true,
                Class::EmergencyAttempts => attempt.emergency,
                Class::OrdinaryAttempts => !attempt.emergency,
                Class::Arrivals | Class::Restarts => false,
            };
            if counts && let Some(key) = attempt.key(view.by, &mut self.key) {
                view.windows.add(key, step, attempt.answered);
            }
        }
    }

    /// Counts a call that arrives at `psap`, whatever becomes of it there.
    pub fn arrived(&mut self, at: Duration, psap: &str) {
        self.count(at, Class::Arrivals, psap);
    }

    /// Counts calls that a site was offered, and those of them that were answered there.
    pub fn site_took(&mut self, at: Duration, site: &str, offered: u64, answered: u64) {
        self.advance(at);
        let Some(step) = self.step_of(at) else {
            return;
        };
        let by_site = |view: &&mut WindowView| view.class == Class::Attempts && view.by == By::Site;
        for view in self.views.iter_mut().filter(by_site) {
            // An answer may come in a later step than its call.
            (0..offered.max(answered))
                .for_each(|call| view.windows.add(site, step, call < answered));
        }
    }

    /// Counts a restart of `site`.
    pub fn site_restarted(&mut self, at: Duration, site: &str) {
        self.count(at, Class::Restarts, site);
        self.series.restart(at);
    }

    /// Lets time pass, and looks at the figures at the end of each step.
    pub fn advance(&mut self, at: Duration) {
        while self.next_due().is_some_and(|due| due <= at) {
            self.looked += 1;
            self.look();
        }
    }

    /// The end of the step that is under way.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        self.end_of(self.looked + 1)
    }

    /// The next alarm that was raised or cleared, in the order of time, then of the rules, then of the keys.
    pub fn poll_change(&mut self) -> Option<Alarm> {
        self.changes.pop_front()
    }

    /// A figure of the window, for the gate of a canary; `None` with fewer than `min_attempts`
    /// attempts.
    ///
    /// [`Indicator::SiteAsr`] and [`Indicator::Restarts`] are those of `site`, all others those of
    /// the whole network. Arrivals have no figure here.
    #[must_use]
    pub fn indicator(
        &self,
        indicator: Indicator,
        site: Option<&str>,
        min_attempts: u32,
    ) -> Option<f64> {
        let (by, key) = match indicator {
            Indicator::SiteAsr | Indicator::Restarts => (By::Site, site?),
            Indicator::Arrivals => return None,
            _ => (By::All, ""),
        };
        let class = Class::of(indicator);
        let view = self.views.iter().find(|view| view.class == class && view.by == by)?;
        match (indicator, view.windows.get(key)) {
            (Indicator::Restarts, window) => Some(window.map_or(0.0, |w| w.attempts as f64)),
            (_, window) => window?.asr(min_attempts),
        }
    }

    /// Each minute in which something happened, in order.
    pub fn series(&self) -> impl Iterator<Item = &Sample> {
        self.series.samples()
    }

    fn count(&mut self, at: Duration, class: Class, name: &str) {
        self.advance(at);
        let Some(step) = self.step_of(at) else {
            return;
        };
        for view in self.views.iter_mut().filter(|view| view.class == class) {
            view.windows.add(if view.by == By::All { "" } else { name }, step, false);
        }
    }

    fn look(&mut self) {
        let from = self.looked.saturating_sub(self.length);
        for view in &mut self.views {
            view.windows.roll(from);
        }
        let look = EvaluationTime {
            at: self.end_of(self.looked).unwrap_or(Duration::MAX),
            step: self.looked,
            length: self.length,
            window: self.window,
            baseline: self.baseline,
        };
        for watch in &mut self.watches {
            let windows = &self.views[watch.view].windows;
            let usual = self.usual.as_ref();
            watch.look(windows, look, usual, &mut |alarm| self.changes.push_back(alarm));
        }
    }

    /// When so many steps are over. `None` beyond what a duration can hold.
    fn end_of(&self, steps: u64) -> Option<Duration> {
        let nanos = self.step.as_nanos().checked_mul(u128::from(steps))?;
        let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
        Some(Duration::new(seconds, (nanos % 1_000_000_000) as u32))
    }

    /// The step that `at` is in; `None` when the window has passed it already.
    fn step_of(&self, at: Duration) -> Option<u64> {
        let step = u64::try_from(at.as_nanos() / self.step.as_nanos().max(1)).ok()?;
        (step >= self.looked.saturating_sub(self.length)).then_some(step)
    }
}

impl Class {
    fn of(indicator: Indicator) -> Self {
        match indicator {
            Indicator::Asr | Indicator::SiteAsr => Self::Attempts,
            Indicator::EmergencyAsr => Self::EmergencyAttempts,
            Indicator::OrdinaryAsr => Self::OrdinaryAttempts,
            Indicator::Arrivals => Self::Arrivals,
            Indicator::Restarts => Self::Restarts,
        }
    }
}
