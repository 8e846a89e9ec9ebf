//! `calls.sqlite`: every attempt of a run, to be asked anything.
//!
//! ```text
//!   attempts   a row for each attempt of the campaign
//!   records    what each box said of the attempts that did not go well
//!   events     commands, alarms, restarts, milestones, lost processes
//!   run        key and value: verdict, seed, start …
//! ```
//!
//! Written under another name and then renamed: a file of this name is whole. It has no journal for the same reason.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement, ToSql};

use super::cell::Cell;
use super::events::ArchivedEvent;
use super::record_row::RECORD_COLUMNS;
use super::row::COLUMNS;
use super::rows::{Batch, Cells, RECORDS_OF};

const TABLES: &str = "
CREATE TABLE run (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE events (at_s REAL, kind TEXT, site TEXT, what TEXT);
CREATE TABLE records (attempt TEXT, kind TEXT, node TEXT, trunk_group TEXT, site TEXT, psap TEXT, tried TEXT,
    start_us INTEGER, ring_us INTEGER, answer_us INTEGER, end_us INTEGER, outcome TEXT, status INTEGER, cause INTEGER,
    ended_by TEXT, reason TEXT);
";

/// After the rows: an index that grows row by row costs more.
const INDICES: &str = "
CREATE UNIQUE INDEX attempts_by_id ON attempts (attempt);
CREATE INDEX attempts_that_failed ON attempts (outcome, site, psap) WHERE outcome <> 'answered';
CREATE INDEX records_by_attempt ON records (attempt);
";

/// Answers to what is usually asked.
const VIEWS: &str = "
CREATE VIEW failures AS
    SELECT * FROM attempts WHERE outcome IN ('rejected', 'timed_out', 'lost');
CREATE VIEW failures_by_site AS
    SELECT coalesce(site, 'no site') AS site, outcome, status, why, count(*) AS attempts
    FROM failures GROUP BY 1, 2, 3, 4 ORDER BY attempts DESC;
CREATE VIEW failures_by_psap AS
    SELECT coalesce(psap, 'no PSAP') AS psap, outcome, status, why, count(*) AS attempts
    FROM failures GROUP BY 1, 2, 3, 4 ORDER BY attempts DESC;
CREATE VIEW by_site AS
    SELECT coalesce(site, 'no site') AS site, count(*) AS offered, sum(outcome = 'answered') AS answered,
        sum(outcome IN ('rejected', 'timed_out', 'lost')) AS failed, avg(pdd_us) / 1000.0 AS mean_pdd_ms
    FROM attempts GROUP BY 1;
CREATE VIEW by_department AS
    SELECT department, count(*) AS offered, sum(outcome = 'answered') AS answered,
        sum(outcome IN ('rejected', 'timed_out', 'lost')) AS failed, avg(pdd_us) / 1000.0 AS mean_pdd_ms
    FROM attempts GROUP BY 1;
CREATE VIEW per_minute AS
    SELECT intended_us / 60000000 AS minute, count(*) AS offered, sum(outcome = 'answered') AS answered,
        sum(outcome = 'abandoned') AS abandoned, sum(outcome IN ('rejected', 'timed_out', 'lost')) AS failed
    FROM attempts GROUP BY 1 ORDER BY 1;
CREATE VIEW worst_sound AS
    SELECT attempt, coalesce(site, 'no site') AS site, coalesce(psap, 'no PSAP') AS psap, heard_by_caller, heard_by_psap, min(coalesce(mos_of_caller, 5), coalesce(mos_of_psap, 5)) AS mos
    FROM attempts WHERE heard_by_caller IS NOT NULL OR heard_by_psap IS NOT NULL
    ORDER BY heard_by_caller = 'heard' AND heard_by_psap = 'heard', mos;
CREATE VIEW attempts_utc AS
    SELECT attempt, number, coalesce(site, 'no site') AS site, coalesce(psap, 'no PSAP') AS psap, outcome, status, why,
        strftime('%Y-%m-%dT%H:%M:%fZ', zero + intended_us / 1e6, 'unixepoch') AS intended_at,
        strftime('%Y-%m-%dT%H:%M:%fZ', zero + start_us / 1e6, 'unixepoch') AS start_at,
        strftime('%Y-%m-%dT%H:%M:%fZ', zero + ring_us / 1e6, 'unixepoch') AS ring_at,
        strftime('%Y-%m-%dT%H:%M:%fZ', zero + answer_us / 1e6, 'unixepoch') AS answer_at,
        strftime('%Y-%m-%dT%H:%M:%fZ', zero + end_us / 1e6, 'unixepoch') AS end_at
    FROM attempts, (SELECT value / 1e6 AS zero FROM run WHERE key = 'started_us');
";

/// Writes all rows into a new file for `path`, which gets that name in [`name`].
pub fn write(
    path: &Path,
    rows: impl IntoIterator<Item = Batch>,
) -> anyhow::Result<PartialDatabase> {
    let partial =
        PartialDatabase { path: path.with_extension("sqlite.part"), named: path.to_owned() };
    let _ = fs::remove_file(&partial.path);
    let mut database = Connection::open(&partial.path)?;
    // Whoever pulls the plug now makes the report again.
    database.execute_batch(
        "PRAGMA page_size = 16384; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32000;",
    )?;
    let transaction = database.transaction()?;
    let columns = COLUMNS.map(|column| format!("{} {}", column.name, column.kind)).join(", ");
    transaction.execute_batch(&format!("CREATE TABLE attempts ({columns}); {TABLES}"))?;
    let mut told = 0;
    {
        let mut attempt_row = insert(&transaction, "attempts", COLUMNS.len())?;
        let mut record_row = insert(&transaction, "records", RECORD_COLUMNS)?;
        for batch in rows {
            let mut before = None;
            for row in batch.iter() {
                put(&mut attempt_row, row.cells, before)?;
                before = Some(row.cells);
                row.records().try_for_each(|record| put(&mut record_row, record, None))?;
                told += usize::from(row.records().next().is_some());
            }
        }
    }
    transaction.execute_batch(INDICES)?;
    transaction.execute_batch(VIEWS)?;
    if told == RECORDS_OF {
        let sentence = format!("of the first {RECORDS_OF} attempts that did not go well");
        transaction.execute("INSERT INTO run VALUES ('records', ?)", [sentence])?;
    }
    transaction.commit()?;
    Ok(partial)
}

/// A database that has still to be told of the run. It is removed unless it gets its name.
#[derive(Debug)]
pub struct PartialDatabase {
    /// Where it is.
    path: PathBuf,
    /// Where it will be.
    named: PathBuf,
}

impl Drop for PartialDatabase {
    fn drop(&mut self) {
        if self.path != self.named {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Writes down what is known of the run, in place of what was written down before.
pub fn tell(
    database: &PartialDatabase,
    facts: &[(&str, String)],
    events: &[ArchivedEvent],
) -> anyhow::Result<()> {
    let mut database =
        Connection::open_with_flags(&database.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // It may have its name by now: what cannot be written leaves it as it was.
    database.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")?;
    let transaction = database.transaction()?;
    transaction.execute("DELETE FROM events", [])?;
    for (key, value) in facts {
        // A number is to be calculated with.
        let number = value.parse::<i64>().ok();
        let value: &dyn ToSql = number.as_ref().map_or(value, |number| number);
        transaction
            .execute("INSERT OR REPLACE INTO run VALUES (?, ?)", rusqlite::params![key, value])?;
    }
    for event in events {
        let ArchivedEvent { at, kind, site, what } = event;
        let values = rusqlite::params![at.as_secs_f64(), kind, site, what];
        transaction.execute("INSERT INTO events VALUES (?, ?, ?, ?)", values)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Gives the file its name, if it has not got it yet.
pub fn name(database: &mut PartialDatabase) -> anyhow::Result<()> {
    if database.path != database.named {
        fs::rename(&database.path, &database.named)
            .with_context(|| format!("cannot name {}", database.named.display()))?;
        database.path.clone_from(&database.named);
    }
    Ok(())
}

/// Opens the database of a run to read it.
pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// What keeps a database from being read, as a sentence; `None` when the question itself is wrong, which only the asker can
/// explain.
pub fn obstacle(error: &rusqlite::Error) -> Option<String> {
    let what = match error.sqlite_error_code()? {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "is locked: another program writes to it; close that program, or try again"
        }
        ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => {
            "is damaged, or no database; tocsin report makes it again"
        }
        ErrorCode::CannotOpen => "cannot be opened; tocsin report makes it again",
        ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            "may not be read by this user"
        }
        ErrorCode::SystemIoFailure => "cannot be read from its disk",
        ErrorCode::ReadOnly => "is only for reading",
        ErrorCode::OutOfMemory => "needs more memory than there is",
        _ => return None,
    };
    Some(format!("calls.sqlite {what} ({error})"))
}

fn insert<'a>(
    database: &'a Connection,
    table: &str,
    columns: usize,
) -> rusqlite::Result<Statement<'a>> {
    let places = vec!["?"; columns].join(", ");
    database.prepare(&format!("INSERT INTO {table} VALUES ({places})"))
}

/// What is as in the row `before`, which was the last one put there, is bound already.
fn put(
    statement: &mut Statement<'_>,
    cells: Cells<'_>,
    before: Option<Cells<'_>>,
) -> rusqlite::Result<()> {
    let mut before = before.map(Cells::iter);
    for (place, cell) in cells.iter().enumerate() {
        if before.as_mut().and_then(Iterator::next) != Some(cell) {
            statement.raw_bind_parameter(place + 1, cell)?;
        }
    }
    statement.raw_execute().map(drop)
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Nothing => ValueRef::Null,
            Self::Number(number) => ValueRef::Integer(*number),
            Self::Real(real) => ValueRef::Real(*real),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
