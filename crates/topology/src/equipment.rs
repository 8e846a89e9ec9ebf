//! A call server as a machine: its software, its memory, and how long things take.

use std::time::Duration;

use crate::processing::Processing;
use crate::reader::{Table, kind};
use crate::release::SOUND;

/// What an operator deals with, beside the calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equipment {
    /// Name of the release that it runs from the start.
    pub release: String,
    /// Call contexts that fit in its memory. A call takes one and gives it back; when none is left, the software fails
    /// and the machine restarts.
    pub contexts: u32,
    /// From a restart until calls are taken again.
    pub boot: Duration,
    /// From a failure of the software until the machine's watchdog restarts it; the software hangs meanwhile. Zero: at once.
    pub watchdog: Duration,
    /// While the software hangs, OPTIONS are still answered 200.
    pub hang_answers_probes: bool,
    /// From the command to load a release until the restart that makes it run.
    pub install: Duration,
    /// The way of whoever uses the power switch or the console on the spot; zero: both can be reached from afar.
    pub technician: Duration,
    /// From `reconnect` until a link that was quiet carries calls again.
    pub alignment: Duration,
    /// A link that was disconnected with calls on it gets its circuits back one by one, each after this long: the two
    /// ends must agree on what became of it.
    pub circuit_audit: Duration,
    /// How fast it works, and what becomes of what is too much.
    pub processing: Processing,
}

impl Default for Equipment {
    fn default() -> Self {
        Self {
            release: SOUND.to_owned(),
            contexts: 12_000,
            boot: Duration::from_secs(40),
            watchdog: Duration::ZERO,
            hang_answers_probes: true,
            install: Duration::from_secs(60),
            technician: Duration::ZERO,
            alignment: Duration::from_secs(2),
            circuit_audit: Duration::from_secs(1),
            processing: Processing::default(),
        }
    }
}

impl Equipment {
    /// This equipment with the changes of `table`.
    pub(crate) fn read(&self, table: &Table<'_>) -> Self {
        let base = self.clone();
        let any = kind::duration(Duration::ZERO);
        Self {
            release: table.or("release", kind::name, base.release),
            contexts: table.or("contexts", kind::count(1..=10_000_000), base.contexts),
            boot: table.or("boot", &any, base.boot),
            watchdog: table.or("watchdog", &any, base.watchdog),
            hang_answers_probes: table.or(
                "hang_answers_probes",
                kind::flag,
                base.hang_answers_probes,
            ),
            install: table.or("install", &any, base.install),
            technician: table.or("technician", &any, base.technician),
            alignment: table.or("alignment", &any, base.alignment),
            circuit_audit: table.or("circuit_audit", &any, base.circuit_audit),
            processing: base.processing.read(table),
        }
    }
}
