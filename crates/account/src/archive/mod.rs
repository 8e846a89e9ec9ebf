//! Every attempt of a run, written down: `calls.sqlite`, `calls.csv`, `histograms/`.

mod calls_csv;
mod events;
mod histograms;
mod row;
mod sqlite;
#[cfg(test)]
mod tests;

pub use calls_csv::write as write_csv;
pub use events::{ArchivedEvent, events};
pub use histograms::Histograms;
pub use row::COLUMNS;
pub use sqlite::{
    PartialDatabase, close as close_database, open as open_calls, write as write_database,
};
