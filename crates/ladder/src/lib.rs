//! What was kept of a call, made readable: the ladder of an attempt over all its boxes.
//!
//! ```text
//!   trace files ─► KeptCall … ─► join ─► Story ─► render: text, markdown, mermaid, svg, html, json
//!                                          └────► capture: pcapng
//!   pcap, pcapng, HEP ─────────► messages ─► calls ─► Story
//! ```
//!
//! Pure: no file is opened here, and no clock read.

pub mod capture;
mod columns;
mod glance;
mod hearing;
pub mod hep;
mod join;
mod media_packets;
pub mod render;
mod repeats;
mod reports;
pub mod rtcp_json;
mod rules;
mod sightings;
mod story;
mod told;
pub mod watch;

pub use glance::{Glance, StartLine};
pub use join::join;
pub use media_packets::MediaPacket;
pub use story::{Arrow, Column, Fate, Finding, Line, Repeat, Story, What};
pub use told::{NamedAddress, RunEvent, Told};
