//! Where things are on the sheet, in pixels.

use super::parts::{Axis, Panel};

/// What a plot is part of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// A file of its own, with title and legend.
    Sheet,
    /// A figure of a page, so many pixels wide. The page says what it shows and what its lines are.
    Figure { width: f64 },
}

/// The measures of a form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measures {
    pub(super) width: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    /// Room for the title, for a lane of labels, for the names of bands, between panels, between those with a title, for the
    /// x axis, and for a row of the legend.
    pub(super) title: f64,
    pub(super) lane: f64,
    pub(super) names: f64,
    pub(super) between: f64,
    pub(super) titled: f64,
    pub(super) x_axis: f64,
    pub(super) row: f64,
    /// The size of its letters.
    pub(super) letters: f64,
    /// Room that a step of each axis needs.
    pub(super) x_step: f64,
    pub(super) y_step: f64,
}

impl Form {
    pub(super) const fn measures(self) -> Measures {
        match self {
            Self::Sheet => Measures {
                width: 1_000.0,
                left: 78.0,
                right: 974.0,
                title: 40.0,
                lane: 16.0,
                names: 16.0,
                between: 18.0,
                titled: 30.0,
                x_axis: 58.0,
                row: 19.0,
                letters: 13.0,
                x_step: 89.0,
                y_step: 30.0,
            },
            Self::Figure { width } => Measures {
                width,
                left: 54.0,
                right: width - 12.0,
                title: 2.0,
                lane: 15.0,
                names: 15.0,
                between: 21.0,
                titled: 21.0,
                x_axis: 38.0,
                row: 0.0,
                letters: 11.5,
                x_step: 62.0,
                y_step: 24.0,
            },
        }
    }

    /// As many steps as its x axis has room for.
    pub(crate) fn x_steps(self) -> f64 {
        self.measures().x_steps()
    }

    pub(super) fn is_sheet(self) -> bool {
        self == Self::Sheet
    }
}

impl Measures {
    /// As many steps as an axis from left to right has room for.
    pub(super) fn x_steps(&self) -> f64 {
        ((self.right - self.left) / self.x_step).floor().max(1.0)
    }

    /// Between this panel and the one above it.
    pub(super) fn above(&self, panel: &Panel) -> f64 {
        if panel.title.is_empty() { self.between } else { self.titled }
    }

    /// The width of a text in letters of this plot, rather too wide than too narrow.
    pub(super) fn text(&self, text: &str) -> f64 {
        text.chars().count() as f64 * self.letters * 0.58
    }

    /// The same of an axis of this height.
    pub(super) fn y_steps(&self, height: f64) -> f64 {
        (height / self.y_step).floor().clamp(1.0, 12.0)
    }
}

/// Where a panel is, and where its axes end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    x: (&'a Axis, f64),
    y: (&'a Axis, f64),
    pub(super) y_steps: f64,
}

impl<'a> Frame<'a> {
    /// Of a panel whose upper edge is at `top`.
    pub(super) fn new(measures: &Measures, top: f64, panel: &'a Panel, x: (&'a Axis, f64)) -> Self {
        let y_steps = measures.y_steps(panel.height);
        Self {
            left: measures.left,
            right: measures.right,
            top,
            bottom: top + panel.height,
            x,
            y: (&panel.y, panel.y_end(y_steps)),
            y_steps,
        }
    }

    pub(super) fn x(&self, value: f64) -> f64 {
        let (axis, end) = self.x;
        self.left + (self.right - self.left) * axis.scale.place(value, end)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        let (axis, end) = self.y;
        self.bottom - (self.bottom - self.top) * axis.scale.place(value, end)
    }

    /// The pixel of a place on the x axis, if it is on it.
    pub(super) fn on_axis(&self, at: f64) -> Option<f64> {
        (0.0..=self.x.1).contains(&at).then(|| self.x(at))
    }

    pub(super) const fn x_end(&self) -> f64 {
        self.x.1
    }

    pub(super) const fn y_end(&self) -> f64 {
        self.y.1
    }

    /// The pixel of a point that is on the plane.
    pub(super) fn point(&self, (x, y): (f64, Option<f64>)) -> Option<(f64, f64)> {
        let y = y.filter(|y| (0.0..=self.y.1).contains(y))?;
        Some((self.on_axis(x)?, self.y(y)))
    }
}
