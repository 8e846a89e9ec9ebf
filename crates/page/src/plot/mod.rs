//! Line plots as SVG: files of their own, which can be looked at in a browser and printed, and figures of a page.
//!
//! ```text
//!   title
//!   first command   alarm            marks.rs   labels of events, in lanes
//!   │               │
//!   ├───────────────┼──────────      panels     one above the other, with one x axis
//!   │               │                ticks.rs   round numbers
//!   └───────────────┴──────────
//!   ── base  what it is              legend     one row for each line
//!   -- variant  what it is
//! ```

mod frame;
mod line_style;
mod marks;
mod parts;
mod svg;
#[cfg(test)]
mod tests;
mod ticks;

pub(crate) use self::frame::Form;
use self::frame::{Frame, Measures};
pub(crate) use self::line_style::LineStyle;
pub(crate) use self::marks::Mark;
pub(crate) use self::parts::{Axis, Band, Panel, PlotLine};
use self::svg::{Anchor, Kind, Svg};
pub(crate) use self::ticks::Scale;

/// The width of a letter of the legend, and how many of them fit beside a long name.
const LETTER: f64 = 7.0;
const ROW_LETTERS: usize = 90;

/// A plot: one x axis, and panels above each other.
#[derive(Debug, Clone)]
pub(crate) struct Plot {
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) panels: Vec<Panel>,
    /// Stretches of the x axis, behind everything else.
    pub(crate) bands: Vec<Band>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) form: Form,
}

impl Plot {
    /// The SVG. The same plot gives the same bytes.
    pub(crate) fn svg(&self) -> String {
        let measures = self.form.measures();
        let x_end = self.x_end(&measures);
        let across = measures.right - measures.left;
        let on_axis = |at: f64| {
            let place = || measures.left + across * self.x.scale.place(at, x_end);
            (0.0..=x_end).contains(&at).then(place)
        };
        let labels = marks::place(&self.marks, on_axis, measures.right);
        let lanes = labels.iter().map(|label| label.lane + 1).max().unwrap_or_default();
        let below_lanes = if lanes > 0 { 6.0 } else { 0.0 };
        let mut top = measures.title + measures.lane * lanes as f64 + below_lanes;
        if !self.form.is_sheet() {
            top += measures.between - below_lanes; // what the panel measures stands above it
        }
        let mut bottom = top - measures.between;
        let frames: Vec<Frame<'_>> = self
            .panels
            .iter()
            .map(|panel| {
                let frame =
                    Frame::new(&measures, bottom + measures.between, panel, (&self.x, x_end));
                bottom = frame.bottom;
                frame
            })
            .collect();
        let rows = self.panels.first().map_or(0, |panel| panel.lines.len());
        let height = bottom + measures.x_axis + measures.row * rows as f64;
        let kind = match self.form {
            Form::Sheet => Kind::Sheet,
            Form::Figure { .. } => {
                Kind::Figure { reading: self.x.scale.reading(x_end, measures.x_steps()) }
            }
        };
        let mut svg = Svg::new((measures.width, height), &self.title, &kind);
        if self.form.is_sheet() {
            let style = "font-size=\"17\" font-weight=\"bold\"";
            svg.text((measures.left, 24.0), Anchor::Start, style, &self.title);
        }
        for (number, frame) in frames.iter().enumerate() {
            self.bands(&mut svg, frame, number == 0);
        }
        for (panel, frame) in self.panels.iter().zip(&frames) {
            panel.surfaces(&mut svg, frame);
            self.grid(&mut svg, panel, frame);
        }
        let lane = |lane: usize| measures.title + measures.lane * lane as f64;
        for label in &labels {
            let from = (label.x, lane(label.lane));
            let style =
                "class=\"mark\" stroke=\"#555\" stroke-width=\"1\" stroke-dasharray=\"3 3\"";
            svg.mark(from, (label.x, bottom), style, &label.title);
        }
        for (panel, frame) in self.panels.iter().zip(&frames) {
            panel.draw(&mut svg, frame, self.form);
        }
        for label in &labels {
            let aside = if label.anchor == Anchor::End { -4.0 } else { 4.0 };
            let at = (label.x + aside, lane(label.lane) + 11.0);
            let halo = "class=\"label\" font-size=\"12\" stroke=\"#fff\" stroke-width=\"4\" paint-order=\"stroke\"";
            svg.text(at, label.anchor, halo, &label.label);
        }
        self.x_axis(&mut svg, &measures, bottom, x_end);
        if self.form.is_sheet() {
            self.legend(&mut svg, &measures, bottom + measures.x_axis);
        }
        svg.finish()
    }

