//! The comparison: published figures, the campaign, and its variants, side by side.

use std::fmt::Write as _;

use campaign::{Campaign, ComparedFigure, PlotKind};

use super::goodput::Point;
use super::measured::FigureUnit;
use super::variant::VariantOutcome;
use crate::text::aligned;

/// What the campaign compares: its figures, and its goodput where it draws that.
pub fn table(campaign: &Campaign, outcomes: &[VariantOutcome]) -> String {
    let mut text = figures(campaign, outcomes);
    if campaign.plots.contains(&PlotKind::Goodput) {
        if !text.is_empty() {
            text.push('\n');
        }
        text += &goodput(campaign, outcomes);
    }
    text
}

/// The figures, and below them what each row changes and where the published figures come from.
fn figures(campaign: &Campaign, outcomes: &[VariantOutcome]) -> String {
    let figures = &campaign.figures;
    let rows = comparison(campaign, outcomes);
    if rows.is_empty() {
        return String::new();
    }
    let mut text = aligned(&rows);
    text.push('\n');
    for outcome in outcomes {
        let _ = writeln!(text, "{:<16} {}", outcome.name, telemetry::visible_line(&outcome.title));
    }
    let mut sources: Vec<&str> =
        figures.iter().filter_map(|figure| figure.source.as_deref()).collect();
    sources.dedup();
    for source in sources {
        let _ = writeln!(text, "published by     {source}");
    }
    text
}

/// The cells of that table, heads first; nothing where the campaign compares nothing.
pub fn comparison(campaign: &Campaign, outcomes: &[VariantOutcome]) -> Vec<Vec<String>> {
    let figures = &campaign.figures;
    if figures.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![row("", figures, |figure| figure.name.clone())];
    if figures.iter().any(|figure| figure.published.is_some()) {
        let published =
            |figure: &ComparedFigure| figure.published.clone().unwrap_or_else(|| "-".to_owned());
        rows.push(row("published", figures, published));
    }
    for outcome in outcomes {
        rows.push(row(&outcome.name, figures, |figure| word(figure, outcome)));
    }
    rows
}

fn row(
    name: &str,
    figures: &[ComparedFigure],
    cell: impl Fn(&ComparedFigure) -> String,
) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(figures.iter().map(cell)).collect()
}

/// One row for each phase of the campaign, one column for each run of it.
fn goodput(campaign: &Campaign, outcomes: &[VariantOutcome]) -> String {
    let mut head = vec!["goodput, calls/s".to_owned(), "offered".to_owned()];
    head.extend(outcomes.iter().map(|outcome| outcome.name.clone()));
    let mut rows = vec![head];
    let points: Vec<Vec<Point>> =
        outcomes.iter().map(|outcome| outcome.goodput.points().collect()).collect();
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |it| format!("{it:.1}"));
    for (place, level) in campaign.levels().into_iter().enumerate() {
        // A variant may have other phases.
        let of = |run: &Vec<Point>| -> Option<(f64, f64)> {
            let point = run.get(place).filter(|point| point.name == level.name)?;
            Some((point.offered, point.answered))
        };
        let offered = points.iter().find_map(of).map(|(offered, _)| offered);
        let answered = points.iter().map(|run| number(of(run).map(|(_, answered)| answered)));
        rows.push([level.name.clone(), number(offered)].into_iter().chain(answered).collect());
    }
    aligned(&rows)
}

/// A figure of one run, or of all its seeds, in words.
fn word(figure: &ComparedFigure, run: &VariantOutcome) -> String {
    let spread = run.place_of(&figure.name).and_then(|place| run.spread(place));
    spread.map_or_else(|| "-".to_owned(), |spread| FigureUnit::of(figure).told_spread(&spread))
}
