//! Two runs side by side, and whether the second is worse than it may be.
//!
//! ```text
//!   summary.json ──────────────► values ─────────────────────────────────┐
//!   calls.sqlite of both ─► calls ─► dependence ─► intervals of both ────┴─► difference, and how sure it is
//! ```

mod calls;
mod dependence;
mod difference;
mod figures;

use rusqlite::Connection;
use serde_json::{Value, json};
use telemetry::metric::Better;

use self::calls::Calls;
use self::difference::Estimate;
use self::figures::{FIGURES, Figure, Kind, Measured, Side};
use crate::summary::{RunVerdict, Summary};
use crate::text::{or_dash, table};

/// One of the two runs.
#[derive(Debug)]
pub struct ComparedRun {
    pub name: String,
    pub summary: Summary,
    /// The hash over what the run was made from.
    pub inputs: Option<String>,
    /// `calls.sqlite`, with every delay; unless both runs have it there is no interval.
    pub calls: Option<Connection>,
}

/// How much worse the second run may be: shares by their difference, all others by their ratio.
#[derive(Debug, Clone, Default)]
pub struct ComparisonLimits {
    /// Of any figure of which more, or less, is better.
    pub any: Option<f64>,
    /// Of single figures, by name. The last one of a name counts.
    pub named: Vec<(String, f64)>,
}

/// Two runs, compared.
#[derive(Debug)]
pub struct Comparison {
    /// For people.
    pub table: String,
    /// For programs, an object for each figure.
    pub figures: Vec<Value>,
    /// A sentence for each limit that was crossed.
    pub breaches: Vec<String>,
}

/// The names of all figures, in order.
pub fn figure_names() -> impl Iterator<Item = &'static str> {
    FIGURES.iter().map(|figure| figure.name)
}

/// One side of a comparison: a run, or several of the same campaign that differ in their seeds alone.
#[derive(Debug)]
pub struct ComparedSide {
    runs: Vec<ComparedRun>,
}

impl ComparedSide {
    /// `runs` are of different seeds.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn new(runs: Vec<ComparedRun>) -> Self {
        assert!(!runs.is_empty(), "a side has a run");
        Self { runs }
    }

    /// How many runs it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.runs.len()
    }

    /// The names of its runs.
    #[must_use]
    pub fn name(&self) -> String {
        let names: Vec<&str> = self.runs.iter().map(|run| &run.name[..]).collect();
        names.join(",")
    }

    /// The same for the head of a column.
    fn short_name(&self) -> String {
        match &self.runs[..] {
            [run] => run.name.clone(),
            runs => format!("{} +{}", runs[0].name, runs.len() - 1),
        }
    }

    fn summaries(&self) -> Vec<&Summary> {
        self.runs.iter().map(|run| &run.summary).collect()
    }

    /// Every call of each run; `None` where one of them does not have its calls.
    fn calls(&self) -> Option<Vec<Calls>> {
        self.runs.iter().map(|run| run.calls.as_ref().and_then(Calls::read)).collect()
    }

    fn verdicts(&self) -> String {
        let mut words: Vec<&str> = self.runs.iter().map(|run| run.summary.headline()).collect();
        words.dedup();
        words.join(", ")
    }
}

/// Measures every figure on both sides and holds the second against the limits. Sides of several runs have as many each.
#[must_use]
pub fn compare(
    before: &ComparedSide,
    after: &ComparedSide,
    limits: &ComparisonLimits,
) -> Comparison {
    // Both sides by what both have.
    let calls = before.calls().zip(after.calls()).map(|(one, other)| {
        let length_us = one.iter().chain(&other).map(Calls::end_us).max().unwrap_or(1);
        [one, other].map(|runs| Calls::one_after_the_other(runs, length_us))
    });
    let summaries = [before.summaries(), after.summaries()];
    let side = |place: usize| Side {
        summaries: &summaries[place],
        calls: calls.as_ref().map(|calls| &calls[place]),
    };
    let line =
        |figure: &'static Figure| Line { figure, measured: figure.measure(side(0), side(1)) };
    let lines: Vec<Line> = FIGURES.iter().map(line).collect();
    Comparison {
        table: shown(before, after, &lines),
        figures: lines.iter().map(Line::json).collect(),
        breaches: lines.iter().filter_map(|line| line.breach(limits, [before, after])).collect(),
    }
}

