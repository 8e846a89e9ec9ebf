//! What all charts of one run have in common: its steps of time, and what lies over them.

use account::series::TimeStep;

use crate::content::{Page, PageRun};
use crate::figure::WIDE;
use crate::overlay::{self, Numbered};
use crate::plot::{Axis, Form, LineStyle, Panel, Plot, PlotLine, Scale};

/// What all charts of one run have in common.
#[derive(Debug)]
pub(crate) struct RunCharts<'a> {
    pub(crate) page: &'a Page<'a>,
    pub(crate) run: &'a PageRun<'a>,
    pub(crate) marks: Vec<Numbered>,
    pub(crate) steps: Vec<TimeStep>,
}

impl<'a> RunCharts<'a> {
    pub(crate) fn of(page: &'a Page<'a>, run: &'a PageRun<'a>) -> Self {
        let marks = overlay::marks(&run.events, run.series.length());
        Self { page, run, marks, steps: run.series.steps() }
    }

    pub(crate) fn each(&self, value: impl Fn(&TimeStep) -> Option<f64>) -> Vec<(f64, Option<f64>)> {
        self.steps.iter().map(|step| (step.middle(), value(step))).collect()
    }

    /// Panels over the time of the run, so many pixels wide.
    pub(crate) fn over_time(&self, title: &str, width: f64, panels: Vec<Panel>) -> Plot {
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

pub(crate) fn panel(y: Axis, height: f64, lines: Vec<PlotLine>) -> Panel {
    Panel { title: String::new(), y, height, lines, spans: Vec::new() }
}

pub(crate) fn line(name: &str, number: usize, points: Vec<(f64, Option<f64>)>) -> PlotLine {
    let look = LineStyle::Quantity { number };
    PlotLine { name: name.to_owned(), title: String::new(), look, points }
}

pub(crate) fn axis(label: &str, scale: Scale, end: Option<f64>) -> Axis {
    Axis { label: label.to_owned(), scale, end }
}
