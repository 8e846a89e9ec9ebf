//! Figures and tables as text.

/// Columns as wide as their widest cell; those from `numbers` on end at the same place.
pub fn table(rows: &[Vec<String>], numbers: &[usize]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells =
            row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                match numbers.contains(&column) {
                    true => format!("{cell:>width$}"),
                    false => format!("{cell:<width$}"),
                }
            });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Columns as wide as their widest cell; the first one is flush left, all others are flush right.
#[must_use]
pub fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    table(rows, &(1..columns).collect::<Vec<_>>())
}

/// `-` for what is not known.
pub fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

pub fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// Microseconds as milliseconds.
pub fn millis(us: f64) -> String {
    format!("{:.1} ms", us / 1e3)
}

/// Microseconds as seconds, to the millisecond.
pub fn seconds(us: i64) -> String {
    format!("{:.3}", us as f64 / 1e6)
}

/// What a terminal shows of a text from elsewhere: no control characters.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A number with a comma between thousands.
#[must_use]
pub fn grouped(number: &str) -> String {
    let whole = number.find('.').unwrap_or(number.len());
    let mut text = String::with_capacity(number.len() + whole / 3);
    for (place, digit) in number.char_indices() {
        if place > 0 && place < whole && (whole - place).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