    fn x_end(&self, measures: &Measures) -> f64 {
        let lines = self.panels.iter().flat_map(|panel| &panel.lines);
        let most = lines.flat_map(|line| &line.points).map(|(x, _)| *x).fold(0.0, f64::max);
        let free = || self.x.scale.end(most, measures.x_steps());
        self.x.end.filter(|end| *end > 0.0).unwrap_or_else(free)
    }

    fn bands(&self, svg: &mut Svg, frame: &Frame<'_>, with_names: bool) {
        for band in &self.bands {
            let ends = frame.on_axis(band.from).zip(frame.on_axis(band.to.min(frame.x_end())));
            let Some((from, to)) = ends else { continue };
            if band.is_shaded {
                let size = (to - from, frame.bottom - frame.top);
                svg.rect((from, frame.top), size, "class=\"band\" fill=\"#f4f5f7\"");
            }
            let width = band.name.chars().count() as f64 * 5.6 + 8.0;
            if with_names && !band.name.is_empty() && width < to - from {
                let style = "class=\"phase\" font-size=\"10.5\" fill=\"#777\"";
                svg.text((from + 5.0, frame.top + 12.0), Anchor::Start, style, &band.name);
            }
        }
    }

    fn grid(&self, svg: &mut Svg, panel: &Panel, frame: &Frame<'_>) {
        let thin = "class=\"grid\" stroke=\"#e4e4e4\" stroke-width=\"1\"";
        let axis = "class=\"axis\" stroke=\"#222\" stroke-width=\"1\"";
        let is_sheet = self.form.is_sheet();
        let measures = self.form.measures();
        for (at, _) in self.x.scale.ticks(self.x_end(&measures), measures.x_steps()) {
            svg.line((frame.x(at), frame.top), (frame.x(at), frame.bottom), thin);
        }
        for (at, word) in panel.y.scale.ticks(frame.y_end(), frame.y_steps) {
            svg.line((frame.left, frame.y(at)), (frame.right, frame.y(at)), thin);
            svg.text((frame.left - 8.0, frame.y(at) + 4.0), Anchor::End, "class=\"tick\"", &word);
        }
        if is_sheet {
            svg.line((frame.left, frame.top), (frame.left, frame.bottom), axis);
        }
        svg.line((frame.left, frame.bottom), (frame.right, frame.bottom), axis);
        let y = f64::midpoint(frame.top, frame.bottom);
        if is_sheet {
            let x = 18.0;
            let turned = format!("transform=\"rotate(-90 {x:.1} {y:.1})\"");
            svg.text((x, y), Anchor::Middle, turned, &panel.y.label);
        } else {
            let style = "class=\"unit\" fill=\"#555\"";
            svg.text((0.0, frame.top - 10.0), Anchor::Start, style, &panel.y.label);
        }
        if panel.is_empty(frame) {
            let middle = (f64::midpoint(frame.left, frame.right), y);
            let style = "class=\"unit\" fill=\"#555\"";
            svg.text(middle, Anchor::Middle, style, "nothing was measured");
        }
    }

