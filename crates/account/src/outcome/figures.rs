//! The figures of a comparison, from what callers recorded.

use std::time::Duration;

use campaign::ComparedFigure;
use telemetry::{Attempt, AttemptReader, CallerClass, Outcome};

/// Attempts are counted in steps of this.
pub const STEP: Duration = Duration::from_secs(300);
/// Steps of an hour.
const HOUR: usize = 12;
/// A step in which a smaller share is routed is disturbed.
const USUAL: f64 = 0.97;

/// Emergency attempts of one run, by the step in which they began.
#[derive(Debug)]
pub struct AttemptsByStep {
    start_us: u64,
    /// Steps that are wholly inside the campaign.
    pub(super) steps: usize,
    counts: Vec<Count>,
    /// The trunk groups of each figure; the first one is of all.
    choices: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Count {
    steps: Vec<Step>,
    pub(super) cut: u64,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Step {
    pub(super) attempts: u64,
    pub(super) routed: u64,
}

/// A step in its place, or several that follow each other.
#[derive(Debug, Clone, Copy)]
pub struct PlacedStep {
    from: Duration,
    to: Duration,
    step: Step,
}

impl PlacedStep {
    /// Takes in the step that follows.
    fn absorb(&mut self, next: &Self) {
        self.to = next.to;
        self.step = sum(&[self.step, next.step]);
    }

    /// Seconds from the start of the campaign to the middle of the step.
    pub fn middle(&self) -> f64 {
        f64::midpoint(self.from.as_secs_f64(), self.to.as_secs_f64())
    }

    pub fn holds(&self, at: Duration) -> bool {
        (self.from..self.to).contains(&at)
    }

    pub const fn attempts(&self) -> u64 {
        self.step.attempts
    }

    /// `None` without an attempt.
    pub fn routed_share(&self) -> Option<f64> {
        share(self.step.routed, self.step.attempts)
    }
}

impl AttemptsByStep {
    /// Nothing so far, of a campaign that begins at `start_us`.
    pub fn new(figures: &[ComparedFigure], start_us: u64, duration: Duration) -> Self {
        let mut choices = vec![Vec::new()];
        for figure in figures {
            if !choices.contains(&figure.trunk_groups) {
                choices.push(figure.trunk_groups.clone());
            }
        }
        let steps = (duration.as_secs() / STEP.as_secs()) as usize;
        Self { start_us, steps, counts: vec![Count::default(); choices.len()], choices }
    }

    pub(super) fn of(&self, figure: &ComparedFigure) -> &Count {
        let place = self.choices.iter().position(|groups| *groups == figure.trunk_groups);
        &self.counts[place.unwrap_or_default()]
    }

    /// All emergency attempts in the steps that are wholly inside the campaign, up to the last one that has any.
    pub fn steps(&self) -> impl Iterator<Item = PlacedStep> {
        let steps = self.counts[0].steps.iter().take(self.steps);
        (0_u32..).zip(steps).map(|(number, step)| {
            let from = STEP * number;
            PlacedStep { from, to: from + STEP, step: *step }
        })
    }

    /// The same, put together until each has at least so many attempts, or none; the last ones belong to the step before.
    pub fn steps_of(&self, fewest: u64) -> Vec<PlacedStep> {
        let mut joined: Vec<PlacedStep> = Vec::new();
        for next in self.steps() {
            match joined.last_mut().filter(|last| (1..fewest).contains(&last.step.attempts)) {
                Some(last) => last.absorb(&next),
                None => joined.push(next),
            }
        }
        if let Some(last) = joined.pop_if(|last| (1..fewest).contains(&last.step.attempts)) {
            match joined.last_mut() {
                Some(before) => before.absorb(&last),
                None => joined.push(last),
            }
        }
        joined
    }
}

impl AttemptReader<'_> for AttemptsByStep {
    fn add(&mut self, attempt: &Attempt<'_>) {
        let Some(record) = attempt.caller() else { return };
        if record.class != Some(CallerClass::Emergency) {
            return;
        }
        let since = Duration::from_micros(record.start_us.saturating_sub(self.start_us));
        let step = (since.as_secs() / STEP.as_secs()) as usize;
        let routed = record.ring_us.is_some() || record.answer_us.is_some();
        for (count, groups) in self.counts.iter_mut().zip(&self.choices) {
            let fits = |group: &str| groups.is_empty() || groups.iter().any(|one| one == group);
            if !record.trunk_group.as_deref().is_none_or(fits) {
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
}

impl Count {
    pub(super) fn sum(&self) -> Step {
        sum(&self.steps)
    }

    pub(super) fn worst_hour(&self, steps: usize) -> Option<f64> {
        let inside = &self.steps[..steps.min(self.steps.len())];
        let shares = inside.windows(HOUR).filter_map(|hour| {
            let hour = sum(hour);
            share(hour.routed, hour.attempts)
        });
        shares.min_by(f64::total_cmp)
    }

    pub(super) fn disturbed(&self, steps: usize) -> Duration {
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

pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
