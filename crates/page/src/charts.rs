//! The run over time: lines, with what happened laid over them.

use std::time::Duration;

use account::series::{Bin, FEWEST, TimeStep};
use maud::{Markup, html};
use telemetry::metric::{AttemptCounts, Metric};

use crate::content::{Page, PageRun};
use crate::figure::{Room, figure};
use crate::figures::{clock, count, counted, decimal, without_zeros};
use crate::plot::{Axis, Form, LineStyle, Panel, Plot, PlotLine, Scale};
use crate::run_charts::{RunCharts, axis, line, panel};
use crate::sites;

/// All charts of a run; those with nothing to draw are left out.
pub(crate) fn charts(page: &Page<'_>, run: &PageRun<'_>) -> Option<Markup> {
    let series = run.series;
    if series.length().is_zero() {
        return Some(html! { p { "No caller left a record: there is nothing to draw." } });
    }
    let charts = RunCharts::of(page, run);
    let width = series.width().as_secs_f64();
    let is_curve = charts.steps.iter().filter(|step| step.calls.offered > 0).count() > 1;
    Some(html! {
        @if is_curve {
            p.note {
                "A call counts at the moment at which it was due, in steps of " (width) " s, or of as many more as "
                (FEWEST) " calls take. Vertical lines are what happened; phases are shaded by turns."
            }
            (charts.rates())
            @if !charts.marks.is_empty() { (charts.key()) }
        } @else {
            p.note { "Fewer than " (FEWEST * 2) " calls make no curve of rates, ratios or delays." }
        }
        div.pair {
            (charts.concurrency())
            @if is_curve {
                (charts.seizures()) (charts.post_dial_delay()) (charts.percentiles()) (sites::sites(&charts))
                (charts.lag())
            }
        }
        (charts.numbers())
    })
}

/// What was offered and what became of it, small enough to stand beside others, up to so many calls per second.
pub(crate) fn glance(page: &Page<'_>, run: &PageRun<'_>, note: &str, most: f64) -> Markup {
    let charts = RunCharts::of(page, run);
    let (lines, y) = charts.rate_lines();
    let end = Some(Scale::Number.end(most, 5.0));
    let panel = panel(Axis { end, ..y }, 120.0, lines);
    figure(run.name, note, Room::Third, |width| {
        charts.over_time("Calls per second", width, vec![panel.clone()])
    })
}

/// The highest rate at which calls were offered in a step, per second.
pub(crate) fn peak(run: &PageRun<'_>) -> f64 {
    run.series.steps().iter().map(|step| step.rate(step.calls.offered)).fold(0.0, f64::max)
}

