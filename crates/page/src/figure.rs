//! A chart of the page with its title, its legend and a note, drawn for each width that a window may have, so that its
//! letters are never too small to read and nobody has to scroll.

use maud::{Markup, PreEscaped, html};

use crate::plot::{LineStyle, Plot, PlotLine};

/// Widths of a chart, in pixels: across the page, one of two, one of three, and on a telephone.
pub(crate) const WIDE: f64 = 1_128.0;
pub(crate) const HALF: f64 = 548.0;
pub(crate) const THIRD: f64 = 360.0;
pub(crate) const NARROW: f64 = 354.0;

/// How much of the page it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Whole,
    Half,
    Third,
}

impl Room {
    /// Each width, with the class of the windows that see it.
    const fn widths(self) -> &'static [(f64, &'static str)] {
        match self {
            Self::Whole => &[(WIDE, "at-wide"), (HALF, "at-middle"), (NARROW, "at-narrow")],
            Self::Half => &[(HALF, "at-wide at-middle"), (NARROW, "at-narrow")],
            Self::Third => &[(THIRD, "at-wide at-middle at-narrow")],
        }
    }
}

/// What `draw` draws at each width; nothing where it has no point to draw.
pub(crate) fn figure(title: &str, note: &str, room: Room, draw: impl Fn(f64) -> Plot) -> Markup {
    let plots: Vec<(Plot, &str)> =
        room.widths().iter().map(|(width, class)| (draw(*width), *class)).collect();
    let Some((first, _)) = plots.first().filter(|(plot, _)| plot.has_points()) else {
        return Markup::default();
    };
    html! {
        figure {
            figcaption {
                h3 { (title) }
                (legend(first))
                p { (note) }
            }
            @for (plot, class) in &plots {
                div class={ "drawing " (class) } { (PreEscaped(plot.svg())) }
            }
        }
    }
}

/// The looks of its lines, where there is more than one.
fn legend(plot: &Plot) -> Markup {
    let lines = plot.legend_lines();
    let has_spans = plot.panels.iter().any(|panel| !panel.spans.is_empty());
    let name = |line: &PlotLine| match line.title.is_empty() {
        true => line.name.clone(),
        false => line.title.clone(),
    };
    html! {
        @if lines.len() + usize::from(has_spans) > 1 {
            ul.legend {
                @for line in lines { li { (PreEscaped(line.look.sample())) " " (name(line)) } }
                @if has_spans { li { (PreEscaped(LineStyle::sample_of_span())) " down" } }
            }
        }
    }
}
