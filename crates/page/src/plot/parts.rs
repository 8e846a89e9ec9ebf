//! What a plot is made of.

use super::line_style::LineStyle;
use super::ticks::Scale;

/// An axis, which begins at zero, or where its scale does.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    /// What it measures, and in which unit.
    pub(crate) label: String,
    pub(crate) scale: Scale,
    /// Where it ends; `None`: at the first tick beyond all points.
    pub(crate) end: Option<f64>,
}

/// A stretch of the x axis: a phase of a campaign.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Band {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) name: String,
    /// Darker than its neighbours.
    pub(crate) is_shaded: bool,
}

/// A stretch of one panel in which something was not as usual.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// The sentence for whoever points at it.
    pub(crate) title: String,
}

/// One plane of lines. The same line of each panel looks the same; the legend has each look once.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// What it shows, above it; empty where the plot says it all.
    pub(crate) title: String,
    pub(crate) y: Axis,
    /// In pixels.
    pub(crate) height: f64,
    pub(crate) lines: Vec<PlotLine>,
    pub(crate) spans: Vec<Span>,
}

/// One line.
#[derive(Debug, Clone)]
pub(crate) struct PlotLine {
    pub(crate) name: String,
    /// What it is, in words.
    pub(crate) title: String,
    pub(crate) look: LineStyle,
    /// In the order in which the line passes them; without a `y` it has a gap.
    pub(crate) points: Vec<(f64, Option<f64>)>,
}
