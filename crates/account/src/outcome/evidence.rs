//! What the figures of a comparison are made of: attempts, arrivals and people, each as its figure selects them.

use std::ops::Range;
use std::time::Duration;

use campaign::{Campaign, Selection};
use operations::supervision::department;
use telemetry::{Attempt, AttemptReader, CallerClass, Entry, Outcome};

use crate::summary::{Caller, HarmCounts, People};

/// Attempts are counted in steps of this.
pub const STEP: Duration = Duration::from_secs(300);
/// Steps of an hour.
const HOUR: usize = 12;

/// Emergency callers and their attempts in one run, once for each selection of a figure.
#[derive(Debug)]
pub struct Evidence {
    start_us: u64,
    /// Steps that are wholly inside the campaign.
    steps: usize,
    /// The first one is of all.
    choices: Vec<Choice>,
}

/// What one selection comes to.
#[derive(Debug)]
struct Choice {
    selection: Selection,
    /// Its window in Unix microseconds; `None`: all that comes.
    span: Option<Range<u64>>,
    count: Count,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Count {
    sum: Step,
    steps: Vec<Step>,
    /// The steps that are wholly inside campaign and window.
    whole: Range<usize>,
    pub(super) cut: u64,
    pub(super) arrivals: u64,
    pub(super) people: HarmCounts,
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

impl Evidence {
    /// Nothing so far, of a campaign that begins at `start_us`.
    pub fn new(campaign: &Campaign, start_us: u64) -> Self {
        let steps = (campaign.duration().as_secs() / STEP.as_secs()) as usize;
        let mut choices = vec![Choice::new(Selection::default(), campaign, start_us, steps)];
        for figure in &campaign.figures {
            if !choices.iter().any(|one| one.selection == figure.selection) {
                choices.push(Choice::new(figure.selection.clone(), campaign, start_us, steps));
            }
        }
        Self { start_us, steps, choices }
    }

    pub(super) fn of(&self, selection: &Selection) -> &Count {
        let chosen = self.choices.iter().find(|one| one.selection == *selection);
        &chosen.unwrap_or(&self.choices[0]).count
    }

    /// All attempts have been read: counts the people behind them.
    pub fn count_people(&mut self, people: &People) {
        for person in people.emergency() {
            for choice in self.choices.iter_mut().filter(|one| one.takes_person(person)) {
                choice.count.people.add_person(person);
            }
        }
    }

    /// All emergency attempts in the steps that are wholly inside the campaign, up to the last one that has any.
    pub fn steps(&self) -> impl Iterator<Item = PlacedStep> {
        let steps = self.choices[0].count.steps.iter();
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

impl AttemptReader for Evidence {
    fn add(&mut self, attempt: &Attempt<'_>) {
        let Some(record) = attempt.caller() else { return };
        if record.class != Some(CallerClass::Emergency) {
            return;
        }
        let since = Duration::from_micros(record.start_us.saturating_sub(self.start_us));
        let step = (since.as_secs() / STEP.as_secs()) as usize;
        let step = Some(step).filter(|step| *step < self.steps);
        for choice in &mut self.choices {
            if !choice.takes(record) {
                continue;
            }
            if choice.takes_time(record.start_us) {
                choice.count.add(record, step);
            }
            let arrived = attempt.arrivals().filter(|call| {
                choice.takes_time(call.start_us) && fits(&choice.selection.psaps, Some(call.psap))
            });
            choice.count.arrivals += arrived.count() as u64;
        }
    }
}

impl Choice {
    fn new(selection: Selection, campaign: &Campaign, start_us: u64, steps: usize) -> Self {
        let (begins, duration) = (campaign.begins, campaign.duration());
        // One that has nothing of the campaign is refused where it is read.
        let inside = selection.window.map(|window| {
            window.within(begins, duration).unwrap_or(Duration::ZERO..Duration::ZERO)
        });
        let us = |at: Duration| {
            start_us.saturating_add(u64::try_from(at.as_micros()).unwrap_or(u64::MAX))
        };
        let whole = inside.as_ref().map_or(0..steps, |span| {
            let step = STEP.as_secs();
            let first = span.start.as_secs().div_ceil(step) as usize;
            first..((span.end.as_secs() / step) as usize).clamp(first, steps.max(first))
        });
        let count = Count { whole, ..Count::default() };
        let span = inside.map(|span| us(span.start)..us(span.end));
        Self { selection, span, count }
    }

    fn takes_time(&self, at_us: u64) -> bool {
        self.span.as_ref().is_none_or(|span| span.contains(&at_us))
    }

    /// Whether it is made of attempts like this one, whenever they come.
    fn takes(&self, record: &Entry<'_>) -> bool {
        let Selection { trunk_groups, departments, numbers, .. } = &self.selection;
        // A caller who names no trunk group is counted with each.
        (record.trunk_group.is_none() || fits(trunk_groups, record.trunk_group.as_deref()))
            && fits(numbers, Some(&record.number))
            && (departments.is_empty()
                || fits(departments, Some(department(record.commune.as_deref()))))
    }

    fn takes_person(&self, person: Caller<'_>) -> bool {
        let Selection { trunk_groups, departments, numbers, .. } = &self.selection;
        self.takes_time(person.first_us())
            && fits(trunk_groups, Some(person.trunk_group()))
            && fits(numbers, Some(person.number()))
            && fits(departments, Some(person.department()))
    }
}

/// Whether somebody who asks for these gets that.
fn fits(wanted: &[String], name: Option<&str>) -> bool {
    wanted.is_empty() || name.is_some_and(|name| wanted.iter().any(|one| one == name))
}

impl Count {
    fn add(&mut self, record: &Entry<'_>, step: Option<usize>) {
        let routed = u64::from(record.ring_us.is_some() || record.answer_us.is_some());
        self.sum.attempts += 1;
        self.sum.routed += routed;
        self.cut += u64::from(record.outcome == Outcome::Lost);
        let Some(step) = step else { return };
        if self.steps.len() <= step {
            self.steps.resize(step + 1, Step::default());
        }
        self.steps[step].attempts += 1;
        self.steps[step].routed += routed;
    }

    pub(super) const fn sum(&self) -> Step {
        self.sum
    }

    /// Those that are wholly inside, each with its number.
    fn whole_steps(&self) -> impl Iterator<Item = (usize, &Step)> {
        let Range { start, end } = self.whole;
        self.steps.iter().enumerate().take(end).skip(start)
    }

    pub(super) fn worst_hour(&self) -> Option<f64> {
        let inside: Vec<Step> = self.whole_steps().map(|(_, step)| *step).collect();
        let shares = inside.windows(HOUR).filter_map(|hour| {
            let hour = sum(hour);
            share(hour.routed, hour.attempts)
        });
        shares.min_by(f64::total_cmp)
    }

    /// The numbers of the steps in which a smaller share than usual was routed.
    pub(super) fn disturbed(&self, usual: f64) -> Vec<usize> {
        let is_disturbed =
            |step: &Step| share(step.routed, step.attempts).is_some_and(|share| share < usual);
        self.whole_steps()
            .filter(|(_, step)| is_disturbed(step))
            .map(|(number, _)| number)
            .collect()
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
