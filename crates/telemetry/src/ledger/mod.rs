//! The accounting of attempts: does every box tell the same story?
//!
//! ```text
//!  offered = answered + rejected + abandoned + timed out + lost(where, why)   [+ in progress]
//!
//!  answered for the caller ──► answered in the trunk group it called
//!                          ──► answered in the site that the trunk group names
//!                          ──► answered in the PSAP that the call server names
//! ```
//!
//! The caller's view decides what an attempt counts as. The records of the other boxes must support
//! it; each one that does not is a contradiction, told as a sentence. A box that was lost (killed, or its
//! process died) cannot testify, so what it held is lost with its name, not a contradiction.
//!
//! A call that another site takes over counts as what it is for its caller. Its trunk group names the last site, whose
//! record must support it; the site that fell says that it lost the call, or nothing.

mod attempts;
mod audit;
mod causality;
mod chain;
mod compact_dialog;
mod compact_record;
mod contradictions;
mod failures;
mod leg_story;
mod names;
mod packed;
mod path;
mod record_store;
mod result;
mod rules;
mod shard;
mod silent_boxes;
#[cfg(test)]
mod tests;

pub use attempts::{Arrival, Attempt, AttemptReader, Attempts, Counted, Destination};
pub use audit::Audit;
pub use failures::Failures;
pub use result::{Ledger, LostAt};
pub use rules::{LostNode, Rules};
