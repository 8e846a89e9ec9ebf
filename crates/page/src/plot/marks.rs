//! Events on a time axis: vertical lines, with labels that stand in lanes above the plot so that none hides another.

use super::svg::Anchor;

/// Between two events that share one line, and between two labels, in pixels.
const NEAR: f64 = 2.0;
const GAP: f64 = 12.0;
/// The width of a letter of a label, with some room to spare.
const LETTER: f64 = 6.2;

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    /// Where on the x axis.
    pub(crate) at: f64,
    /// A few words.
    pub(crate) label: String,
    /// The whole sentence, for whoever points at it; empty when the label says it all.
    pub(crate) title: String,
}

impl Mark {
    fn title(&self) -> &str {
        if self.title.is_empty() { &self.label } else { &self.title }
    }
}

/// A label in its lane.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    /// Pixels from the left of the sheet.
    pub(super) x: f64,
    /// Zero is the highest.
    pub(super) lane: usize,
    pub(super) anchor: Anchor,
    pub(super) label: String,
    pub(super) title: String,
}

/// Puts labels into as few lanes as they need. `x` tells the pixel of a place on the axis, if it is on it.
pub(super) fn place(marks: &[Mark], x: impl Fn(f64) -> Option<f64>, right: f64) -> Vec<Placed> {
    let mut at: Vec<(f64, String, String)> = Vec::new();
    let mut sorted: Vec<&Mark> = marks.iter().collect();
    sorted.sort_by(|one, other| one.at.total_cmp(&other.at));
    for mark in sorted {
        let Some(x) = x(mark.at) else { continue };
        match at.last_mut().filter(|(last, ..)| x - *last < NEAR) {
            Some((_, label, title)) => {
                label.push_str(", ");
                label.push_str(&mark.label);
                title.push_str("; ");
                title.push_str(mark.title());
            }
            None => at.push((x, mark.label.clone(), mark.title().to_owned())),
        }
    }
    let mut lanes: Vec<f64> = Vec::new();
    let placed = at.into_iter().map(|(x, label, title)| {
        let width = label.chars().count() as f64 * LETTER;
        let anchor = if x + width > right { Anchor::End } else { Anchor::Start };
        let (from, to) = match anchor {
            Anchor::End => (x - width, x),
            _ => (x, x + width),
        };
        let lane = lanes.iter().position(|end| end + GAP <= from).unwrap_or_else(|| {
            lanes.push(0.0);
            lanes.len() - 1
        });
        lanes[lane] = to;
        Placed { x, lane, anchor, label, title }
    });
    placed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(at: f64, label: &str) -> Mark {
        Mark { at, label: label.to_owned(), title: String::new() }
    }

    fn marks(labels: &[(f64, &str)]) -> Vec<Mark> {
        labels.iter().map(|(at, label)| mark(*at, label)).collect()
    }

    #[test]
    fn labels_that_would_hide_each_other_stand_in_lanes() {
        let marks = marks(&[
            (300.0, "late"),
            (0.0, "first"),
            (1.0, "second"),
            (10.0, "third"),
            (999.0, "off"),
        ]);
        let placed = place(&marks, |at| (at < 400.0).then_some(at), 310.0);
        let told: Vec<(usize, &str)> =
            placed.iter().map(|one| (one.lane, &one.label[..])).collect();
        assert_eq!(told, [(0, "first, second"), (1, "third"), (0, "late")]);
        assert_eq!(placed[2].anchor, Anchor::End);
    }
}
