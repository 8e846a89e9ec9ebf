//! Captures: what was kept, for Wireshark and its like; and anybody's captures, for the ladder.
//!
//! ```text
//!   Story ─► packets ─► pcapng          pcap, pcapng ─► link ─► IP ─► UDP, TCP ─► messages ─► calls ─► Story
//! ```

mod frame;
mod link;
mod packets;
mod read;
mod streams;
mod wire;
mod write;

pub use packets::{CapturedPacket, media_packets, packets};
pub use read::{CaptureError, Reading, read};
pub use wire::{WireMessage, is_sip};
pub use write::write_pcapng;