impl RunCharts<'_> {
    fn rates(&self) -> Markup {
        let (lines, y) = self.rate_lines();
        let note = format!(
            "The most that was offered in a step was {} calls/s.",
            decimal(peak(self.run), 1)
        );
        let panel = panel(y, 230.0, lines);
        let title = "Calls per second";
        figure(title, &note, Room::Whole, |width| self.over_time(title, width, vec![panel.clone()]))
    }

    fn rate_lines(&self) -> (Vec<PlotLine>, Axis) {
        let lines = vec![
            line("answered", 0, self.each(|step| Some(step.rate(step.calls.answered)))),
            line("failed", 1, self.each(|step| Some(step.rate(step.calls.failed)))),
            line("abandoned", 2, self.each(|step| Some(step.rate(step.calls.abandoned)))),
            PlotLine {
                look: LineStyle::Surface,
                ..line("offered", 0, self.each(|step| Some(step.rate(step.calls.offered))))
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
        let y = axis("calls", Scale::Number, None);
        let note = "The mean of each moment, from the first INVITE to the last BYE.";
        self.half("Calls in progress", note, panel(y, 190.0, lines))
    }

    fn seizures(&self) -> Markup {
        let ratio = |step: &TimeStep| {
            let Bin { offered, established, .. } = step.calls;
            let counts = AttemptCounts { offered, established, ..AttemptCounts::default() };
            Metric::Asr.ratio(&counts).map(|ratio| ratio * 100.0)
        };
        let lines = vec![line("ASR", 0, self.each(ratio))];
        let y = axis("%", Scale::Number, Some(100.0));
        let note = "Calls with a 200, of those that were due in the step. A gap: none was due.";
        self.half("Answer-seizure ratio", note, panel(y, 190.0, lines))
    }

    fn post_dial_delay(&self) -> Markup {
        let at = |share: f64| self.each(|step| step.calls.pdd.millis_at(share));
        let lines =
            vec![line("p50", 0, at(0.5)), line("p95", 2, at(0.95)), line("p99", 1, at(0.99))];
        let y = axis("ms", logarithm(&lines), None);
        let note =
            "From the moment at which the call was due to its ringing. The axis is logarithmic.";
        self.half("Post-dial delay", note, panel(y, 200.0, lines))
    }

    fn percentiles(&self) -> Markup {
        let calls = self.run.summary.metrics.pdd.count;
        if calls < FEWEST {
            return Markup::default();
        }
        let end = 1.0 - 10_f64.powf(-(calls as f64).log10().ceil().max(1.0));
        let curve = self.run.series.percentiles();
        let point = |share: f64, micros: u64| (share.min(end), Some(micros as f64 / 1_000.0));
        let points = curve.iter().map(|it| point(it.share, it.micros)).collect();
        let lines = vec![line("post-dial delay", 0, points)];
        let panel = panel(axis("ms", logarithm(&lines), None), 200.0, lines);
        let note = format!(
            "Of {} that rang. Each nine has the same room.",
            counted(calls, "call", "calls")
        );
        figure("Post-dial delay by percentile", &note, Room::Half, |width| Plot {
            title: "Post-dial delay of the slowest calls".to_owned(),
            x: axis("this share of the calls rang within that time", Scale::Nines, Some(end)),
            panels: vec![panel.clone()],
            bands: Vec::new(),
            marks: Vec::new(),
            form: Form::Figure { width },
        })
    }

    /// Nothing in virtual time, where every call begins at the moment at which it is due.
    fn lag(&self) -> Markup {
        if self.run.summary.ledger_hash.is_some() {
            return Markup::default();
        }
        let at = |share: f64| self.each(|step| step.calls.lag.millis_at(share));
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
        self.half("Lag of the generator", &note, panel(y, 200.0, lines))
    }

    fn half(&self, title: &str, note: &str, panel: Panel) -> Markup {
        figure(title, note, Room::Half, |width| self.over_time(title, width, vec![panel.clone()]))
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
        let number = |value: Option<f64>, decimals| {
            value.map_or_else(|| "–".to_owned(), |value| decimal(value, decimals))
        };
        html! {
            details {
                summary { "The same in numbers" }
                div.scroll tabindex="0" role="region" aria-label="The charts in numbers" {
                    table.steps {
                        thead { tr {
                            @for head in [
                                "from", "s", "offered", "answered", "abandoned", "failed", "in progress",
                                "pdd p50, ms", "pdd p95, ms", "pdd p99, ms", "lag p99, ms",
                            ] { th scope="col" { (head) } }
                        } }
                        tbody {
                            @for step in &self.steps {
                                @let calls = &step.calls;
                                tr {
                                    th scope="row" { (clock(self.page.begins, step.from)) }
                                    td { (without_zeros(&decimal((step.to - step.from).as_secs_f64(), 2))) }
                                    td { (count(calls.offered)) } td { (count(calls.answered)) }
                                    td { (count(calls.abandoned)) } td { (count(calls.failed)) }
                                    td { (decimal(self.in_progress(step), 1)) }
                                    @for share in [0.5, 0.95, 0.99] { td { (number(calls.pdd.millis_at(share), 1)) } }
                                    td { (number(calls.lag.millis_at(0.99), 2)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The mean of a step.
    fn in_progress(&self, step: &TimeStep) -> f64 {
        let width = self.run.series.width().as_micros().max(1);
        let place = |at: Duration| (at.as_micros() / width) as usize;
        let means = self.run.series.concurrency();
        let inside = &means[place(step.from).min(means.len())..place(step.to).min(means.len())];
        inside.iter().map(|(all, _)| all).sum::<f64>() / inside.len().max(1) as f64
    }
}

/// Powers of ten from the one below the least point that is worth telling apart from nothing.
fn logarithm(lines: &[PlotLine]) -> Scale {
    let points = lines.iter().flat_map(|line| &line.points).filter_map(|(_, y)| *y);
    let least = points.fold(f64::INFINITY, f64::min).clamp(0.01, 10_000.0);
    Scale::Log { from: 10_f64.powf(least.log10().floor()) }
}
