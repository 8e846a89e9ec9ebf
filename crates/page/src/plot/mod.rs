//! Line plots as SVG: files of their own, which can be looked at in a browser and printed, and figures of a page.
//!
//! ```text
//!   title
//!   first command   alarm            marks.rs   labels of events, in lanes
//!   │               │
//!   ├───────────────┼──────────      panels     one above the other, with one x axis
//!   │               │                ticks.rs   round numbers
//!   └───────────────┴──────────
//!   ── base  what it is              legend.rs  one row for each look of a line
//!   -- variant  what it is
//! ```

mod frame;
mod legend;
mod line_style;
mod marks;
mod parts;
mod svg;
#[cfg(test)]
mod tests;
mod ticks;
mod tornado;

pub(crate) use self::frame::Form;
use self::frame::{Frame, Measures};
pub(crate) use self::line_style::LineStyle;
pub(crate) use self::marks::Mark;
use self::marks::Placed;
pub(crate) use self::parts::{Axis, Band, Panel, PlotLine, Span};
use self::svg::{Anchor, Kind, Svg};
pub(crate) use self::ticks::Scale;
pub(crate) use self::tornado::Tornado;

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
        let labels = self.labels(&measures, x_end);
        let lanes = labels.iter().map(|label| label.lane + 1).max().unwrap_or_default();
        let mut bottom = measures.title + measures.lane * lanes as f64;
        if self.bands.iter().any(|band| !band.name.is_empty()) {
            bottom += measures.names;
        }
        let mut frames: Vec<Frame<'_>> = Vec::new();
        for (number, panel) in self.panels.iter().enumerate() {
            let top = match (number, self.form, lanes) {
                // What a panel measures, or shows, stands above it, but not above that of a sheet without a title.
                (0, Form::Sheet, 0) if panel.title.is_empty() => bottom,
                (0, Form::Sheet, _) if panel.title.is_empty() => bottom + 6.0,
                _ => bottom + measures.above(panel),
            };
            let frame = Frame::new(&measures, top, panel, (&self.x, x_end));
            bottom = frame.bottom;
            frames.push(frame);
        }
        let legend = self.legend_lines();
        let height = bottom + measures.x_axis + measures.row * legend.len() as f64;
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
        self.draw(&mut svg, &frames, &labels, bottom);
        self.x_axis(&mut svg, &measures, bottom, x_end);
        if self.form.is_sheet() {
            legend::draw(&mut svg, &measures, bottom + measures.x_axis, &legend);
        }
        svg.finish()
    }

    /// The labels of the marks, in their lanes.
    fn labels(&self, measures: &Measures, x_end: f64) -> Vec<Placed> {
        let across = measures.right - measures.left;
        let on_axis = |at: f64| {
            let place = || measures.left + across * self.x.scale.place(at, x_end);
            (0.0..=x_end).contains(&at).then(place)
        };
        marks::place(&self.marks, on_axis, measures.right)
    }

    /// Panels with what lies below and above them.
    fn draw(&self, svg: &mut Svg, frames: &[Frame<'_>], labels: &[Placed], bottom: f64) {
        let measures = self.form.measures();
        for (number, (panel, frame)) in self.panels.iter().zip(frames).enumerate() {
            self.bands(svg, frame, number == 0);
            panel.spans(svg, frame);
            panel.surfaces(svg, frame);
            self.grid(svg, panel, frame);
        }
        let lane = |lane: usize| measures.title + measures.lane * lane as f64;
        // Panels with a title of their own are of other runs than the marks, which are of the first.
        let is_of_all = self.form.is_sheet() && self.panels.iter().any(|one| !one.title.is_empty());
        let end = frames.first().filter(|_| is_of_all).map_or(bottom, |first| first.bottom);
        for label in labels {
            let from = (label.x, lane(label.lane));
            let style =
                "class=\"mark\" stroke=\"#555\" stroke-width=\"1\" stroke-dasharray=\"3 3\"";
            svg.mark(from, (label.x, end), style, &label.title);
        }
        for (panel, frame) in self.panels.iter().zip(frames) {
            panel.draw(svg, frame, self.form);
            panel.title(svg, frame, self.form);
        }
        for label in labels {
            let aside = if label.anchor == Anchor::End { -4.0 } else { 4.0 };
            let at = (label.x + aside, lane(label.lane) + 11.0);
            let halo = "class=\"label\" font-size=\"12\" stroke=\"#fff\" stroke-width=\"4\" paint-order=\"stroke\"";
            svg.text(at, label.anchor, halo, &label.label);
        }
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
            let width = band.name.chars().count() as f64 * 6.0 + 8.0;
            if with_names && !band.name.is_empty() && width < to - from {
                let style = "class=\"phase\" font-size=\"10.5\" fill=\"#666\"";
                let up = self.form.measures().between + 3.0;
                svg.text((from + 3.0, frame.top - up), Anchor::Start, style, &band.name);
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
        // From below; what would stand on the one before is left out.
        let mut last = f64::INFINITY;
        for (at, word) in panel.y.scale.ticks(frame.y_end(), frame.y_steps) {
            let y = frame.y(at);
            svg.line((frame.left, y), (frame.right, y), thin);
            if last - y >= measures.letters {
                let style = "class=\"tick\"";
                svg.text((frame.left - 8.0, y + 4.0), Anchor::End, style, &word);
                last = y;
            }
        }
        if is_sheet {
            svg.line((frame.left, frame.top), (frame.left, frame.bottom), axis);
        }
        svg.line((frame.left, frame.bottom), (frame.right, frame.bottom), axis);
        let y = f64::midpoint(frame.top, frame.bottom);
        if is_sheet {
            let x = 18.0;
            let turned = format!("transform=\"rotate(-90 {x:.1} {y:.1})\"");
            // Not where it would be longer than the panel is high.
            if measures.text(&panel.y.label) <= panel.height {
                svg.text((x, y), Anchor::Middle, turned, &panel.y.label);
            }
        } else if panel.title.is_empty() {
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
        let mut free_from = 0.0;
        for (at, word) in self.x.scale.ticks(x_end, measures.x_steps()) {
            let x = left + (right - left) * self.x.scale.place(at, x_end);
            svg.line((x, bottom), (x, bottom + 5.0), axis);
            let half = measures.text(&word) / 2.0;
            let (place, anchor) = match x + half > measures.width {
                true => (measures.width, Anchor::End),
                false => (x, Anchor::Middle),
            };
            let from = if anchor == Anchor::End { place - half * 2.0 } else { x - half };
            if from < free_from {
                continue;
            }
            free_from = from + half * 2.0 + 4.0;
            svg.text((place, bottom + measures.letters + 7.0), anchor, "class=\"tick\"", &word);
        }
        let (at, anchor) = match self.form {
            Form::Sheet => (f64::midpoint(left, right), Anchor::Middle),
            Form::Figure { .. } => (right, Anchor::End),
        };
        let below = bottom + measures.x_axis - if self.form.is_sheet() { 18.0 } else { 4.0 };
        svg.text((at, below), anchor, "class=\"unit\" fill=\"#555\"", &self.x.label);
    }

    /// Whether there is anything to draw.
    pub(crate) fn has_points(&self) -> bool {
        let mut points =
            self.panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.points);
        points.any(|(x, y)| x.is_finite() && y.is_some_and(f64::is_finite))
    }

    /// Each look once.
    pub(crate) fn legend_lines(&self) -> Vec<&PlotLine> {
        let mut lines: Vec<&PlotLine> = Vec::new();
        for line in self.panels.iter().flat_map(|panel| &panel.lines) {
            if lines.iter().all(|known| known.look != line.look) {
                lines.push(line);
            }
        }
        lines
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

    /// What it shows, above it.
    fn title(&self, svg: &mut Svg, frame: &Frame<'_>, form: Form) {
        if self.title.is_empty() {
            return;
        }
        let style = match form.is_sheet() {
            true => {
                "class=\"label\" font-weight=\"bold\" stroke=\"#fff\" stroke-width=\"4\" paint-order=\"stroke\""
            }
            false => "class=\"name\"",
        };
        svg.text((frame.left, frame.top - 6.0), Anchor::Start, style, &self.title);
    }

    /// Stretches in which something was not as usual: tinted, with a thick line along the bottom, so that a copy in grey
    /// has them too.
    fn spans(&self, svg: &mut Svg, frame: &Frame<'_>) {
        for span in &self.spans {
            let Some(from) = frame.on_axis(span.from) else { continue };
            let to = frame.x(span.to.min(frame.x_end()));
            let height = frame.bottom - frame.top;
            svg.span((from, frame.top), ((to - from).max(1.5), height), &span.title);
        }
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
