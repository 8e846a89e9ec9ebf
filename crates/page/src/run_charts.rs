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

/// Points of a line, at most; more than a chart has pixels to tell them apart.
const MOST_POINTS: usize = 480;

/// The same line with no more points than can be drawn: of those that fall together the lowest and the highest are kept.
pub(crate) fn fewer(points: Vec<(f64, Option<f64>)>) -> Vec<(f64, Option<f64>)> {
    if points.len() <= MOST_POINTS {
        return points;
    }
    let together = points.len().div_ceil(MOST_POINTS / 2);
    let ends = points.chunks(together).flat_map(|some| {
        let value = |place: &usize| some[*place].1.unwrap_or(f64::NAN);
        let known = || (0..some.len()).filter(|place| some[*place].1.is_some());
        let order = |one: &usize, other: &usize| value(one).total_cmp(&value(other));
        let (low, high) = (known().min_by(order), known().max_by(order));
        let mut places: Vec<usize> = [low, high].into_iter().flatten().collect();
        places.sort_unstable();
        places.dedup();
        // Where nothing is known the line has a gap.
        if places.is_empty() {
            places.push(0);
        }
        places.into_iter().map(|place| some[place])
    });
    ends.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_points_the_highest_and_the_lowest_are_kept_in_their_order() {
        let mut points: Vec<(f64, Option<f64>)> =
            (0..20_000).map(|at| (f64::from(at), Some(5.0))).collect();
        (points[7_001].1, points[7_002].1) = (Some(-3.0), Some(99.0));
        points[10_000..10_300].iter_mut().for_each(|point| point.1 = None);
        let drawn = fewer(points.clone());
        assert!(drawn.len() <= MOST_POINTS, "{}", drawn.len());
        let place = |point| drawn.iter().position(|one| *one == point).expect("it is kept");
        assert_eq!(place((7_002.0, Some(99.0))), place((7_001.0, Some(-3.0))) + 1);
        assert!(drawn.is_sorted_by_key(|(at, _)| *at));
        assert!(drawn.iter().any(|(_, value)| value.is_none()), "the gap is one still");
        points.truncate(MOST_POINTS);
        assert_eq!(fewer(points.clone()), points);
    }
}
