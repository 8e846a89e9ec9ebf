//! Events on a time axis: vertical lines, with labels that stand in lanes above the plot so that none hides another.

use super::svg::Anchor;

/// Between two events that share one line, and between two labels, in pixels.
const NEAR: f64 = 2.0;
const GAP: f64 = 12.0;
/// The width of a letter of a label, with some room to spare.
const LETTER: f64 = 6.6;

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
    /// Of the label, in pixels.
    pub(super) width: f64,
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
    let mut placed: Vec<Placed> = Vec::new();
    for (x, label, title) in at {
        let width = label.chars().count() as f64 * LETTER + 4.0;
        let anchor = if x + width > right { Anchor::End } else { Anchor::Start };
        let lane = lane(&placed, x, width, anchor);
        placed.push(Placed { x, lane, width, anchor, label, title });
    }
    placed
}

/// The highest lane in which a label stands on no other, and its line goes through none: a line begins in its lane, and the
/// lines of earlier labels come from further up.
fn lane(placed: &[Placed], x: f64, width: f64, anchor: Anchor) -> usize {
    let (from, to) = extent(x, width, anchor);
    let overlaps = |one: &&Placed| {
        let (start, end) = extent(one.x, one.width, one.anchor);
        start < to + GAP && from < end + GAP
    };
    let taken: Vec<usize> = placed.iter().filter(overlaps).map(|one| one.lane).collect();
    match anchor {
        Anchor::End => (0..).find(|lane| !taken.contains(lane)).unwrap_or_default(),
        _ => taken.into_iter().max().map_or(0, |lowest| lowest + 1),
    }
}

fn extent(x: f64, width: f64, anchor: Anchor) -> (f64, f64) {
    match anchor {
        Anchor::End => (x - width, x),
        _ => (x, x + width),
    }
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

    #[test]
    fn no_line_goes_through_the_label_of_an_earlier_one() {
        let marks =
            marks(&[(0.0, "a long label of the first"), (50.0, "b"), (90.0, "c"), (170.0, "d")]);
        let placed = place(&marks, Some, 1_000.0);
        let lanes: Vec<usize> = placed.iter().map(|one| one.lane).collect();
        assert_eq!(lanes, [0, 1, 1, 1], "the second stands below the first, and so does the third");
    }
}
