//! The comparison: published figures, the campaign, and its variants, side by side.

use std::fmt::Write as _;

use load_gen::campaign::{Campaign, Figure, PlotKind};

use super::Outcome;
use super::figures::word;
use super::goodput;

/// What the campaign compares: its figures, and its goodput where it draws that.
pub(crate) fn table(campaign: &Campaign, outcomes: &[Outcome]) -> String {
    let mut text = figures(campaign, outcomes);
    if campaign.plots.contains(&PlotKind::Goodput) {
        if !text.is_empty() {
            text.push('\n');
        }
        text += &goodput::table(campaign, outcomes);
    }
    text
}

/// The figures, and below them what each row changes and where the published figures come from.
fn figures(campaign: &Campaign, outcomes: &[Outcome]) -> String {
    let figures = &campaign.figures;
    let rows = comparison(campaign, outcomes);
    if rows.is_empty() {
        return String::new();
    }
    let mut text = aligned(&rows);
    text.push('\n');
    for outcome in outcomes {
        let _ = writeln!(text, "{:<16} {}", outcome.name, outcome.title);
    }
    let mut sources: Vec<&str> =
        figures.iter().filter_map(|figure| figure.source.as_deref()).collect();
    sources.dedup();
    for source in sources {
        let _ = writeln!(text, "published by     {source}");
    }
    text
}

/// The cells of that table, heads first; nothing where the campaign compares nothing.
pub(crate) fn comparison(campaign: &Campaign, outcomes: &[Outcome]) -> Vec<Vec<String>> {
    let figures = &campaign.figures;
    if figures.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![row("", figures, |figure| figure.name.clone())];
    if figures.iter().any(|figure| figure.published.is_some()) {
        let published =
            |figure: &Figure| figure.published.clone().unwrap_or_else(|| "-".to_owned());
        rows.push(row("published", figures, published));
    }
    for outcome in outcomes {
        rows.push(row(&outcome.name, figures, |figure| word(figure, outcome)));
    }
    rows
}

fn row(name: &str, figures: &[Figure], cell: impl Fn(&Figure) -> String) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(figures.iter().map(cell)).collect()
}

/// Columns as wide as their widest cell; the first one is flush left.
pub(super) fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let width = *width;
            let _ = match column {
                0 => write!(text, "{cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}
