//! Finding the cause: work that goes faster with clear evidence and more people.

use std::collections::BTreeSet;
use std::time::Duration;

use super::settings::DiagnosisSettings;

/// The work on the cause.
#[derive(Debug)]
pub(super) struct Diagnosis {
    settings: DiagnosisSettings,
    /// What is left of it, at full pace.
    left: Duration,
    /// Until when it is accounted for; `None` before it begins.
    worked_until: Option<Duration>,
    /// Sites that operators touched, and sites that have restarted since.
    commanded: BTreeSet<String>,
    restarted: BTreeSet<String>,
    machines_down: bool,
}

impl Diagnosis {
    pub(super) fn new(settings: DiagnosisSettings, work: Duration) -> Self {
        Self {
            settings,
            left: work,
            worked_until: None,
            commanded: BTreeSet::new(),
            restarted: BTreeSet::new(),
            machines_down: false,
        }
    }

    /// What operators did before the cause was looked for is what it is looked for in.
    pub(super) fn commanded(&mut self, site: &str) {
        if self.worked_until.is_none() {
            self.commanded.insert(site.to_owned());
        }
    }

    pub(super) fn restarted(&mut self, site: &str) {
        self.restarted.insert(site.to_owned());
    }

    pub(super) const fn machine_down(&mut self) {
        self.machines_down = true;
    }

    /// Begins, unless it has begun.
    pub(super) const fn begin(&mut self, at: Duration) {
        if self.worked_until.is_none() {
            self.worked_until = Some(at);
        }
    }

    /// Goes on until `at`.
    pub(super) fn advance(&mut self, at: Duration, is_cell_at_work: bool) {
        let Some(from) = self.worked_until.filter(|from| *from < at) else { return };
        let done = (at - from).mul_f64(self.pace(is_cell_at_work));
        self.left = self.left.saturating_sub(done);
        self.worked_until = Some(at);
    }

    /// When the cause is known, if all stays as it is.
    pub(super) fn due(&self, is_cell_at_work: bool) -> Option<Duration> {
        Some(self.worked_until? + self.left.div_f64(self.pace(is_cell_at_work)))
    }

    fn pace(&self, is_cell_at_work: bool) -> f64 {
        let clear = if self.is_clear() { 1.0 } else { self.settings.unclear };
        clear * if is_cell_at_work { 1.0 } else { self.settings.alone }
    }

    /// Every site that was touched restarts, or a machine is seen to be down without anybody's command.
    fn is_clear(&self) -> bool {
        match self.commanded.is_empty() {
            true => self.machines_down || !self.restarted.is_empty(),
            false => self.commanded.is_subset(&self.restarted),
        }
    }
}

#[cfg(test)]
mod tests {
    use topology::Distribution;

    use super::*;

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    #[test]
    fn it_takes_longer_alone_and_in_the_dark() {
        let work = Distribution::Fixed(minutes(60));
        let settings = DiagnosisSettings { work, unclear: 0.5, alone: 0.5 };
        let mut diagnosis = Diagnosis::new(settings, minutes(60));
        diagnosis.commanded("alpha");
        diagnosis.commanded("beta");
        diagnosis.restarted("alpha");
        assert_eq!(diagnosis.due(true), None, "nobody has begun");
        diagnosis.begin(minutes(10));
        // What is tried from now on is no cause.
        diagnosis.commanded("gamma");
        assert_eq!(diagnosis.due(false), Some(minutes(250)));
        diagnosis.advance(minutes(50), false);
        assert_eq!(diagnosis.due(true), Some(minutes(150)));
        diagnosis.advance(minutes(70), true);
        diagnosis.restarted("beta");
        assert_eq!(diagnosis.due(true), Some(minutes(110)), "40 of 60 minutes are left");
    }
}
