//! A strip for each site: its calls, those of them that failed, and when it did not work.

use std::time::Duration;

use account::outcome::Downtime;
use maud::Markup;

use crate::figure::{HALF, Room, figure};
use crate::figures::clock;
use crate::plot::{LineStyle, Panel, PlotLine, Scale, Span};
use crate::run_charts::{RunCharts, axis, line};

/// Sites that have a strip of their own.
const STRIPS: usize = 12;
/// Stretches that are this part of the axis apart are told apart.
const APART: u32 = 480;
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
        spans: spans(charts, down.iter().filter(|one| one.site == strip.name)),
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

/// When it did not work, and why. What is too close to be told apart is one.
fn spans<'a>(charts: &RunCharts<'_>, down: impl Iterator<Item = &'a Downtime>) -> Vec<Span> {
    let length = charts.run.series.length();
    let apart = length / APART;
    let end = |one: &Downtime| one.until.unwrap_or(length).min(length);
    let mut down: Vec<&Downtime> = down.filter(|one| one.from <= length).collect();
    down.sort_by_key(|one| one.from);
    // From, to, the first one, and how many.
    let mut joined: Vec<(Duration, Duration, &Downtime, usize)> = Vec::new();
    for one in down {
        match joined.last_mut().filter(|(_, to, ..)| one.from < *to + apart) {
            Some((_, to, _, times)) => (*to, *times) = ((*to).max(end(one)), *times + 1),
            None => joined.push((one.from, end(one), one, 1)),
        }
    }
    let begins = charts.page.begins;
    let span = |(from, to, first, times): (Duration, Duration, &Downtime, usize)| {
        let until = match (first.until, times) {
            (None, 1) => "to the end".to_owned(),
            _ => format!("until {}", clock(begins, to)),
        };
        let (site, why) = (&first.site, &first.why);
        let from_clock = clock(begins, from);
        let times = if times > 1 { format!("{times} times ") } else { String::new() };
        Span {
            from: from.as_secs_f64(),
            to: to.as_secs_f64(),
            title: format!("{site} down {times}from {from_clock} {until}: {why}"),
        }
    };
    joined.into_iter().map(span).collect()
}
