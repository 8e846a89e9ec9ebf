//! `calls.csv`: every attempt as one line, for spreadsheets. The columns are those of the table `attempts`, and the
//! intended start in UTC. What a spreadsheet would take for a formula is marked as text.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use campaign::utc::rfc3339;

use super::cell::Cell;
use super::row::COLUMNS;
use super::rows::{AttemptRow, Batch};
use crate::spreadsheet;

/// Bytes that are written together.
const PIECE: usize = 256 * 1024;

/// Writes all rows.
pub fn write(path: &Path, rows: impl IntoIterator<Item = Batch>) -> anyhow::Result<()> {
    let mut file = File::create(path)?;
    let mut lines = Vec::with_capacity(PIECE + PIECE / 4);
    for column in &COLUMNS {
        write_text(&mut lines, column.name);
        lines.push(b',');
    }
    lines.extend_from_slice(b"intended_at\n");
    for batch in rows {
        batch.iter().for_each(|row| write_row(&mut lines, row));
        if lines.len() >= PIECE {
            file.write_all(&lines)?;
            lines.clear();
        }
    }
    file.write_all(&lines)?;
    Ok(())
}

fn write_row(lines: &mut Vec<u8>, row: AttemptRow<'_>) {
    for cell in row.cells.iter() {
        match cell {
            Cell::Nothing => {}
            Cell::Text(text) => write_text(lines, &spreadsheet::text(text)),
            Cell::Number(number) => write_number(lines, number),
            Cell::Real(real) => {
                let _ = write!(lines, "{real}");
            }
        }
        lines.push(b',');
    }
    lines.extend_from_slice(rfc3339(row.due_us).as_bytes());
    lines.push(b'\n');
}

/// RFC 4180 §2: what holds a comma, a quote or the end of a line is quoted, and quotes in it are doubled.
fn write_text(lines: &mut Vec<u8>, text: &str) {
    if !text.bytes().any(|octet| matches!(octet, b',' | b'"' | b'\n' | b'\r')) {
        lines.extend_from_slice(text.as_bytes());
        return;
    }
    lines.push(b'"');
    for octet in text.bytes() {
        if octet == b'"' {
            lines.push(octet);
        }
        lines.push(octet);
    }
    lines.push(b'"');
}

/// Several times faster than by `write!`.
fn write_number(lines: &mut Vec<u8>, number: i64) {
    if number < 0 {
        lines.push(b'-');
    }
    let mut rest = number.unsigned_abs();
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    lines.extend_from_slice(&digits[first..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_digits_and_texts_are_read_back() {
        for number in [0, 7, -7, 1_234_567, i64::MAX, i64::MIN] {
            let mut line = Vec::new();
            write_number(&mut line, number);
            assert_eq!(line, number.to_string().as_bytes());
        }
        let texts = ["plain", "", "a,b", "say \"no\"", "\"", "two\r\nlines", "«, »"];
        let mut line = b"first".to_vec();
        for text in texts {
            line.push(b',');
            write_text(&mut line, text);
        }
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&line[..]);
        let read = reader.records().next().expect("a line").expect("a row");
        assert!(read.iter().skip(1).eq(texts));
    }
}
