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

/// A number of things: `1 call`, `2 calls`.
pub fn counted(number: u64, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

/// How long something took, as a person says it: `9.5 s`, `4 min 5 s`, `7 h 36 min`.
pub fn length(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..=119 => format!("{seconds:.1} s"),
        120..=3_599 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

/// An instant as people read it, with its zone: `2021-06-02 14:45:00 UTC` of what RFC 3339 writes in UTC.
pub fn instant(rfc3339: &str) -> String {
    let moment = rfc3339.split(['.', 'Z']).next().unwrap_or_default();
    format!("{} UTC", moment.replacen('T', " ", 1))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_times_and_numbers_as_they_say_them() {
        let said = [0.0, 29.96, 119.4, 120.0, 3_599.4, 27_396.0, 86_400.0].map(length);
        let words =
            ["0.0 s", "30.0 s", "119.4 s", "2 min 0 s", "59 min 59 s", "7 h 36 min", "24 h 0 min"];
        assert_eq!(said, words);
        assert_eq!(instant("2021-06-02T14:45:00.250Z"), "2021-06-02 14:45:00 UTC");
        assert_eq!(counted(1, "call", "calls"), "1 call");
        assert_eq!(counted(0, "call", "calls"), "0 calls");
    }
}
