//! The comparison: published figures, the campaign, and its variants, side by side.

use std::fmt::Write as _;
use std::time::Duration;

use campaign::{Campaign, ComparedFigure, Measure, PlotKind};

use super::figures::{Step, share};
use super::goodput::Point;
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

/// A figure of one run, in words.
fn word(figure: &ComparedFigure, run: &VariantOutcome) -> String {
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
        Measure::CommandsTimedOut => run.operations.timed_out().to_string(),
        Measure::Disturbed => minutes(Some(count.disturbed(run.evidence.steps))),
        Measure::Detected => minutes(run.seconds_of(|report| report.detected_s)),
        Measure::Recovered => minutes(run.seconds_of(|report| report.recovered_s)),
        Measure::CallersReached => percent(run.summary.callers.emergency.success_share),
        Measure::OrdinaryReached => percent(run.summary.callers.ordinary.success_share),
        Measure::MostGoodput => rate(run.goodput.most_and_peak().map(|(most, _)| most)),
        Measure::PeakGoodput => rate(run.goodput.most_and_peak().map(|(_, peak)| peak)),
    }
}

impl VariantOutcome {
    fn seconds_of(
        &self,
        pick: impl Fn(&operations::CrisisReport) -> Option<f64>,
    ) -> Option<Duration> {
        pick(self.operations.crisis.as_ref()?)
            .filter(|seconds| *seconds >= 0.0)
            .map(Duration::from_secs_f64)
    }
}
