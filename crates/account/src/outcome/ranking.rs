//! What each variant would have saved of the harm that the campaign does.

use super::variant::VariantOutcome;
use crate::summary::{HarmCounts, SeedResult, Spread, VariantSaving};

/// Of each variant beside the campaign itself, which comes first: most people first. Nothing where nobody was harmed.
pub(super) fn savings(outcomes: &[VariantOutcome]) -> Vec<VariantSaving> {
    let Some((base, variants)) = outcomes.split_first() else { return Vec::new() };
    if base.seeds.iter().all(|seed| seed.harm.attempts == 0) {
        return Vec::new();
    }
    let mut savings: Vec<VariantSaving> =
        variants.iter().filter_map(|variant| saving(base, variant)).collect();
    let people = |one: &VariantSaving| (one.never_reached.median, one.cut_callers.median);
    savings.sort_by(|one, other| {
        let ((a, b), (c, d)) = (people(other), people(one));
        a.total_cmp(&c).then(b.total_cmp(&d)).then_with(|| one.variant.cmp(&other.variant))
    });
    savings
}

fn saving(base: &VariantOutcome, variant: &VariantOutcome) -> Option<VariantSaving> {
    let saved = |count| saved(&base.seeds, &variant.seeds, count);
    Some(VariantSaving {
        variant: variant.name.clone(),
        title: variant.title.clone(),
        never_reached: saved(|harm| harm.never_reached)?,
        cut_callers: saved(|harm| harm.cut_callers)?,
        not_routed: saved(|harm| harm.not_routed)?,
    })
}

/// What `theirs` has less of something than `ours`, seed by seed: the same seed has the same people on the same evening.
pub(super) fn saved(
    ours: &[SeedResult],
    theirs: &[SeedResult],
    count: fn(&HarmCounts) -> u64,
) -> Option<Spread> {
    Spread::of(ours.iter().filter_map(|one| {
        let other = theirs.iter().find(|other| other.seed == one.seed)?;
        Some(count(&one.harm) as f64 - count(&other.harm) as f64)
    }))
}
