//! Tables that hide columns where the terminal is too narrow for all of them, and tell of rows that do not fit.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Row, Table};

use super::style::FAINT;

/// Between two columns.
const GAP: u16 = 1;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) head: &'static str,
    pub(super) width: u16,
    pub(super) is_number: bool,
    /// Those with the highest are hidden first; zero never is.
    pub(super) hidden: u8,
}

impl Column {
    pub(super) const fn text(head: &'static str, width: u16, hidden: u8) -> Self {
        Self { head, width, is_number: false, hidden }
    }

    pub(super) const fn number(head: &'static str, width: u16, hidden: u8) -> Self {
        Self { head, width, is_number: true, hidden }
    }
}

/// A row: its cells, how they look, and whether it may give way to rows that matter more.
#[derive(Debug)]
pub(super) struct TableRow {
    pub(super) cells: Vec<String>,
    pub(super) style: Style,
    pub(super) is_usual: bool,
}

/// The room that all columns need.
pub(super) fn width_of(columns: &[Column]) -> u16 {
    let gaps = GAP * (columns.len() as u16).saturating_sub(1);
    columns.iter().map(|column| column.width).sum::<u16>() + gaps
}

/// The places of the columns that fit.
pub(super) fn fitting(columns: &[Column], width: u16) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..columns.len()).collect();
    loop {
        let kept: Vec<Column> = shown.iter().map(|place| columns[*place]).collect();
        let least =
            (0..shown.len()).filter(|at| kept[*at].hidden > 0).max_by_key(|at| kept[*at].hidden);
        match least {
            Some(least) if width_of(&kept) > width => shown.remove(least),
            _ => return shown,
        };
    }
}

/// Draws what fits into `area`.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, columns: &[Column], mut rows: Vec<TableRow>) {
    if rows.is_empty() || area.height == 0 {
        return;
    }
    let room = usize::from(area.height - 1);
    let hidden = rows.len().saturating_sub(room);
    if hidden > 0 {
        // What is not as usual is to be seen.
        rows.sort_by_key(|row| row.is_usual);
        rows.truncate(room.saturating_sub(1));
    }
    let shown = fitting(columns, area.width);
    let cell = |column: &Column, text: &str| {
        let width = usize::from(column.width);
        match column.is_number {
            true => format!("{text:>width$}"),
            false => shorten(text, width),
        }
    };
    let of = |row: &TableRow| {
        let cells = shown.iter().map(|at| cell(&columns[*at], &row.cells[*at]));
        Row::new(cells.collect::<Vec<_>>()).style(row.style)
    };
    let widths = shown.iter().map(|at| Constraint::Length(columns[*at].width));
    let heads = shown.iter().map(|at| cell(&columns[*at], columns[*at].head));
    let header = Row::new(heads.collect::<Vec<_>>()).style(FAINT);
    let lines = rows.len() as u16;
    let table = Table::new(rows.iter().map(of), widths).column_spacing(GAP).header(header);
    frame.render_widget(table, area);
    if hidden > 0 && room > 0 {
        let more = Line::styled(format!("and {} more", hidden + 1), FAINT);
        let below = Rect { y: area.y + 1 + lines, height: 1, ..area };
        frame.render_widget(more, below);
    }
}

/// As many letters as fit, with an ellipsis where there were more.
pub(super) fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).take(width).collect()
}
