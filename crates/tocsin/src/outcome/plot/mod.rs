//! Line plots as SVG files of their own, which can be looked at in a browser and printed.
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

mod marks;
mod svg;
#[cfg(test)]
mod tests;
mod ticks;

pub(crate) use self::marks::Mark;
use self::svg::{Anchor, Svg};
pub(crate) use self::ticks::Scale;

const WIDTH: f64 = 1_000.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = WIDTH - 26.0;
/// Room for the title, for a lane of labels, between panels, for the x axis, and for a row of the legend.
const TITLE: f64 = 40.0;
const LANE: f64 = 16.0;
const BETWEEN: f64 = 18.0;
const X_AXIS: f64 = 58.0;
const ROW: f64 = 19.0;
/// Steps of the x axis, at most, and the room that a step of a y axis needs.
const X_STEPS: f64 = 10.0;
const Y_STEP: f64 = 30.0;
/// The width of a letter of the legend, and how many of them fit beside a long name.
const LETTER: f64 = 7.0;
const ROW_LETTERS: usize = 90;

/// Colours that people with any kind of colour vision can tell apart (Okabe and Ito), without the yellow, which is hard to
/// see on white; and dashes, so that a copy in grey can be read too. Six and seven have no common factor.
const COLOURS: [&str; 7] =
    ["#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#b97700"];
const DASHES: [&str; 6] = ["none", "9 5", "2 5", "12 4 2 4", "18 5", "6 4 2 4 2 4"];

/// A plot: one x axis, and panels above each other.
#[derive(Debug, Clone)]
pub(crate) struct Plot {
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) panels: Vec<Panel>,
    pub(crate) marks: Vec<Mark>,
}

/// An axis, which begins at zero.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    /// What it measures, and in which unit.
    pub(crate) label: String,
    pub(crate) scale: Scale,
    /// Where it ends; `None`: at the first tick beyond all points.
    pub(crate) end: Option<f64>,
}

/// One plane of lines. The same line of each panel looks the same; the legend has those of the first one.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub(crate) y: Axis,
    /// In pixels.
    pub(crate) height: f64,
    pub(crate) lines: Vec<Line>,
}

/// One line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// What it is, in words.
    pub(crate) title: String,
    pub(crate) look: Look,
    /// In the order in which the line passes them; without a `y` it has a gap.
    pub(crate) points: Vec<(f64, Option<f64>)>,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// In the colour and dashes of this number; with a dot at each point or without. The first one is thick.
    Run { number: usize, dots: bool },
    /// Thin and grey: something to compare with.
    Reference,
}

impl Look {
    fn style(self) -> String {
        match self {
            Self::Run { number, .. } => format!(
                "stroke=\"{}\" stroke-dasharray=\"{}\" stroke-width=\"{}\"",
                COLOURS[number % COLOURS.len()],
                DASHES[number % DASHES.len()],
                if number == 0 { 2.6 } else { 1.9 }
            ),
            Self::Reference => "stroke=\"#999\" stroke-width=\"1\"".to_owned(),
        }
    }

    fn dot(self) -> Option<String> {
        match self {
            Self::Run { number, dots: true } => {
                Some(format!("fill=\"{}\"", COLOURS[number % COLOURS.len()]))
            }
            _ => None,
        }
    }
}

/// Where a panel is on the sheet, in pixels, and where its axes end.
#[derive(Debug, Clone, Copy)]
struct Frame {
    top: f64,
    bottom: f64,
    x_end: f64,
    y_end: f64,
}

impl Frame {
    fn x(&self, value: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * value / self.x_end
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * value / self.y_end
    }

    /// The pixel of a point that is on the plane.
    fn point(&self, (x, y): (f64, Option<f64>)) -> Option<(f64, f64)> {
        let y = y.filter(|y| (0.0..=self.y_end).contains(y))?;
        (0.0..=self.x_end).contains(&x).then(|| (self.x(x), self.y(y)))
    }
}

impl Plot {
    /// The file. The same plot gives the same bytes.
    pub(crate) fn svg(&self) -> String {
        let x_end = self.x_end();
        let on_axis =
            |at: f64| (0.0..=x_end).contains(&at).then(|| LEFT + (RIGHT - LEFT) * at / x_end);
        let labels = marks::place(&self.marks, on_axis, RIGHT);
        let lanes = labels.iter().map(|label| label.lane + 1).max().unwrap_or_default();
        let top = TITLE + LANE * lanes as f64 + if lanes > 0 { 6.0 } else { 0.0 };
        let mut bottom = top - BETWEEN;
        let frames: Vec<Frame> = self
            .panels
            .iter()
            .map(|panel| {
                let top = bottom + BETWEEN;
                bottom = top + panel.height;
                Frame { top, bottom, x_end, y_end: panel.y_end() }
            })
            .collect();
        let rows = self.panels.first().map_or(0, |panel| panel.lines.len());
        let height = bottom + X_AXIS + ROW * rows as f64;
        let mut svg = Svg::new(WIDTH, height, &self.title);
        svg.text((LEFT, 24.0), Anchor::Start, "font-size=\"17\" font-weight=\"bold\"", &self.title);
        for (panel, frame) in self.panels.iter().zip(&frames) {
            self.grid(&mut svg, panel, frame);
        }
        let lane = |lane: usize| TITLE + LANE * lane as f64;
        for label in &labels {
            let from = (label.x, lane(label.lane));
            let style = "stroke=\"#555\" stroke-width=\"1\" stroke-dasharray=\"3 3\"";
            svg.line(from, (label.x, bottom), style);
        }
        for (panel, frame) in self.panels.iter().zip(&frames) {
            panel.draw(&mut svg, frame);
        }
        for label in &labels {
            let aside = if label.anchor == Anchor::End { -4.0 } else { 4.0 };
            let at = (label.x + aside, lane(label.lane) + 11.0);
            let halo = "font-size=\"12\" stroke=\"#fff\" stroke-width=\"4\" paint-order=\"stroke\"";
            svg.text(at, label.anchor, halo, &label.label);
        }
        self.x_axis(&mut svg, bottom, x_end);
        self.legend(&mut svg, bottom + X_AXIS);
        svg.finish()
    }

