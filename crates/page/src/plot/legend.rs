//! The legend of a sheet, below it.

use super::frame::Measures;
use super::parts::PlotLine;
use super::svg::{Anchor, Svg};

/// The width of a letter, and how many of them fit beside a long name.
const LETTER: f64 = 7.5;
const ROW_LETTERS: usize = 90;

/// A row for each line: a piece of it, its name, and what it is.
pub(super) fn draw(svg: &mut Svg, measures: &Measures, top: f64, lines: &[&PlotLine]) {
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
        let style = "class=\"unit\" fill=\"#555\"";
        svg.text((titles, y + 4.5), Anchor::Start, style, &fits);
    }
}
