//! What one assumed key does to the people, and whether the conclusion hangs on it.

use std::collections::BTreeMap;

use campaign::{Assumed, ComparedFigure};

use super::measured::FigureUnit;
use super::ranking::saved;
use super::variant::VariantOutcome;
use crate::summary::{HarmCounts, KeyEffect, SeedResult, SensitivityFigures, Spread, Trial};
use crate::text::grouped;

/// The runs with one value of a key.
#[derive(Debug)]
pub struct TrialRuns {
    pub value: String,
    /// Of the campaign's own value.
    pub factor: f64,
    /// Of each run, by its name.
    pub seeds: BTreeMap<String, Vec<SeedResult>>,
}

impl TrialRuns {
    /// What that run comes to with this value.
    fn of(&self, run: &VariantOutcome) -> &[SeedResult] {
        self.seeds.get(&run.name).map_or(&[][..], |seeds| seeds)
    }
}

/// What `assumed`, whose own value is `own`, does: `outcomes` are the campaign and its variants as they are, and `trials` what
/// they came to with other values, the smallest first.
pub fn key_effect(
    assumed: &Assumed,
    own: &str,
    outcomes: &[&VariantOutcome],
    trials: &[&TrialRuns],
) -> KeyEffect {
    let mut decisive = Vec::new();
    for trial in trials {
        decisive.extend(implausible(outcomes, trial));
        decisive.extend(reordered(outcomes, trial));
    }
    let told = trials.iter().map(|trial| {
        let runs = outcomes.first().map_or(&[][..], |run| trial.of(run));
        Trial {
            value: trial.value.clone(),
            factor: trial.factor,
            not_routed_share: not_routed_share(runs),
            never_reached: never_reached(runs),
        }
    });
    KeyEffect {
        key: assumed.key.clone(),
        value: own.to_owned(),
        why: assumed.why.clone(),
        range: assumed.range.clone(),
        trials: told.collect(),
        decisive,
    }
}

/// The key with the largest effect on people who were never reached comes first.
pub fn rank_effects(figures: &mut SensitivityFigures) {
    let reach = |effect: &KeyEffect| {
        let medians = effect.trials.iter().filter_map(|trial| Some(trial.never_reached?.median));
        let (low, high) = medians
            .fold((f64::MAX, f64::MIN), |(low, high), median| (low.min(median), high.max(median)));
        high - low
    };
    figures.keys.sort_by(|one, other| reach(other).total_cmp(&reach(one)));
}

pub(super) fn not_routed_share(runs: &[SeedResult]) -> Option<Spread> {
    let called = runs.iter().filter(|run| run.harm.attempts > 0);
    Spread::of(called.map(|run| run.harm.not_routed as f64 / run.harm.attempts as f64))
}

pub(super) fn never_reached(runs: &[SeedResult]) -> Option<Spread> {
    Spread::of(runs.iter().map(|run| run.harm.never_reached as f64))
}

/// A sentence for each figure that is plausible in the campaign itself and not with this value.
fn implausible(outcomes: &[&VariantOutcome], trial: &TrialRuns) -> Vec<String> {
    let Some(base) = outcomes.first() else { return Vec::new() };
    let runs = trial.of(base);
    let sentence = |(index, figure): (usize, &ComparedFigure)| {
        // A share of another run is told once that run is known, which it is not here.
        if figure.of.is_some() || !figure.is_plausible(base.spread(index)?.median)? {
            return None;
        }
        let values = runs.iter().filter_map(|run| run.figures.get(index).copied().flatten());
        let median = Spread::of(values)?.median;
        let told = FigureUnit::of(figure).told(median);
        (!figure.is_plausible(median)?).then(|| {
            format!("at {}: {} is {told}, which is not plausible", trial.value, figure.name)
        })
    };
    base.figures.iter().enumerate().filter_map(sentence).collect()
}

/// A sentence for each two variants whose order is another with this value, as every seed says.
fn reordered(outcomes: &[&VariantOutcome], trial: &TrialRuns) -> Vec<String> {
    let variants = outcomes.get(1..).unwrap_or_default();
    let people: fn(&HarmCounts) -> u64 = |harm| harm.never_reached;
    // What one saves more than the other: the campaign itself drops out.
    let ahead = |one: &[SeedResult], other: &[SeedResult]| saved(other, one, people);
    let mut sentences = Vec::new();
    for (place, one) in variants.iter().enumerate() {
        for other in &variants[place + 1..] {
            let own = ahead(&one.seeds, &other.seeds);
            let here = ahead(trial.of(one), trial.of(other));
            let Some((own, here)) = own.zip(here) else { continue };
            let (better, worse) = match () {
                () if own.low > 0.0 && here.high < 0.0 => (other, one),
                () if own.high < 0.0 && here.low > 0.0 => (one, other),
                () => continue,
            };
            sentences.push(format!(
                "at {}: {} saves more people than {}",
                trial.value, better.name, worse.name
            ));
        }
    }
    sentences
}

/// What hangs on what was assumed: heads first; nothing where nothing was varied.
#[must_use]
pub fn sensitivity_table(figures: &SensitivityFigures, run: &VariantOutcome) -> Vec<Vec<String>> {
    if figures.keys.is_empty() {
        return Vec::new();
    }
    let heads = [
        "assumed",
        "value",
        "tried",
        "calls not routed",
        "never reached",
        "does the result hang on it?",
    ];
    let own_share = not_routed_share(&run.seeds).map_or(0.0, |spread| spread.median);
    let own_people = never_reached(&run.seeds).map_or(0.0, |spread| spread.median);
    let row = |effect: &KeyEffect| {
        let tried = [effect.trials.first(), effect.trials.last()];
        let tried = tried.into_iter().flatten().map(|trial| &trial.value[..]);
        let (least, most) = effect.ends(own_share, |trial| trial.not_routed_share);
        let (few, many) = effect.ends(own_people, |trial| trial.never_reached);
        let people = |count: f64| grouped(&format!("{count:.0}"));
        vec![
            effect.key.clone(),
            effect.value.clone(),
            tried.collect::<Vec<_>>().join(".."),
            format!("{:.1}..{:.1} %", least * 100.0, most * 100.0),
            format!("{}..{}", people(few), people(many)),
            if effect.decisive.is_empty() { "no" } else { "YES" }.to_owned(),
        ]
    };
    [vec![heads.map(str::to_owned).to_vec()], figures.keys.iter().map(row).collect()].concat()
}
