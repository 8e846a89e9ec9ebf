//! The flight recorder: what each box sent and received of a call, and what happened to the call inside, kept when it ends badly.
//!
//! ```text
//!   whoever drives a box ──► Recorder ──(ends badly, or is wanted)──► KeptCall ──► TraceFile ──► readers: ladder, capture
//!     packets, notes            │ ▲
//!                               ▼ │ attempts that ended badly anywhere
//!                               Hub (one for each process)
//! ```
//!
//! It stands beside the boxes, not inside: a box only leaves [`Notes`] for it. A call that ends well costs a copy of each of its
//! messages into a ring (`ring.rs`), and nothing else.

mod call_key;
mod entry;
mod file;
mod hub;
mod keep;
mod media_memory;
mod notes;
mod recorder;
mod ring;

pub use call_key::{AsItIs, CallKey, CallMap};
pub use entry::{Direction, Entry, KeptCall, Seen, TracedBox};
pub use file::{TraceError, TraceReader, TraceWriter};
pub use hub::{Hub, KeptCounts, KeptTally, RecorderMemory};
pub use keep::{Keep, KeepError};
pub use notes::{Note, Notes};
pub use recorder::{DatedStart, Recorder};

/// MiB that each box has for this unless it is said.
pub const USUAL_MEMORY: u32 = 16;
