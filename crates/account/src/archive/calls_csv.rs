//! `calls.csv`: every attempt as one line, for spreadsheets. The columns are those of the table `attempts`, and the
//! intended start in UTC. What a spreadsheet would take for a formula is marked as text.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use campaign::utc::rfc3339;

use super::cell::Cell;
use super::row::{AttemptRow, COLUMNS};
use super::rows::Batch;
use crate::spreadsheet;

/// Writes all rows.
pub fn write<'a>(path: &Path, rows: impl IntoIterator<Item = Batch<'a>>) -> anyhow::Result<()> {
    let mut table =
        csv::Writer::from_writer(BufWriter::with_capacity(256 * 1024, File::create(path)?));
    let names = COLUMNS.iter().map(|column| column.name);
    table.write_record(names.chain(["intended_at"]))?;
    let mut number = String::new();
    for batch in rows {
        batch.iter().try_for_each(|(row, _)| write_row(&mut table, row, &mut number))?;
    }
    table.flush()?;
    table.into_inner().map_err(csv::IntoInnerError::into_error)?.flush()?;
    Ok(())
}

/// Numbers are written in the memory of `number`.
fn write_row(
    table: &mut csv::Writer<impl Write>,
    row: &AttemptRow<'_>,
    number: &mut String,
) -> csv::Result<()> {
    use std::fmt::Write as _;
    for cell in &row.cells {
        number.clear();
        let field: &str = match cell {
            Cell::Nothing => "",
            Cell::Text(text) => &spreadsheet::text(text),
            Cell::Number(value) => {
                let _ = write!(number, "{value}");
                number
            }
            Cell::Real(value) => {
                let _ = write!(number, "{value}");
                number
            }
        };
        table.write_field(field)?;
    }
    table.write_field(rfc3339(row.due_us))?;
    table.write_record(None::<&[u8]>)
}
