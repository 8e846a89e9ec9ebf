//! Software that has failed and does nothing any more, until the machine's watchdog finds that.

use std::time::Instant;

use media::Plane;
use sip_proto::Packet;
use telemetry::CallRecord;

use super::disk::Disk;
use super::front_end::FrontEnd;

/// A machine whose software hangs.
#[derive(Debug)]
pub(crate) struct Hang {
    /// When the watchdog restarts the machine.
    pub(crate) until: Instant,
    /// Why the software failed.
    pub(crate) why: String,
    pub(crate) disk: Disk,
    /// Its ports stay open; what comes in is dropped.
    pub(crate) plane: Plane,
    pub(crate) front_end: FrontEnd,
    /// Records of the calls that were taken meanwhile: they hear nothing.
    pub(crate) taken: Vec<CallRecord>,
    /// Of the software's memory.
    pub(crate) contexts_used: u32,
}

impl Hang {
    /// A hang that has just begun.
    pub(crate) const fn new(
        until: Instant,
        why: String,
        disk: Disk,
        plane: Plane,
        front_end: FrontEnd,
        contexts_used: u32,
    ) -> Self {
        Self { until, why, disk, plane, front_end, taken: Vec::new(), contexts_used }
    }

    /// When something is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        [Some(self.until), self.front_end.poll_timeout()].into_iter().flatten().min()
    }
}

/// Software that has no memory for a new call and waits for some. The calls in progress have theirs and go on; new ones are taken and
/// hear nothing; commands find no memory either.
#[derive(Debug)]
pub(crate) struct Starvation {
    /// When the watchdog restarts the machine.
    pub(crate) until: Instant,
    /// Why the software failed.
    pub(crate) why: String,
    answers_probes: bool,
}

impl Starvation {
    /// One that has just begun.
    pub(crate) const fn new(until: Instant, why: String, answers_probes: bool) -> Self {
        Self { until, why, answers_probes }
    }

    /// A probe, where the machine is so set.
    pub(crate) fn ignores(&self, packet: &Packet) -> bool {
        !self.answers_probes && packet.bytes.starts_with(b"OPTIONS ")
    }
}
