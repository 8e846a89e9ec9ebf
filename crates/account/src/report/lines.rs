//! How the lines and tables of a report are written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::text::or_dash;

/// Rows per table; the rest is counted in one more line.
const ROWS: usize = 6;
/// Columns of a line.
pub(super) const WIDTH: usize = 100;

/// A title line, up to [`ROWS`] rows, and an empty line.
pub(super) fn table<T>(
    out: &mut String,
    name: &str,
    title: [&str; 6],
    rows: &BTreeMap<String, T>,
    row: impl Fn(&T) -> [String; 6],
) {
    if rows.is_empty() {
        return;
    }
    let line = |first: &str, cells: &[String; 6]| {
        let name: String = first.chars().take(16).collect();
        let mut line = format!("{name:<16}");
        for cell in cells {
            let _ = write!(line, "{cell:>13}");
        }
        line
    };
    push(out, &line(name, &title.map(str::to_owned)));
    for (name, value) in rows.iter().take(ROWS) {
        push(out, &line(name, &row(value)));
    }
    if rows.len() > ROWS {
        push(out, &format!("… and {} more in summary.json", rows.len() - ROWS));
    }
    push(out, "");
}

/// As many lines as the words need; all but the first are indented.
pub(super) fn wrapped(words: &str) -> Vec<String> {
    let options = textwrap::Options::new(WIDTH)
        .subsequent_indent("  ")
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::wrap(words, options).into_iter().map(Cow::into_owned).collect()
}

/// Adds what must be read to its end, in as many lines as it needs.
pub(super) fn push_whole(out: &mut String, words: &str) {
    wrapped(words).iter().for_each(|line| push(out, line));
}

/// Microseconds as milliseconds.
pub(super) fn millis(micros: Option<u64>) -> String {
    or_dash(micros.map(|micros| format!("{:.1}", micros as f64 / 1_000.0)))
}

/// A mean opinion score.
pub(super) fn score(mos: Option<f64>) -> String {
    or_dash(mos.map(|mos| format!("{mos:.2}")))
}

pub(super) fn percent(share: Option<f64>, decimals: usize) -> String {
    or_dash(share.map(|share| format!("{:.decimals$} %", share * 100.0)))
}

/// Adds one line, cut to the width of the report.
pub(super) fn push(out: &mut String, line: &str) {
    if line.chars().count() > WIDTH {
        out.extend(line.chars().take(WIDTH - 1));
        out.push('…');
    } else {
        out.push_str(line.trim_end());
    }
    out.push('\n');
}