    fn x_axis(&self, svg: &mut Svg, measures: &Measures, bottom: f64, x_end: f64) {
        let axis = "class=\"axis\" stroke=\"#222\" stroke-width=\"1\"";
        let Measures { left, right, .. } = *measures;
        for (at, word) in self.x.scale.ticks(x_end, measures.x_steps()) {
            let x = left + (right - left) * self.x.scale.place(at, x_end);
            svg.line((x, bottom), (x, bottom + 5.0), axis);
            let half = word.chars().count() as f64 * measures.letters * 0.3;
            let (x, anchor) = match x + half > measures.width {
                true => (measures.width, Anchor::End),
                false => (x, Anchor::Middle),
            };
            svg.text((x, bottom + measures.letters + 7.0), anchor, "class=\"tick\"", &word);
        }
        let (at, anchor) = match self.form {
            Form::Sheet => (f64::midpoint(left, right), Anchor::Middle),
            Form::Figure { .. } => (right, Anchor::End),
        };
        let below = bottom + measures.x_axis - if self.form.is_sheet() { 18.0 } else { 4.0 };
        svg.text((at, below), anchor, "class=\"unit\" fill=\"#555\"", &self.x.label);
    }

    fn legend(&self, svg: &mut Svg, measures: &Measures, top: f64) {
        let lines = self.panels.first().map(|panel| &panel.lines[..]).unwrap_or_default();
        let longest = lines.iter().map(|line| line.name.chars().count()).max().unwrap_or_default();
        let left = measures.left;
        let titles = left + 62.0 + LETTER * longest as f64 + 14.0;
        for (row, line) in lines.iter().enumerate() {
            let y = top + measures.row * row as f64 + 4.0;
            svg.line((left, y), (left + 52.0, y), line.look.style());
            if let Some(style) = line.look.dot() {
                svg.dot((left + 26.0, y), style);
            }
            svg.text((left + 62.0, y + 4.5), Anchor::Start, "", &line.name);
            let fits: String = line.title.chars().take(ROW_LETTERS).collect();
            svg.text((titles, y + 4.5), Anchor::Start, "fill=\"#555\"", &fits);
        }
    }
}

impl Panel {
    /// Where its y axis ends, when it has room for so many steps.
    fn y_end(&self, steps: f64) -> f64 {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let most = points.filter_map(|(_, y)| *y).fold(0.0, f64::max);
        let free = || self.y.scale.end(most, steps);
        self.y.end.filter(|end| *end > 0.0).unwrap_or_else(free)
    }

    fn is_empty(&self, frame: &Frame<'_>) -> bool {
        let mut points = self.lines.iter().flat_map(|line| &line.points);
        points.all(|point| frame.point(*point).is_none())
    }

    fn surfaces(&self, svg: &mut Svg, frame: &Frame<'_>) {
        for line in &self.lines {
            if let Some(style) = line.look.surface() {
                let points: Vec<_> = line.points.iter().map(|point| frame.point(*point)).collect();
                svg.surface(&points, frame.bottom, style);
            }
        }
    }

    /// The first line is drawn last, over the others.
    fn draw(&self, svg: &mut Svg, frame: &Frame<'_>, form: Form) {
        for line in self.lines.iter().rev() {
            let points: Vec<_> = line.points.iter().map(|point| frame.point(*point)).collect();
            let mut style = line.look.style();
            if !form.is_sheet() {
                style += &readings(line, &self.y.label, &points);
            }
            svg.path(&points, style);
            if let Some(style) = line.look.dot() {
                points.iter().flatten().for_each(|point| svg.dot(*point, &style));
            }
        }
    }
}

/// The values of the points that are drawn, for whoever points at one.
fn readings(line: &PlotLine, unit: &str, pixels: &[Option<(f64, f64)>]) -> String {
    let drawn = line.points.iter().zip(pixels).filter(|(_, pixel)| pixel.is_some());
    let values = drawn.map(|((x, y), _)| format!("{x:.6} {:.4}", y.unwrap_or_default()));
    let values: Vec<String> = values.collect();
    let (name, unit) = (svg::escape(&line.name), svg::escape(unit));
    let values = values.join(",");
    format!(" data-name=\"{name}\" data-unit=\"{unit}\" data-values=\"{values}\"")
}
