//! The figures of a comparison, from what callers recorded.

use std::time::Duration;

use load_gen::campaign::{Figure, Measure};
use telemetry::{CallRecord, CallerClass, Outcome};

use super::Outcome as RunOutcome;

/// Attempts are counted in steps of this.
pub(crate) const STEP: Duration = Duration::from_secs(300);
/// Steps of an hour.
const HOUR: usize = 12;
/// A step in which a smaller share is routed is disturbed.
const USUAL: f64 = 0.97;

/// Emergency attempts of one run, by the step in which they began.
#[derive(Debug)]
pub(crate) struct Evidence {
    start_us: u64,
    /// Steps that are wholly inside the campaign.
    steps: usize,
    counts: Vec<Count>,
    /// The trunk groups of each figure; the first one is of all.
    choices: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Default)]
struct Count {
    steps: Vec<Step>,
    cut: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Step {
    attempts: u64,
    routed: u64,
}

/// A step in its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlacedStep {
    from: Duration,
    step: Step,
}

impl PlacedStep {
    /// Seconds from the start of the campaign to the middle of the step.
    pub(crate) fn middle(&self) -> f64 {
        (self.from + STEP / 2).as_secs_f64()
    }

    pub(crate) fn holds(&self, at: Duration) -> bool {
        (self.from..self.from + STEP).contains(&at)
    }

    pub(crate) const fn attempts(&self) -> u64 {
        self.step.attempts
    }

    /// `None` without an attempt.
    pub(crate) fn routed_share(&self) -> Option<f64> {
        share(self.step.routed, self.step.attempts)
    }
}

impl Evidence {
    /// Nothing so far, of a campaign that begins at `start_us`.
    pub(crate) fn new(figures: &[Figure], start_us: u64, duration: Duration) -> Self {
        let mut choices = vec![Vec::new()];
        for figure in figures {
            if !choices.contains(&figure.trunk_groups) {
                choices.push(figure.trunk_groups.clone());
            }
        }
        let steps = (duration.as_secs() / STEP.as_secs()) as usize;
        Self { start_us, steps, counts: vec![Count::default(); choices.len()], choices }
    }

    /// Takes the record of a generator.
    pub(crate) fn add(&mut self, record: &CallRecord) {
        if record.class != Some(CallerClass::Emergency) {
            return;
        }
        let since = Duration::from_micros(record.start_us.saturating_sub(self.start_us));
        let step = (since.as_secs() / STEP.as_secs()) as usize;
        let routed = record.ring_us.is_some() || record.answer_us.is_some();
        for (count, groups) in self.counts.iter_mut().zip(&self.choices) {
            let fits = |group: &String| groups.is_empty() || groups.contains(group);
            if !record.trunk_group.as_ref().is_none_or(fits) {
                continue;
            }
            if count.steps.len() <= step {
                count.steps.resize(step + 1, Step::default());
            }
            count.steps[step].attempts += 1;
            count.steps[step].routed += u64::from(routed);
            count.cut += u64::from(record.outcome == Outcome::Lost);
        }
    }

    fn of(&self, figure: &Figure) -> &Count {
        let place = self.choices.iter().position(|groups| *groups == figure.trunk_groups);
        &self.counts[place.unwrap_or_default()]
    }

    /// All emergency attempts in the steps that are wholly inside the campaign, up to the last one that has any.
    pub(crate) fn steps(&self) -> impl Iterator<Item = PlacedStep> {
        let steps = self.counts[0].steps.iter().take(self.steps);
        (0_u32..).zip(steps).map(|(number, step)| PlacedStep { from: STEP * number, step: *step })
    }
}

impl Count {
    fn sum(&self) -> Step {
        sum(&self.steps)
    }

    fn worst_hour(&self, steps: usize) -> Option<f64> {
        let inside = &self.steps[..steps.min(self.steps.len())];
        let shares = inside.windows(HOUR).filter_map(|hour| {
            let hour = sum(hour);
            share(hour.routed, hour.attempts)
        });
        shares.min_by(f64::total_cmp)
    }

    fn disturbed(&self, steps: usize) -> Duration {
        let is_disturbed =
            |step: &&Step| share(step.routed, step.attempts).is_some_and(|share| share < USUAL);
        let count = self.steps.iter().take(steps).filter(is_disturbed).count();
        STEP * u32::try_from(count).unwrap_or(u32::MAX)
    }
}

fn sum(steps: &[Step]) -> Step {
    steps.iter().fold(Step::default(), |sum, step| Step {
        attempts: sum.attempts + step.attempts,
        routed: sum.routed + step.routed,
    })
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A figure of one run, in words.
pub(crate) fn word(figure: &Figure, run: &RunOutcome) -> String {
    let count = run.evidence.of(figure);
    let Step { attempts, routed } = count.sum();
    let percent = |share: Option<f64>| {
        share.map_or_else(|| "-".to_owned(), |it| format!("{:.1} %", it * 100.0))
    };
    let rate = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), |it| format!("{it:.1}/s"));
    let minutes = |time: Option<Duration>| {
        time.map_or_else(|| "-".to_owned(), |time| format!("{:.0} min", time.as_secs_f64() / 60.0))
    };
    match figure.measure {
        Measure::Attempts => attempts.to_string(),
        Measure::Unrouted => (attempts - routed).to_string(),
        Measure::UnroutedShare => percent(share(attempts - routed, attempts)),
        Measure::WorstHourRouted => percent(count.worst_hour(run.evidence.steps)),
        Measure::Cut => count.cut.to_string(),
        Measure::Restarts => run.restarts.len().to_string(),
        Measure::SitesRestarted => {
            let mut sites: Vec<&str> = run.restarts.iter().map(|(_, site, _)| &site[..]).collect();
            sites.sort_unstable();
            sites.dedup();
            sites.len().to_string()
        }
        Measure::CommandsTimedOut => run.room.timed_out().to_string(),
        Measure::Disturbed => minutes(Some(count.disturbed(run.evidence.steps))),
        Measure::Detected => minutes(run.seconds_of(|report| report.detected_s)),
        Measure::Recovered => minutes(run.seconds_of(|report| report.recovered_s)),
        Measure::CallersReached => percent(run.summary.callers.emergency.success_share),
        Measure::OrdinaryReached => percent(run.summary.callers.ordinary.success_share),
        Measure::MostGoodput => rate(run.goodput.most_and_peak().map(|(most, _)| most)),
        Measure::PeakGoodput => rate(run.goodput.most_and_peak().map(|(_, peak)| peak)),
    }
}

impl RunOutcome {
    fn seconds_of(
        &self,
        pick: impl Fn(&operations::CrisisReport) -> Option<f64>,
    ) -> Option<Duration> {
        pick(self.room.crisis()?).filter(|seconds| *seconds >= 0.0).map(Duration::from_secs_f64)
    }
}
