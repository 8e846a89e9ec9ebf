//! One rule and what it has seen so far.
//!
//! ```text
//!              out of bounds             for so long
//!   Quiet ──────────────────► Pending ─────────────────► Raised
//!     ▲        within bounds,   │                           │
//!     └──── or too few to judge ┘      within bounds        │
//!     ▲                                                     │
//!     └─────────────────────────────────────────────────────┘
//! ```
//!
//! A raised alarm stays when there is too little to judge by: silence is no good news.

use std::collections::BTreeMap;
use std::time::Duration;

use topology::format_duration;

use super::alarm::{Alarm, AlarmState};
use super::indicator::{By, Indicator};
use super::settings::{Bound, Rule};
use super::usual::{UsualDay, chance_of_so_few, chance_of_so_many};
use super::window::{Window, Windows};

#[derive(Debug)]
pub(super) struct RuleWatch {
    pub(super) rule: Rule,
    /// Which of supervision's windows it looks at.
    pub(super) view: usize,
    /// By the number of the key.
    states: Vec<State>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    phase: Phase,
    /// Of arrivals only: what is usual, in steps watched and arrivals in them.
    steps: u64,
    arrivals: u64,
    /// Steps before this one do not count for the baseline: they were not usual.
    unusual_until: u64,
}

#[derive(Debug, Clone, Copy, Default)]
enum Phase {
    #[default]
    Quiet,
    Pending {
        since: Duration,
    },
    Raised {
        at: Duration,
    },
}

/// The moment of a look at the figures.
#[derive(Debug, Clone, Copy)]
pub(super) struct EvaluationTime {
    pub(super) at: Duration,
    /// Steps that are over.
    pub(super) step: u64,
    /// Steps of a window.
    pub(super) length: u64,
    pub(super) window: Duration,
    /// Steps that a baseline must have.
    pub(super) baseline: u64,
}

/// A figure with what it was made of, for the sentence.
#[derive(Debug, Clone, Copy)]
struct Figure {
    value: f64,
    count: u64,
    usual: f64,
}

impl RuleWatch {
    pub(super) fn new(rule: Rule, view: usize) -> Self {
        Self { rule, view, states: Vec::new() }
    }

    /// Looks at each key and gives what changed.
    pub(super) fn look(
        &mut self,
        windows: &Windows,
        look: EvaluationTime,
        usual: Option<&UsualDay>,
        changed: &mut impl FnMut(Alarm),
    ) {
        for (key, place, window) in windows.iter() {
            if self.states.len() <= place {
                self.states.resize_with(place + 1, State::default);
            }
            let state = &mut self.states[place];
            if self.rule.indicator == Indicator::Arrivals {
                state.remember(window, look);
            }
            let usual = usual.and_then(|usual| usual_of(&self.rule, usual, key, look));
            let figure = state.figure(&self.rule, window, look, usual);
            let before = state.phase;
            state.phase = next(&self.rule, before, figure, look.at);
            let (alarm, raised_at) = match (before, state.phase) {
                (Phase::Raised { at }, Phase::Quiet) => (AlarmState::Cleared, at),
                (Phase::Quiet | Phase::Pending { .. }, Phase::Raised { at }) => {
                    (AlarmState::Raised, at)
                }
                _ => continue,
            };
            if let Some(figure) = figure {
                changed(self.rule.alarm(key, alarm, figure, raised_at, look));
            }
        }
    }
}

fn next(rule: &Rule, phase: Phase, figure: Option<Figure>, at: Duration) -> Phase {
    let crossed =
        figure.map(|figure| rule.bound.is_crossed_by(figure.value) && !is_chance(rule, figure));
    match (phase, crossed) {
        (Phase::Raised { .. }, Some(true) | None) => phase,
        (_, Some(false) | None) => Phase::Quiet,
        (Phase::Pending { since }, Some(true)) if at - since < rule.hold => phase,
        (Phase::Quiet, Some(true)) if !rule.hold.is_zero() => Phase::Pending { since: at },
        (_, Some(true)) => Phase::Raised { at },
    }
}

/// Whether so many arrivals may well be chance.
fn is_chance(rule: &Rule, figure: Figure) -> bool {
    let chance = match (rule.indicator, rule.bound) {
        (Indicator::Arrivals, Bound::Below(_)) => chance_of_so_few(figure.count, figure.usual),
        (Indicator::Arrivals, Bound::Above(_)) => chance_of_so_many(figure.count, figure.usual),
        _ => return false,
    };
    chance > rule.chance
}

