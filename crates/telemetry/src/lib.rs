//! The notebook that all boxes share: call records, the ledger that compares them, histograms and
//! logs.
//!
//! ```text
//!  generator ──┐ CallRecord
//!  trunk group ┤ one per attempt  RecordWriter       Audit::read
//!  call server ┼───────────────► calls.jsonl ─────► (each once) ─► Ledger: does it balance?
//!  PSAP ───────┘ and box                                           Attempts: what all said of each ─► AttemptReader
//! ```
//!
//! Each box writes what became of each attempt, by itself and without asking another box. Only
//! after the run are the records compared, so a box that lies or forgets is found out.
//!
//! Nothing here reads a clock: times come in as Unix microseconds or as durations.

pub mod call_filter;
mod delays;
mod dialog_record;
mod heard;
mod histogram;
mod ledger;
mod line;
mod logging;
mod messages;
pub mod metric;
mod quantiles;
mod reader;
mod record;
mod rolling_file;
mod scan;
mod small_numbers;
mod steps;
mod terms;
mod text;
mod unreached;
mod visible;
mod writer;

pub use delays::Delays;
pub use dialog_record::{DialogEvent, DialogRecord};
pub use heard::Heard;
pub use histogram::LatencyHistogram;
pub use ledger::{
    Arrival, Attempt, AttemptReader, Attempts, Audit, Counted, Destination, Failures, Ledger,
    LostAt, LostNode, Rules,
};
pub use logging::{LogError, LogFormat, init};
pub use messages::MessageFigures;
pub use quantiles::Quantiles;
pub use reader::{ReadError, RecordReader, read_records};
pub use record::{CallRecord, Entry, LegEntry, LegRecord, attempt_key};
pub use rolling_file::RollingFile;
pub use scan::{Misread, find_records, search_records};
pub use terms::{BoxKind, CallerClass, NO_ACK, Outcome, Party, TAKEN_OVER};
pub use text::{Text, Tried};
pub use unreached::Unreached;
pub use visible::{visible, visible_line};
pub use writer::RecordWriter;
