//! The words with which the report of an outage opens: who was not reached, and the evening beside what was published.

use std::fmt::Write as _;

use campaign::{Campaign, ComparedFigure};

use super::measured::FigureUnit;
use super::sensitivity::sensitivity_table;
use super::variant::VariantOutcome;
use crate::summary::{FigureResult, HarmCounts, Spread, VariantSaving};
use crate::text::{aligned, counted, grouped, or_dash, percent};

/// Who was not reached; who late, and who was cut; how many calls that were: a sentence each. Nothing of a campaign that is about something
/// else, or in which nobody called an emergency number.
#[must_use]
pub fn harm_sentences(campaign: &Campaign, outcomes: &[VariantOutcome]) -> Vec<String> {
    let Some(run) = outcomes.first() else { return Vec::new() };
    let is_outage = !campaign.figures.is_empty() || campaign.callers.redial.is_some();
    let of = |count: fn(&HarmCounts) -> u64| {
        Spread::of(run.seeds.iter().map(|seed| count(&seed.harm) as f64))
    };
    let (Some(callers), true) = (of(|harm| harm.callers), is_outage) else { return Vec::new() };
    if callers.high < 1.0 {
        return Vec::new();
    }
    let told = |count: fn(&HarmCounts) -> u64| {
        of(count).map_or_else(String::new, |spread| FigureUnit::Count.told_spread(&spread))
    };
    let share = |count: fn(&HarmCounts) -> u64, whole: fn(&HarmCounts) -> u64| {
        let shares = run.seeds.iter().filter(|seed| whole(&seed.harm) > 0);
        let shares = shares.map(|seed| count(&seed.harm) as f64 / whole(&seed.harm) as f64);
        Spread::of(shares).map_or_else(String::new, |spread| percent(spread.median))
    };
    let over = match run.seeds.len() {
        1 => String::new(),
        seeds => {
            format!(" Each number is the median of {seeds} seeds, with the lowest and the highest.")
        }
    };
    let mut sentences = vec![
        format!(
            "{} of {} people who called an emergency number never spoke to anybody ({}).",
            told(|harm| harm.never_reached),
            told(|harm| harm.callers),
            share(|harm| harm.never_reached, |harm| harm.callers),
        ),
        format!(
            "{} were reached later than a minute after their first call, {} later than five minutes, and {} later \
             than a quarter of an hour. {} were cut off in conversation.",
            told(|harm| harm.reached_late_1m),
            told(|harm| harm.reached_late_5m),
            told(|harm| harm.reached_late_15m),
            told(|harm| harm.cut_callers),
        ),
        format!(
            "They called {} times, and {} of these calls were not routed ({}).{over}",
            told(|harm| harm.attempts),
            told(|harm| harm.not_routed),
            share(|harm| harm.not_routed, |harm| harm.attempts),
        ),
    ];
    sentences.splice(1..1, usual(campaign, outcomes));
    sentences
}

