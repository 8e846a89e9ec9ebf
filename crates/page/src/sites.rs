//! A strip for each site: its calls, those of them that failed, and when it did not work.

use account::outcome::Downtime;
use maud::Markup;

use crate::figure::{HALF, Room, figure};
use crate::figures::clock;
use crate::plot::{LineStyle, Panel, PlotLine, Scale, Span};
use crate::run_charts::{RunCharts, axis, line};

/// Sites that have a strip of their own.
const STRIPS: usize = 12;
/// Where calls are told that reached no site.
const NOWHERE: &str = "no site";

/// One site, or none.
struct Strip<'a> {
    name: &'a str,
    offered: Vec<(f64, Option<f64>)>,
    failed: Vec<(f64, Option<f64>)>,
}

/// Calls per second by site, all with the same axis, or one with few calls would look like one with many.
pub(crate) fn sites(charts: &RunCharts<'_>) -> Markup {
    let strips = strips(charts);
    let points = strips.iter().flat_map(|strip| &strip.offered);
    let most = points.filter_map(|(_, rate)| *rate).fold(0.0, f64::max);
    let (height, steps) = if strips.len() > 6 { (30.0, 1.0) } else { (48.0, 2.0) };
    let end = Scale::Number.end(most, steps);
    let down = &charts.run.downtimes;
    let panel = |strip: &Strip<'_>| Panel {
        title: strip.name.to_owned(),
        y: axis("calls/s", Scale::Number, Some(end)),
        height,
        lines: vec![
            PlotLine {
                title: "failed".to_owned(),
                ..line(&format!("{}, failed", strip.name), 1, strip.failed.clone())
            },
            PlotLine {
                look: LineStyle::Surface,
                title: "calls".to_owned(),
                ..line(strip.name, 0, strip.offered.clone())
            },
        ],
        spans: down
            .iter()
            .filter(|one| one.site == strip.name)
            .map(|one| span(charts, one))
            .collect(),
    };
    let panels: Vec<Panel> = strips.iter().map(panel).collect();
    let known = charts.run.series.sites().len();
    let shown = match known > STRIPS {
        true => format!("The {STRIPS} of {known} sites with the most calls"),
        false => "All sites".to_owned(),
    };
    let note = format!("{shown}, each with the same axis, in calls/s: those that reached it.");
    let title = "Calls per second by site";
    // Wide enough for what happened in each.
    let room = if panels.len() > 1 { Room::Half } else { Room::Whole };
    let width = |width: f64| if room == Room::Whole { width } else { width.min(HALF) };
    figure(title, &note, room, |at| charts.over_time(title, width(at), panels.clone()))
}

fn strips<'a>(charts: &RunCharts<'a>) -> Vec<Strip<'a>> {
    let series = charts.run.series;
    let mut sites = series.sites();
    let total =
        |number: usize| series.bins().map(|(_, bin)| bin.at_site(number).offered).sum::<u64>();
    if sites.len() > STRIPS {
        sites.sort_by_key(|(_, number)| std::cmp::Reverse(total(*number)));
        sites.truncate(STRIPS);
        sites.sort_unstable();
    }
    let strip = |(name, number): &(&'a str, usize)| Strip {
        name,
        offered: charts.each(|step| Some(step.rate(step.calls.at_site(*number).offered))),
        failed: charts.each(|step| Some(step.rate(step.calls.at_site(*number).failed))),
    };
    let mut strips: Vec<Strip<'a>> = sites.iter().map(strip).collect();
    // Calls that failed before they reached any.
    let all = series.sites();
    let at_sites = |step: &account::series::TimeStep| {
        let calls = all.iter().map(|(_, number)| step.calls.at_site(*number));
        calls.fold((0, 0), |(offered, failed), one| (offered + one.offered, failed + one.failed))
    };
    let failed =
        charts.each(|step| Some(step.rate(step.calls.failed.saturating_sub(at_sites(step).1))));
    if failed.iter().any(|(_, rate)| rate.is_some_and(|rate| rate > 0.0)) {
        let offered = charts
            .each(|step| Some(step.rate(step.calls.offered.saturating_sub(at_sites(step).0))));
        strips.push(Strip { name: NOWHERE, offered, failed });
    }
    strips
}

/// When it did not work, and why.
fn span(charts: &RunCharts<'_>, down: &Downtime) -> Span {
    let begins = charts.page.begins;
    let length = charts.run.series.length();
    let to = down.until.unwrap_or(length).min(length);
    let until = match down.until {
        Some(until) => format!("until {}", clock(begins, until)),
        None => "to the end".to_owned(),
    };
    Span {
        from: down.from.as_secs_f64(),
        to: to.as_secs_f64(),
        title: format!(
            "{} down from {} {until}: {}",
            down.site,
            clock(begins, down.from),
            down.why
        ),
    }
}