    fn x_end(&self) -> f64 {
        let lines = self.panels.iter().flat_map(|panel| &panel.lines);
        let most = lines.flat_map(|line| &line.points).map(|(x, _)| *x).fold(0.0, f64::max);
        self.x.end.filter(|end| *end > 0.0).unwrap_or_else(|| self.x.scale.end(most, X_STEPS))
    }

    fn grid(&self, svg: &mut Svg, panel: &Panel, frame: &Frame) {
        let thin = "stroke=\"#e4e4e4\" stroke-width=\"1\"";
        let axis = "stroke=\"#222\" stroke-width=\"1\"";
        for (at, _) in self.x.scale.ticks(frame.x_end, X_STEPS) {
            svg.line((frame.x(at), frame.top), (frame.x(at), frame.bottom), thin);
        }
        for (at, word) in panel.y.scale.ticks(frame.y_end, panel.y_steps()) {
            svg.line((LEFT, frame.y(at)), (RIGHT, frame.y(at)), thin);
            svg.text((LEFT - 8.0, frame.y(at) + 4.5), Anchor::End, "", &word);
        }
        svg.line((LEFT, frame.top), (LEFT, frame.bottom), axis);
        svg.line((LEFT, frame.bottom), (RIGHT, frame.bottom), axis);
        let (x, y) = (18.0, f64::midpoint(frame.top, frame.bottom));
        let turned = format!("transform=\"rotate(-90 {x:.1} {y:.1})\"");
        svg.text((x, y), Anchor::Middle, turned, &panel.y.label);
        if panel.is_empty(frame) {
            let middle = (f64::midpoint(LEFT, RIGHT), y);
            svg.text(middle, Anchor::Middle, "fill=\"#555\"", "nothing was measured");
        }
    }

    fn x_axis(&self, svg: &mut Svg, bottom: f64, x_end: f64) {
        let axis = "stroke=\"#222\" stroke-width=\"1\"";
        for (at, word) in self.x.scale.ticks(x_end, X_STEPS) {
            let x = LEFT + (RIGHT - LEFT) * at / x_end;
            svg.line((x, bottom), (x, bottom + 5.0), axis);
            svg.text((x, bottom + 20.0), Anchor::Middle, "", &word);
        }
        let middle = f64::midpoint(LEFT, RIGHT);
        svg.text((middle, bottom + 40.0), Anchor::Middle, "", &self.x.label);
    }

    fn legend(&self, svg: &mut Svg, top: f64) {
        let lines = self.panels.first().map(|panel| &panel.lines[..]).unwrap_or_default();
        let longest = lines.iter().map(|line| line.name.chars().count()).max().unwrap_or_default();
        let titles = LEFT + 62.0 + LETTER * longest as f64 + 14.0;
        for (row, line) in lines.iter().enumerate() {
            let y = top + ROW * row as f64 + 4.0;
            svg.line((LEFT, y), (LEFT + 52.0, y), line.look.style());
            if let Some(style) = line.look.dot() {
                svg.dot((LEFT + 26.0, y), style);
            }
            svg.text((LEFT + 62.0, y + 4.5), Anchor::Start, "", &line.name);
            let fits: String = line.title.chars().take(ROW_LETTERS).collect();
            svg.text((titles, y + 4.5), Anchor::Start, "fill=\"#555\"", &fits);
        }
    }
}

impl Panel {
    fn y_end(&self) -> f64 {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let most = points.filter_map(|(_, y)| *y).fold(0.0, f64::max);
        self.y
            .end
            .filter(|end| *end > 0.0)
            .unwrap_or_else(|| self.y.scale.end(most, self.y_steps()))
    }

    /// As many steps as its height has room for.
    fn y_steps(&self) -> f64 {
        (self.height / Y_STEP).floor().clamp(1.0, 12.0)
    }

    fn is_empty(&self, frame: &Frame) -> bool {
        let mut points = self.lines.iter().flat_map(|line| &line.points);
        points.all(|point| frame.point(*point).is_none())
    }

    /// The first line is drawn last, over the others.
    fn draw(&self, svg: &mut Svg, frame: &Frame) {
        for line in self.lines.iter().rev() {
            let points: Vec<_> = line.points.iter().map(|point| frame.point(*point)).collect();
            svg.path(&points, line.look.style());
            if let Some(style) = line.look.dot() {
                points.iter().flatten().for_each(|point| svg.dot(*point, &style));
            }
        }
    }
}