/// How many never spoke to anybody in the runs that the campaign sets itself beside, such as a quiet evening: they put down before
/// somebody could answer, and did not call again. Without that the first sentence is too large.
fn usual(campaign: &Campaign, outcomes: &[VariantOutcome]) -> Vec<String> {
    let mut names: Vec<&str> =
        campaign.figures.iter().filter_map(|figure| figure.of.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    let own = outcomes.first().map_or("", |run| &run.name);
    let sentence = |name: &str| {
        let Some(beside) = outcomes.iter().find(|run| run.name == name) else {
            return format!(
                "How many of them never do is not known here: {name}, which the campaign compares itself with, was not run."
            );
        };
        let of = |count: fn(&HarmCounts) -> u64| {
            Spread::of(beside.seeds.iter().map(|seed| count(&seed.harm) as f64))
        };
        let told = |spread: Option<Spread>| {
            spread.map_or_else(String::new, |spread| FigureUnit::Count.told_spread(&spread))
        };
        let never = of(|harm| harm.never_reached);
        let callers = of(|harm| harm.callers);
        let part = |(never, callers): (Spread, Spread)| {
            (callers.median > 0.0).then(|| percent(never.median / callers.median))
        };
        let part = never.zip(callers).and_then(part).unwrap_or_else(|| "-".to_owned());
        let (never, callers) = (told(never), told(callers));
        format!(
            "In {name}, beside which that has to be read, it was {never} of {callers} ({part})."
        )
    };
    names.into_iter().filter(|name| *name != own).map(sentence).collect()
}

/// The same as text, with how calls failed, the half hours, what was published, and what variants would have saved.
#[must_use]
pub fn harm_text(campaign: &Campaign, outcomes: &[VariantOutcome]) -> String {
    let Some(run) = outcomes.first() else { return String::new() };
    let sentences = harm_sentences(campaign, outcomes);
    let mut text = String::new();
    for sentence in &sentences {
        text += &wrapped(sentence);
    }
    if let (Some(harm), false) = (&run.summary.harm, sentences.is_empty()) {
        let HarmCounts { refused, busy, silence, no_answer, cut, .. } = harm.whole;
        let ways = [
            (silence, "silence"),
            (refused, "refused"),
            (busy, "busy"),
            (no_answer, "not answered"),
            (cut, "cut"),
        ];
        let ways = ways.into_iter().filter(|(count, _)| *count > 0);
        let ways: Vec<String> =
            ways.map(|(count, way)| format!("{way} {}", grouped(&count.to_string()))).collect();
        if !ways.is_empty() {
            text += &wrapped(&format!("How calls failed: {}.", ways.join(", ")));
        }
    }
    let published = published_table(campaign, &run.summary.figures);
    for table in [published, savings_table(&run.summary.savings)] {
        if !table.is_empty() {
            let _ = write!(text, "\n{}", aligned(&table));
        }
    }
    if let Some(figures) = &run.summary.sensitivity {
        let _ = write!(text, "\n{}", aligned(&sensitivity_table(figures, run)));
        for effect in &figures.keys {
            for sentence in &effect.decisive {
                text += &wrapped(&format!("the result hangs on {}: {sentence}", effect.key));
            }
        }
        if figures.runs_missing > 0 {
            let missing = counted(figures.runs_missing, "run", "runs");
            let _ = writeln!(text, "{missing} less than were asked for: it was interrupted");
        }
    }
    text
}

/// Each figure that reports speak of, beside the run's: heads first; nothing where they speak of none.
#[must_use]
pub fn published_table(campaign: &Campaign, results: &[FigureResult]) -> Vec<Vec<String>> {
    let spoken = |result: &&FigureResult| result.published.is_some() || result.plausible.is_some();
    let rows: Vec<Vec<String>> =
        results.iter().filter(spoken).map(|result| published_row(campaign, result)).collect();
    if rows.is_empty() {
        return rows;
    }
    let heads = ["figure", "window", "published", "plausible", "emulated", ""];
    [vec![heads.map(str::to_owned).to_vec()], rows].concat()
}

/// A row of that table.
fn published_row(campaign: &Campaign, result: &FigureResult) -> Vec<String> {
    let figure = campaign.figures.iter().find(|figure| figure.name == result.name);
    let unit = figure.map_or(FigureUnit::Count, FigureUnit::of);
    let range = |[low, high]: [f64; 2]| format!("{} to {}", unit.told(low), unit.told(high));
    let window = match (&result.window, &result.window_asked) {
        (Some(had), Some(asked)) => format!("{had} of {asked}"),
        (had, _) => had.clone().unwrap_or_else(|| "whole run".to_owned()),
    };
    let counts = figure.is_none_or(|figure: &ComparedFigure| figure.measure.counts());
    vec![
        result.name.clone(),
        if counts { window } else { "-".to_owned() },
        or_dash(result.published.clone().or_else(|| Some(unit.told(result.published_value?)))),
        or_dash(result.plausible.map(range)),
        or_dash(result.measured.map(|spread| unit.told_spread(&spread))),
        match result.within {
            Some(true) => "within",
            Some(false) => "OUTSIDE",
            None => "",
        }
        .to_owned(),
    ]
}

/// What each variant saves: heads first; nothing without variants.
#[must_use]
pub fn savings_table(savings: &[VariantSaving]) -> Vec<Vec<String>> {
    if savings.is_empty() {
        return Vec::new();
    }
    let heads = ["would have saved", "never reached", "cut off", "calls not routed"];
    let row = |one: &VariantSaving| {
        let told = |spread: &Spread| FigureUnit::Count.told_spread(spread);
        vec![
            one.variant.clone(),
            told(&one.never_reached),
            told(&one.cut_callers),
            told(&one.not_routed),
        ]
    };
    [vec![heads.map(str::to_owned).to_vec()], savings.iter().map(row).collect()].concat()
}

/// In lines of at most a hundred characters.
fn wrapped(sentence: &str) -> String {
    textwrap::fill(sentence, 100) + "\n"
}
