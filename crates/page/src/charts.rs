//! The run over time: lines, with what happened laid over them.

use std::time::Duration;

use maud::{Markup, PreEscaped, html};

use crate::plot::{Axis, Form, LineStyle, Panel, Plot, PlotLine, Scale};

use crate::content::{Page, PageRun};
use crate::figures::{clock, count, decimal};
use crate::overlay::{self, Numbered};
use account::series::Bin;
use telemetry::metric::{AttemptCounts, Metric};

/// Widths of figures, in pixels: across the page, one of two, one of three.
const WIDE: f64 = 1_128.0;
const HALF: f64 = 548.0;
const THIRD: f64 = 360.0;
/// Sites that have a strip of their own.
const STRIPS: usize = 12;

/// What all charts of one run have in common.
#[derive(Debug)]
struct RunCharts<'a> {
    page: &'a Page<'a>,
    run: &'a PageRun<'a>,
    marks: Vec<Numbered>,
}

/// All charts of a run.
pub(crate) fn charts(page: &Page<'_>, run: &PageRun<'_>) -> Markup {
    let series = run.series;
    if series.length().is_zero() {
        return html! { p { "No caller left a record: there is nothing to draw." } };
    }
    let marks = overlay::marks(&run.events, series.length());
    let charts = RunCharts { page, run, marks };
    let step = series.width().as_secs_f64();
    html! {
        p.note {
            "A call counts at the moment at which it was due, in steps of " (step) " s. "
            "Vertical lines are what happened; phases are shaded by turns."
        }
        (charts.rates())
        @if !charts.marks.is_empty() { (charts.key()) }
        div.pair { (charts.concurrency()) (charts.seizures()) }
        div.pair { (charts.post_dial_delay()) (charts.percentiles()) }
        div.pair { (charts.sites()) (charts.lag()) }
        (charts.numbers())
    }
}

/// What was offered and what became of it, small enough to stand beside others.
pub(crate) fn glance(page: &Page<'_>, run: &PageRun<'_>) -> Markup {
    let marks = overlay::marks(&run.events, run.series.length());
    let charts = RunCharts { page, run, marks };
    let (lines, y) = charts.rate_lines();
    let plot = charts.over_time("Calls per second", THIRD, vec![Panel { y, height: 120.0, lines }]);
    html! { (PreEscaped(plot.svg())) }
}

