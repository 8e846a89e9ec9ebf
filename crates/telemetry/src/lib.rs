//! The notebook that all boxes share: call records, the ledger that compares them, histograms and
//! logs.
//!
//! ```text
//!  generator ──┐ CallRecord
//!  trunk group ┤ one per attempt  RecordWriter      read_records   Audit
//!  call server ┼───────────────► calls.jsonl ─────► (a stream) ──► Ledger: does it balance?
//!  PSAP ───────┘ and box                                           Destinations: who got it
//! ```
//!
//! Each box writes what became of each attempt, by itself and without asking another box. Only
//! after the run are the records compared, so a box that lies or forgets is found out.
//!
//! Nothing here reads a clock: times come in as Unix microseconds or as durations.

mod histogram;
mod ledger;
mod logging;
mod messages;
mod reader;
mod record;
mod writer;

pub use histogram::{LatencyHistogram, Quantiles};
pub use ledger::{Audit, Destination, Destinations, Failures, Ledger, LostAt, LostNode, Rules};
pub use logging::{LogError, LogFormat, init};
pub use messages::MessageFigures;
pub use reader::{ReadError, Records, read_records};
pub use record::{BoxKind, CallRecord, CallerClass, NO_ACK, Outcome, Party};
pub use writer::RecordWriter;
