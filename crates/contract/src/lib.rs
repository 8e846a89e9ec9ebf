//! The contract between a box and whoever runs it, and between a process of boxes and its parent. Pure: no socket, no
//! clock, no task.
//!
//! - [`Node`] is a box on the network diagram: packets, commands and `now` go in; packets, events and one deadline come
//!   out. The actors of `node` and the simulated network of `world` drive it.
//! - [`Snapshot`] is what a box of each kind shows of itself, once a second; [`DirectoryEntry`] is all that is known of it.
//! - [`BoxOrder`] is what is ordered of a box, and [`Reply`] what it says to that; [`Effect`] is the end of what takes its time.
//!   [`OpenCalls`] are its calls in progress, for whoever asks.
//! - [`ProcessOrder`] and [`ProcessReport`] are the lines between a process of boxes and its parent; [`PipeMessage`] writes and
//!   reads them.

mod directory_entry;
mod effect;
mod kind;
mod node;
mod open_calls;
mod order;
mod pipe;
mod process_ending;
mod snapshot;
mod sockets;
mod stored_disk;
mod surge_order;
mod usage;

pub use directory_entry::{BoxState, DirectoryEntry};
pub use effect::{Effect, EffectEnd};
pub use kind::NodeKind;
pub use node::{Node, Reply};
pub use open_calls::{CallPicker, CallStage, CallsWanted, MOST_CALLS, OpenCall, OpenCalls};
pub use order::BoxOrder;
pub use pipe::{PipeMessage, ProcessOrder, ProcessReport};
pub use process_ending::ProcessEnding;
pub use snapshot::{
    AccessCounts, AccessNodeSnapshot, AskedSnapshot, CallServerCounts, CallServerSnapshot,
    FateCount, GeneratorSnapshot, MemberCounts, MemberSnapshot, MemberState, PoolMonitorSnapshot,
    PositionCounts, PsapSnapshot, ServiceFigures, Signalling, Snapshot, TowardsCounts,
    TrunkGroupCounts, TrunkGroupSnapshot,
};
pub use sockets::SocketCounts;
pub use stored_disk::StoredDisk;
pub use surge_order::{SurgeOrder, SurgeSize};
pub use usage::{RecordCounts, Usage};
