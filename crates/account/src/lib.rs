//! What a run came to: from the records of all boxes to figures, verdict, text, tables and files for other programs.
//!
//! ```text
//!  records ──► RecordIntake ──► Attempts ──┬──► summary     verdict and figures: summary.json, report.txt, junit.xml
//!                                          ├──► series      the run over time, in bounded memory
//!                                          ├──► outcome     a campaign and its variants side by side, what happened
//!                                          └──► archive     every attempt: calls.sqlite, calls.csv, histograms, arrivals.csv
//!  calls.sqlite ──► call          the life of one call, and why it ended so
//!  two summaries ──► comparison   and whether the second is worse
//!  trials of a bench ──► bench    the session establishment rate
//!  records ──► served         the calls of a network that is served by hand, without a verdict
//! ```
//!
//! It knows neither the programs that made the records nor where a run lies: files are paths that somebody gives.

pub mod archive;
mod arrivals;
pub mod bench;
pub mod call;
pub mod comparison;
mod first_cause;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixture;
mod junit;
pub mod outcome;
mod report;
pub mod series;
mod served;
mod sound;
mod spreadsheet;
pub mod summary;
#[cfg(feature = "schema")]
mod summary_schema;
pub mod text;

pub use arrivals::ArrivalsByHalfHour;
pub use junit::junit;
pub use report::{lone_report, report};
pub use served::{
    ServedCall, ServedChoice, served_calls, served_counts, served_table, write_served_csv,
};
#[cfg(feature = "schema")]
pub use summary_schema::summary_schema;
