//! Work in progress of a machine: its start, and the copying of a release.

use std::time::Instant;

use media::Plane;
use topology::Release;

use super::disk::Disk;

/// A machine that is starting.
#[derive(Debug)]
pub(crate) struct Boot {
    /// `None`: its power is off.
    pub(crate) until: Option<Instant>,
    pub(crate) disk: Disk,
    /// Its ports stay open; what comes in is dropped.
    pub(crate) plane: Plane,
    /// A release that is copied to its disk before it runs.
    pub(crate) install: Option<Release>,
    /// The ticket of the command that made it start.
    pub(crate) ticket: Option<u64>,
}

/// A release that is being copied to the disk. A restart meanwhile ends that.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) until: Instant,
    pub(crate) release: Release,
    /// The ticket of the command.
    pub(crate) ticket: u64,
}
