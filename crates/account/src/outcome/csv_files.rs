//! What many runs came to, as tables for programs.

use super::variant::VariantOutcome;
use crate::summary::{SeedResult, SensitivityFigures, Spread};

/// Every trial as a row, for programs.
#[must_use]
pub fn sensitivity_csv(figures: &SensitivityFigures) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = [
        "key",
        "own_value",
        "value",
        "factor",
        "not_routed_share",
        "not_routed_share_low",
        "not_routed_share_high",
        "never_reached",
        "never_reached_low",
        "never_reached_high",
    ];
    let _ = writer.write_record(head);
    for effect in &figures.keys {
        for trial in &effect.trials {
            let spread = |spread: Option<Spread>| {
                let ends = spread.map(|it| [it.median, it.low, it.high].map(|it| it.to_string()));
                ends.unwrap_or_default()
            };
            let own = [&effect.key, &effect.value, &trial.value].map(String::clone);
            let row = own.into_iter().chain([trial.factor.to_string()]);
            let row = row.chain(spread(trial.not_routed_share)).chain(spread(trial.never_reached));
            let _ = writer.write_record(row);
        }
    }
    // Into memory nothing fails, and all of it was text.
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// What each seed of each run came to, a row each.
#[must_use]
pub fn seeds_csv(outcomes: &[VariantOutcome]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = [
        "run",
        "seed",
        "verdict",
        "callers",
        "never_reached",
        "reached_late_1m",
        "reached_late_5m",
        "reached_late_15m",
        "cut_callers",
        "attempts",
        "not_routed",
        "ledger_hash",
    ];
    let figures = outcomes.first().map_or(&[][..], |run| &run.figures);
    let names = figures.iter().map(|figure| &figure.name[..]);
    let _ = writer.write_record(head.into_iter().chain(names));
    for outcome in outcomes {
        for SeedResult { seed, verdict, ledger_hash, harm, figures, .. } in &outcome.seeds {
            let counts = [
                harm.callers,
                harm.never_reached,
                harm.reached_late_1m,
                harm.reached_late_5m,
                harm.reached_late_15m,
                harm.cut_callers,
                harm.attempts,
                harm.not_routed,
            ];
            let row = [outcome.name.clone(), seed.to_string(), verdict.as_str().to_owned()];
            let row = row.into_iter().chain(counts.map(|count| count.to_string()));
            let row = row.chain([ledger_hash.clone().unwrap_or_default()]);
            let told = figures.iter().map(|it| it.map_or_else(String::new, |it| it.to_string()));
            let _ = writer.write_record(row.chain(told));
        }
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}