/// What keeps two sides from being compared, one sentence each.
#[must_use]
pub fn obstacles(before: &ComparedSide, after: &ComparedSide) -> Vec<String> {
    let mut found = Vec::new();
    for run in before.runs.iter().chain(&after.runs) {
        let name = &run.name;
        if run.summary.verdict == RunVerdict::Invalid {
            found.push(format!("{name} is INVALID: it says nothing about its network"));
        }
        if run.summary.interrupted {
            found.push(format!("{name} was interrupted before its end"));
        }
    }
    if before.count() != after.count() {
        let (one, other) = (before.count(), after.count());
        found.push(format!(
            "there are {one} runs of the one and {other} of the other: name as many"
        ));
    }
    for figure in &FIGURES {
        let lacking = before.runs.iter().find(|run| !figure.is_in(&[&run.summary]));
        if let Some(run) = lacking.filter(|_| figure.is_in(&after.summaries())) {
            let (name, one, other) = (figure.name, &run.name, after.name());
            found
                .push(format!("{one} has no {name}, which {other} has: it cannot be judged by it"));
        }
    }
    for side in [before, after] {
        for pair in side.runs.windows(2) {
            let [campaign, network, _] = differing(&pair[0], &pair[1]);
            found.extend(campaign.into_iter().chain(network));
            if pair[0].summary.seed == pair[1].summary.seed {
                let [one, other] = [&pair[0].name, &pair[1].name];
                found.push(format!(
                    "{one} and {other} have the same seed: together they say no more"
                ));
            }
        }
    }
    let told = found.len();
    for (one, other) in before.runs.iter().zip(&after.runs) {
        found.extend(differing(one, other).into_iter().flatten());
    }
    if found.len() == told {
        let have_other_inputs = |(one, other): (&ComparedRun, &ComparedRun)| {
            one.inputs.is_some() && other.inputs.is_some() && one.inputs != other.inputs
        };
        if found.is_empty() && before.runs.iter().zip(&after.runs).any(have_other_inputs) {
            found.push(
                "their campaign or network files, --set or environment differ: see inputs in receipt.json"
                    .to_owned(),
            );
        }
    }
    found
}

/// What two runs are of, where they differ: campaign, network, seed.
fn differing(one: &ComparedRun, other: &ComparedRun) -> [Option<String>; 3] {
    let of = |run: &ComparedRun| {
        let Summary { campaign, network, seed, .. } = &run.summary;
        [json!(campaign).to_string(), json!(network).to_string(), seed.to_string()]
    };
    let keys = ["campaign", "network", "seed"];
    let (one, other) = (of(one), of(other));
    std::array::from_fn(|place| {
        let (key, one, other) = (keys[place], &one[place], &other[place]);
        (one != other).then(|| format!("they have another {key}: {one} and {other}"))
    })
}

/// A figure in both runs.
struct Line {
    figure: &'static Figure,
    measured: Measured,
}

impl Line {
    fn difference(&self) -> Option<Estimate> {
        Some(self.measured.after?.minus(self.measured.before?))
    }

    /// Without an interval nothing is known of how sure a difference is.
    const fn has_interval(&self) -> bool {
        self.measured.samples.is_some()
    }

