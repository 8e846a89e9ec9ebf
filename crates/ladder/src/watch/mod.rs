//! Calls of any network, as they come by: from a capture, from agents that send HEP, or from what was kept of a run.

mod call_list;
mod call_row;
mod filter;
mod wire_story;

pub use call_list::CallList;
pub use call_row::{CallRow, CallState, csv};
pub use filter::Filter;
pub use telemetry::call_filter::FilterError;
pub use wire_story::story_of_wire;
