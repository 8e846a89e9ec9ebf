//! Every attempt of a run, written down: `calls.sqlite`, `calls.csv`, `histograms/`.

mod calls_csv;
mod cell;
mod condition;
mod events;
mod histograms;
mod record_row;
mod row;
mod rows;
mod sqlite;
#[cfg(test)]
mod tests;

pub use calls_csv::write as write_csv;
pub use condition::sql_of;
pub use events::{ArchivedEvent, events};
pub use histograms::Histograms;
pub use row::{COLUMNS, Column};
pub use rows::{AttemptRows, Batch};
pub use sqlite::{
    PartialDatabase, name as name_database, obstacle, open as open_calls, tell as tell_database,
    write as write_database,
};