/// How many arrivals a usual day has in the window that ends now; `None` before the first full window.
fn usual_of(rule: &Rule, usual: &UsualDay, key: &str, look: EvaluationTime) -> Option<f64> {
    let is_full = rule.indicator == Indicator::Arrivals && look.step >= look.length;
    let from = look.at.checked_sub(look.window).filter(|_| is_full)?;
    match rule.by {
        By::All => usual.expected_everywhere(from, look.at),
        _ => usual.expected(key, from, look.at),
    }
}

impl State {
    /// Makes the step that left the window part of what is usual, unless it was part of an alarm.
    fn remember(&mut self, window: &Window, look: EvaluationTime) {
        if !matches!(self.phase, Phase::Quiet) {
            self.unusual_until = look.step;
        }
        let left = look.step.checked_sub(look.length + 1);
        if left.is_some_and(|left| left >= window.first && left >= self.unusual_until) {
            self.steps += 1;
            self.arrivals += window.left;
        }
    }

    /// `usual`: how many arrivals a usual day has; otherwise they are held against their own history.
    fn figure(
        &self,
        rule: &Rule,
        window: &Window,
        look: EvaluationTime,
        usual: Option<f64>,
    ) -> Option<Figure> {
        let count = window.attempts;
        match rule.indicator {
            Indicator::Restarts => Some(Figure { value: count as f64, count, usual: 0.0 }),
            Indicator::Arrivals => {
                let own = || self.arrivals as f64 / self.steps as f64 * look.length as f64;
                let usual = usual.or_else(|| (self.steps >= look.baseline).then(own))?;
                let enough = usual >= f64::from(rule.min_attempts);
                enough.then(|| Figure { value: count as f64 / usual, count, usual })
            }
            _ => {
                let value = window.asr(rule.min_attempts)?;
                Some(Figure { value, count, usual: 0.0 })
            }
        }
    }
}

impl Rule {
    fn alarm(
        &self,
        key: &str,
        state: AlarmState,
        figure: Figure,
        raised_at: Duration,
        look: EvaluationTime,
    ) -> Alarm {
        let mut labels: BTreeMap<String, String> = self.labels.iter().cloned().collect();
        let mut about = Vec::new();
        for (name, value) in parts(self.by, key) {
            about.push(format!("{} {value}", name.replace('_', " ")));
            labels.insert(name.to_owned(), value.to_owned());
        }
        let about = match about.is_empty() {
            true => "the network".to_owned(),
            false => about.join(" in "),
        };
        Alarm {
            at: look.at,
            raised_at,
            state,
            rule: self.name.clone(),
            severity: self.severity,
            labels,
            value: figure.value,
            threshold: self.bound.value(),
            sentence: format!("{about}: {}", self.sentence(state, figure, look)),
        }
    }

    fn sentence(&self, state: AlarmState, figure: Figure, look: EvaluationTime) -> String {
        let window = format_duration(look.window);
        let Figure { value, count, usual } = figure;
        let measured = match self.indicator {
            Indicator::Restarts => format!("{count} restarts in {window}"),
            Indicator::Arrivals => format!("{count} arrivals in {window}, usual are {usual:.0}"),
            indicator => format!("{indicator} {value:.3} of {count} attempts in {window}"),
        };
        let times = if self.indicator == Indicator::Arrivals { " times that" } else { "" };
        match (state, self.bound) {
            (AlarmState::Raised, Bound::Below(bound)) => {
                format!("{measured}, below {bound}{times}")
            }
            (AlarmState::Raised, Bound::Above(bound)) => {
                format!("{measured}, above {bound}{times}")
            }
            (AlarmState::Cleared, _) => format!("{measured}, within bounds again"),
        }
    }
}

/// The labels that a key stands for.
fn parts(by: By, key: &str) -> Vec<(&'static str, &str)> {
    match by {
        By::All => Vec::new(),
        By::NumberDepartment => match key.rsplit_once('/') {
            Some((number, department)) => vec![("number", number), ("department", department)],
            None => vec![("number", key)],
        },
        by => vec![(by.as_str(), key)],
    }
}
