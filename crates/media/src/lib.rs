//! RTP and RTCP without I/O: what is said, heard, relayed and measured in a call.
//!
//! ```text
//!   datagram ─► Plane ─► Stream ─┬─ Relay: to the other leg, as it is
//!                                └─ Terminal: SoundCheck (whose voice?), Receiver (how good?), Recorder
//!   schedule ─► Terminal ─► Voice, DTMF, RTCP ─► datagram
//! ```
//!
//! Like a box, a [`Plane`] has no socket, no clock and no task; [`plane`] is where to begin to read.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test begins at any instant"))]

pub mod agreement;
mod allowance;
pub mod dtmf;
pub mod g711;
mod latch;
pub mod plane;
mod ports;
pub mod quality;
mod receiver;
mod recorder;
pub mod recordings;
mod report;
pub mod rtcp;
pub mod rtp;
pub mod sound_check;
mod stream;
mod terminal;
mod tone;
mod voice;
pub mod wav;

pub use agreement::{Agreement, Formats, Sign, announce, rtcp_of};
pub use g711::Law;
pub use latch::Latch;
pub use plane::{Forward, MediaEvent, MediaSight, Plane, PlaneCounts, PlaneSettings, StreamEvent};
pub use ports::{PairId, Ports, Shortage};
pub use receiver::{PLAYOUT, PacketArrival, Receiver, StreamCounts};
pub use recorder::{Recorder, Recording};
pub use report::StreamReport;
pub use sound_check::{ExpectedSound, SoundVerdict};
pub use stream::StreamId;
pub use tone::{Melody, Singer};
pub use voice::{Clip, Clips, Voice};