impl RunCharts<'_> {
    fn rates(&self) -> Markup {
        let (lines, y) = self.rate_lines();
        let peak = self.each(|bin| Some(bin.offered as f64 / self.width()));
        let peak = peak.iter().filter_map(|(_, rate)| *rate).fold(0.0, f64::max);
        let note = format!("The most that was offered in a step was {} calls/s.", decimal(peak, 1));
        let panel = Panel { y, height: 230.0, lines };
        figure("Calls per second", &note, self.over_time("Calls per second", WIDE, vec![panel]))
    }

    fn rate_lines(&self) -> (Vec<PlotLine>, Axis) {
        let rate = |calls: u64| Some(calls as f64 / self.width());
        let lines = vec![
            line("answered", 0, self.each(|bin| rate(bin.answered))),
            line("failed", 1, self.each(|bin| rate(bin.failed))),
            line("abandoned", 2, self.each(|bin| rate(bin.abandoned))),
            PlotLine {
                look: LineStyle::Surface,
                ..line("offered", 0, self.each(|bin| rate(bin.offered)))
            },
        ];
        (lines, axis("calls/s", Scale::Number, None))
    }

    fn concurrency(&self) -> Markup {
        let means = self.run.series.concurrency();
        let of = |pick: fn(&(f64, f64)) -> f64| {
            let middles = self.run.series.bins().map(|(middle, _)| middle);
            middles.zip(&means).map(|(middle, mean)| (middle, Some(pick(mean)))).collect()
        };
        let lines = vec![
            line("answered, talking", 0, of(|(_, talking)| *talking)),
            PlotLine { look: LineStyle::Surface, ..line("in progress", 0, of(|(all, _)| *all)) },
        ];
        let panel = Panel { y: axis("calls", Scale::Number, None), height: 190.0, lines };
        let note = "The mean of each step, from the first INVITE to the last BYE.";
        figure("Calls in progress", note, self.over_time("Calls in progress", HALF, vec![panel]))
    }

    fn seizures(&self) -> Markup {
        let ratio = |bin: &Bin| {
            let Bin { offered, established, .. } = *bin;
            let counts = AttemptCounts { offered, established, ..AttemptCounts::default() };
            Metric::Asr.ratio(&counts).map(|ratio| ratio * 100.0)
        };
        let lines = vec![line("ASR", 0, self.each(ratio))];
        let y = axis("%", Scale::Number, Some(100.0));
        let note = "Calls with a 200, of those that were due in the step. A gap: none was due.";
        let title = "Answer-seizure ratio";
        figure(title, note, self.over_time(title, HALF, vec![Panel { y, height: 190.0, lines }]))
    }

    fn post_dial_delay(&self) -> Markup {
        let at = |share: f64| self.each(|bin| bin.pdd.millis_at(share));
        let lines =
            vec![line("p50", 0, at(0.5)), line("p95", 2, at(0.95)), line("p99", 1, at(0.99))];
        let y = axis("ms", logarithm(&lines), None);
        let note =
            "From the moment at which the call was due to its ringing. The axis is logarithmic.";
        let title = "Post-dial delay";
        figure(title, note, self.over_time(title, HALF, vec![Panel { y, height: 200.0, lines }]))
    }

    fn percentiles(&self) -> Markup {
        let calls = self.run.summary.metrics.pdd.count.max(2);
        let end = 1.0 - 10_f64.powf(-(calls as f64).log10().ceil().max(1.0));
        let curve = self.run.series.percentiles();
        let point = |share: f64, micros: u64| (share.min(end), Some(micros as f64 / 1_000.0));
        let points = curve.iter().map(|it| point(it.share, it.micros)).collect();
        let lines = vec![line("post-dial delay", 0, points)];
        let y = axis("ms", logarithm(&lines), None);
        let plot = Plot {
            title: "Post-dial delay of the slowest calls".to_owned(),
            x: axis("this share of the calls rang within that time", Scale::Nines, Some(end)),
            panels: vec![Panel { y, height: 200.0, lines }],
            bands: Vec::new(),
            marks: Vec::new(),
            form: Form::Figure { width: HALF },
        };
        let note = format!("All {} calls that rang. Each nine has the same room.", count(calls));
        figure("Post-dial delay by percentile", &note, plot)
    }

    fn sites(&self) -> Markup {
        let series = self.run.series;
        let mut sites = series.sites();
        let total = |number: usize| series.bins().map(|(_, bin)| bin.at_site(number)).sum::<u64>();
        if sites.len() > STRIPS {
            sites.sort_by_key(|(_, number)| std::cmp::Reverse(total(*number)));
            sites.truncate(STRIPS);
            sites.sort_unstable();
        }
        let rates =
            |number: usize| self.each(|bin| Some(bin.at_site(number) as f64 / self.width()));
        let strips: Vec<PlotLine> = sites
            .iter()
            .map(|(name, number)| PlotLine {
                look: LineStyle::Surface,
                ..line(name, 0, rates(*number))
            })
            .collect();
        let all = strips.iter().flat_map(|line| &line.points);
        let most = all.filter_map(|(_, rate)| *rate).fold(0.0, f64::max);
        let (height, steps) = if sites.len() > 6 { (30.0, 1.0) } else { (48.0, 2.0) };
        let end = Scale::Number.end(most, steps);
        // The same axis for all, or a site with few calls would look like one with many.
        let strip = |line: PlotLine| Panel {
            y: axis(&line.name, Scale::Number, Some(end)),
            height,
            lines: vec![line],
        };
        let panels: Vec<Panel> = strips.into_iter().map(strip).collect();
        if panels.is_empty() {
            return html! { figure { figcaption { h3 { "Calls per second by site" } p { "No call reached a site." } } } };
        }
        let shown = match series.sites().len() {
            all if all > STRIPS => format!("The {STRIPS} of {all} sites with the most calls"),
            _ => "All sites".to_owned(),
        };
        let note = format!("{shown}, each with the same axis, in calls/s.");
        let title = "Calls per second by site";
        figure(title, &note, self.over_time(title, HALF, panels))
    }

    fn lag(&self) -> Markup {
        let title = "Lag of the generator";
        if self.run.summary.ledger_hash.is_some() {
            let note = "In virtual time every call begins at the moment at which it is due.";
            return html! { figure { figcaption { h3 { (title) } p { (note) } } } };
        }
        let at = |share: f64| self.each(|bin| bin.lag.millis_at(share));
        let limits = &self.run.summary.generator.limits;
        let limit = limits.lag_p99.as_secs_f64() * 1_000.0 * self.page.compression;
        let end = self.run.series.length().as_secs_f64();
        let mut lines = vec![line("p50", 0, at(0.5)), line("p99", 1, at(0.99))];
        let scale = logarithm(&lines);
        lines.push(PlotLine {
            look: LineStyle::Reference,
            ..line("limit", 0, vec![(0.0, Some(limit)), (end, Some(limit))])
        });
        let y = axis("ms", scale, None);
        let note = format!(
            "How late calls began. A run whose p99 is above {limit} ms is invalid. The axis is logarithmic."
        );
        figure(title, &note, self.over_time(title, HALF, vec![Panel { y, height: 200.0, lines }]))
    }

    /// The marks in words.
    fn key(&self) -> Markup {
        html! {
            ol.marks {
                @for mark in &self.marks {
                    li value=(mark.number) {
                        span.time { (clock(self.page.begins, mark.at)) } " " (mark.text)
                    }
                }
            }
        }
    }

    /// The charts as a table, for those who cannot see them and for those who want to compute.
    fn numbers(&self) -> Markup {
        let means = self.run.series.concurrency();
        let number = |value: Option<f64>, decimals| {
            value.map_or_else(|| "–".to_owned(), |value| decimal(value, decimals))
        };
        html! {
            details {
                summary { "The same in numbers" }
                div.scroll tabindex="0" role="region" aria-label="The charts in numbers" {
                    table {
                        thead { tr {
                            @for head in [
                                "from", "offered", "answered", "abandoned", "failed", "in progress",
                                "pdd p50, ms", "pdd p95, ms", "pdd p99, ms", "lag p99, ms",
                            ] { th scope="col" { (head) } }
                        } }
                        tbody {
                            @for ((middle, bin), (in_progress, _)) in self.run.series.bins().zip(&means) {
                                tr {
                                    th scope="row" {
                                        (clock(self.page.begins, Duration::from_secs_f64(middle) - self.run.series.width() / 2))
                                    }
                                    td { (count(bin.offered)) } td { (count(bin.answered)) }
                                    td { (count(bin.abandoned)) } td { (count(bin.failed)) }
                                    td { (decimal(*in_progress, 1)) }
                                    @for share in [0.5, 0.95, 0.99] { td { (number(bin.pdd.millis_at(share), 1)) } }
                                    td { (number(bin.lag.millis_at(0.99), 2)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Seconds of a bin.
    fn width(&self) -> f64 {
        self.run.series.width().as_secs_f64()
    }

    fn each(&self, value: impl Fn(&Bin) -> Option<f64>) -> Vec<(f64, Option<f64>)> {
        self.run.series.bins().map(|(middle, bin)| (middle, value(bin))).collect()
    }

    fn over_time(&self, title: &str, width: f64, panels: Vec<Panel>) -> Plot {
        let begins = u32::try_from(self.page.begins.as_secs()).unwrap_or_default();
        let length = self.run.series.length();
        let scale = Scale::Clock { begins };
        let form = Form::Figure { width };
        let zero = if begins > 0 { "time of day" } else { "since the start" };
        let clock = scale.clock_form(length.as_secs_f64(), form.x_steps());
        Plot {
            title: title.to_owned(),
            x: axis(&format!("{zero} ({clock})"), scale, Some(length.as_secs_f64())),
            panels,
            bands: overlay::bands(&self.page.phases, length, width >= WIDE),
            marks: overlay::drawn(&self.marks, self.page.begins, width >= WIDE),
            form,
        }
    }
}

/// A plot with its title, its legend and a note.
fn figure(title: &str, note: &str, plot: Plot) -> Markup {
    let lines = plot.panels.first().map(|panel| &panel.lines[..]).unwrap_or_default();
    let has_strips = plot.panels.len() > 1;
    html! {
        figure {
            figcaption {
                h3 { (title) }
                @if !has_strips && lines.len() > 1 {
                    ul.legend {
                        @for line in lines { li { (PreEscaped(line.look.sample())) " " (line.name) } }
                    }
                }
                p { (note) }
            }
            div.scroll { (PreEscaped(plot.svg())) }
        }
    }
}

fn line(name: &str, number: usize, points: Vec<(f64, Option<f64>)>) -> PlotLine {
    let look = LineStyle::Quantity { number };
    PlotLine { name: name.to_owned(), title: String::new(), look, points }
}

fn axis(label: &str, scale: Scale, end: Option<f64>) -> Axis {
    Axis { label: label.to_owned(), scale, end }
}

/// Powers of ten from the one below the least point that is worth telling apart from nothing.
fn logarithm(lines: &[PlotLine]) -> Scale {
    let points = lines.iter().flat_map(|line| &line.points).filter_map(|(_, y)| *y);
    let least = points.fold(f64::INFINITY, f64::min).clamp(0.01, 10_000.0);
    Scale::Log { from: 10_f64.powf(least.log10().floor()) }
}
