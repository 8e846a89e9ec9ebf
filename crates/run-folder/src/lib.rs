//! The folder of a run: what it holds, how it is written while the run goes on and at its end, and how it is read again.
//!
//! ```text
//!  runs/<date>-<campaign>-<n>/   folder.rs
//!    campaign.toml network.toml  its inputs, copied
//!    receipt.json                receipt.rs, host.rs: from what, by what and on what it was made
//!    state.json                  state.rs: what it knows of itself beyond records, each second
//!    records/*.jsonl             what each box said
//!    trace/*.trace               call_ladder.rs: the messages of calls that were kept
//!    .running                    standing.rs: whether it goes on
//!    calls.sqlite calls.csv …    ending.rs: records and state become an account
//!    summary.json report.html …  publish.rs: what is told of it
//! ```
//!
//! The folder of a network that is served by hand is told in `served.rs`.
//!
//! It stands above the account: a state is what an account is made from, and a folder is where one is laid down. The account
//! knows neither.

mod call_ladder;
#[cfg(test)]
mod call_ladder_tests;
mod database;
mod downtimes;
mod ending;
mod find;
mod folder;
mod host;
mod json_place;
mod missing;
mod publish;
mod receipt;
mod served;
mod served_marks;
mod standing;
mod state;
mod summary_file;
#[cfg(test)]
mod tests;

pub use call_ladder::{
    Captured, call_story, kept_calls, named_addresses, what_is_kept, write_capture,
};
pub use database::Database;
pub use ending::{EndedRun, RebuildError, close, finish, rebuild};
pub use find::{locate, names};
pub use folder::{CALLS, CALLS_CSV, Folder};
pub use host::{Fact, HostLimits};
pub use publish::{ClosedRun, Published, publish};
pub use receipt::{Receipt, command_line};
pub use served::{ServedNetwork, ServingPart, ServingProgram};
pub use standing::Standing;
pub use state::{RunState, environment};
pub use summary_file::{read_summary, summary_of};
