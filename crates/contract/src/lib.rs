//! The contract between a box and whoever runs it, and between a process of boxes and its parent. Pure: no socket, no
//! clock, no task.
//!
//! - [`Node`] is a box on the network diagram: packets, commands and `now` go in; packets, events and one deadline come
//!   out. The actors of `node` and the simulated network of `world` drive it.
//! - Snapshots are what each kind of box shows of itself, once a second, also across the border of its process.

mod node;
mod snapshot;

pub use node::{Node, Reply};
pub use snapshot::{
    AskedSnapshot, CallServerCounts, CallServerSnapshot, FateCount, GeneratorSnapshot,
    MemberCounts, MemberSnapshot, MemberState, PoolMonitorSnapshot, PositionCounts, PsapSnapshot,
    ServiceFigures, Signalling, TrunkGroupCounts, TrunkGroupSnapshot,
};