    fn word(&self) -> &'static str {
        let Some(difference) = self.difference() else { return "-" };
        // Of other calls that come to the same figure by chance it is not said.
        if self.measured.before == self.measured.after {
            return "the same";
        }
        if !self.has_interval() {
            return "how sure is not known";
        }
        if !difference.is_clear() {
            return "no clear difference";
        }
        match (self.figure.better, difference.value > 0.0) {
            (Better::Neither, _) => "differs",
            (Better::More, true) | (Better::Less, false) => "better",
            (Better::More, false) | (Better::Less, true) => "WORSE",
        }
    }

    /// How much worse, as limits count: shares by the difference, all others by the ratio.
    fn worsening(&self) -> Option<f64> {
        let (before, after) = (self.measured.before?.value, self.measured.after?.value);
        let change = match self.figure.kind {
            Kind::Share(..) => after - before,
            _ if before == after => 0.0,
            // However much more than nothing is more than any limit.
            _ if before == 0.0 => f64::INFINITY,
            _ => after / before - 1.0,
        };
        // What is neither good nor bad may not change either way.
        Some(match self.figure.better {
            Better::More => -change,
            Better::Less => change,
            Better::Neither => change.abs(),
        })
    }

    fn breach(&self, limits: &ComparisonLimits, sides: [&ComparedSide; 2]) -> Option<String> {
        let Figure { name, .. } = self.figure;
        let named = limits.named.iter().rev().find(|(figure, _)| figure == name);
        let general = limits.any.filter(|_| self.figure.better != Better::Neither);
        let limit = named.map(|(_, limit)| *limit).or(general)?;
        let [one, other] = sides.map(ComparedSide::name);
        let (before, after) = match (self.measured.before, self.measured.after) {
            (Some(before), Some(after)) => (before, after),
            (Some(_), None) => {
                return Some(format!("{name} was measured in {one}, and not in {other}"));
            }
            _ => return named.map(|_| format!("{name} was not measured in both runs")),
        };
        let worse = self.worsening().filter(|worse| *worse > limit)?;
        let unit = if self.figure.is_share() { "points" } else { "%" };
        let (worse, limit) = (worse * 100.0, limit * 100.0);
        let (before, after) = (self.figure.show(before.value), self.figure.show(after.value));
        Some(format!(
            "{name} is worse by {worse:.2} {unit}, at most {limit:.2} {unit} are allowed: {before} before, {after} now ({})",
            self.word()
        ))
    }

    const fn is_measured(&self) -> bool {
        self.measured.before.is_some() || self.measured.after.is_some()
    }

    fn json(&self) -> Value {
        // An end that nobody knows is infinite, and so `null`.
        let of = |one: Option<Estimate>| {
            one.map(|one| json!({"value": one.value, "low": one.low, "high": one.high}))
        };
        let (samples, effective) = self.measured.samples.unzip();
        json!({
            "name": self.figure.name,
            "before": of(self.measured.before),
            "after": of(self.measured.after),
            "difference": of(self.difference()),
            "interval_known": self.has_interval(),
            "samples": samples,
            "effective_samples": effective,
            "judgement": self.word(),
        })
    }
}

fn shown(before: &ComparedSide, after: &ComparedSide, lines: &[Line]) -> String {
    let names = [before, after].map(ComparedSide::short_name);
    let head = ["", &names[0], &names[1], "difference", "95 % of the time within", "samples", ""];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let [one, other] = [before, after].map(ComparedSide::verdicts);
    rows.push(["verdict".to_owned(), one, other].to_vec());
    rows.extend(lines.iter().filter(|line| line.is_measured()).map(|line| {
        let show =
            |value: Option<Estimate>| or_dash(value.map(|value| line.figure.show(value.value)));
        let signed = |value: f64| {
            if value.is_infinite() {
                return "?".to_owned();
            }
            let text = line.figure.show(value.abs());
            format!("{}{text}", if value < 0.0 { "-" } else { "+" })
        };
        let difference = line.difference();
        let interval = difference.filter(|_| line.has_interval());
        let interval = interval.map(|one| format!("{} … {}", signed(one.low), signed(one.high)));
        vec![
            line.figure.name.to_owned(),
            show(line.measured.before),
            show(line.measured.after),
            or_dash(difference.map(|one| signed(one.value))),
            or_dash(interval),
            or_dash(
                line.measured.samples.map(|(all, as_good_as)| format!("{as_good_as:.0} of {all}")),
            ),
            line.word().to_owned(),
        ]
    }));
    table(&rows, &[1, 2, 3, 4, 5])
}

#[cfg(test)]
mod tests;
