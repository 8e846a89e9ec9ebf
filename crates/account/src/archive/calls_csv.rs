//! `calls.csv`: every attempt as one line, for spreadsheets. The columns are those of the table `attempts`, and the
//! intended start in UTC.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use campaign::utc::rfc3339;
use telemetry::Attempts;

use super::row::{COLUMNS, Cell, Row};

/// Writes all attempts; `zero_us` is the start of the campaign.
pub fn write(path: &Path, attempts: &Attempts, zero_us: u64) -> anyhow::Result<()> {
    let mut table =
        csv::Writer::from_writer(BufWriter::with_capacity(256 * 1024, File::create(path)?));
    let names = COLUMNS.iter().map(|(name, _)| *name);
    table.write_record(names.chain(["intended_at"]))?;
    let mut number = String::new();
    for attempt in attempts.iter() {
        let Some(row) = Row::of(&attempt, zero_us) else { continue };
        for cell in &row.cells {
            use std::fmt::Write as _;
            number.clear();
            let field = match cell {
                Cell::Nothing => "",
                Cell::Text(text) => text,
                Cell::Number(value) => {
                    let _ = write!(number, "{value}");
                    &number
                }
                Cell::Real(value) => {
                    let _ = write!(number, "{value}");
                    &number
                }
            };
            table.write_field(field)?;
        }
        table.write_field(rfc3339(row.intended_us(zero_us)))?;
        table.write_record(None::<&[u8]>)?;
    }
    table.flush()?;
    table.into_inner().map_err(csv::IntoInnerError::into_error)?.flush()?;
    Ok(())
}
