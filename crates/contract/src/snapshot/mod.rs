//! What boxes show of themselves: one file for each kind of box.

mod access_node;
mod any;
mod call_server;
mod generator;
mod pool_monitor;
mod psap;
mod trunk_group;

pub use access_node::{AccessCounts, AccessNodeSnapshot};
pub use any::Snapshot;
pub use call_server::{CallServerCounts, CallServerSnapshot, TowardsCounts};
pub use generator::{FateCount, GeneratorSnapshot, Signalling};
pub use pool_monitor::{MemberState, PoolMonitorSnapshot};
pub use psap::{PositionCounts, PsapSnapshot, ServiceFigures};
pub use trunk_group::{
    AskedSnapshot, MemberCounts, MemberSnapshot, TrunkGroupCounts, TrunkGroupSnapshot,
};
