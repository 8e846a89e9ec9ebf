//! What a call server is made of below its software. Nothing here knows of call control.
//!
//! | what | file |
//! |---|---|
//! | what outlives a restart: configuration, release, journal | `disk.rs`, `journal.rs` |
//! | the links to trunk groups: cut, aligned, audited | `links.rs` |
//! | what does not: the memory for calls | `memory.rs` |
//! | messages wait for the processor; what is too much | `inbox.rs` |
//! | what it asks of its clients in overload | `overload.rs` |
//! | while it starts, and while a release is copied to its disk | `boot.rs` |
//! | technicians on their way to it | `visits.rs` |
//! | while its software hangs, and what still answers then | `hang.rs`, `front_end.rs` |

mod boot;
mod disk;
mod front_end;
mod hang;
mod inbox;
mod journal;
mod links;
mod memory;
mod overload;
mod visits;

pub(crate) use boot::{Boot, Installation};
pub(crate) use disk::Disk;
pub(crate) use front_end::FrontEnd;
pub(crate) use hang::{Hang, Starvation};
pub(crate) use inbox::{Done, Inbox};
pub(crate) use journal::{Journal, Replica};
pub(crate) use links::NoCircuitYet;
pub(crate) use memory::Memory;
pub(crate) use overload::OverloadControl;
pub(crate) use visits::Visits;
