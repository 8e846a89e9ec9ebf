//! What a call server shows of itself.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use media::PlaneCounts;
use serde::{Deserialize, Serialize};

use crate::stored_disk::StoredDisk;

/// A call server at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CallServerSnapshot {
    pub calls: usize,
    pub draining: bool,
    /// It is starting: nothing reaches it.
    pub starting: bool,
    /// Its software hangs: new calls are taken and hear nothing more, commands get no answer.
    #[serde(default)]
    pub hung: bool,
    /// Its power is off; part of `starting`.
    #[serde(default)]
    pub off: bool,
    pub locked: bool,
    pub isolated: bool,
    /// Refuses ordinary calls.
    pub shedding: bool,
    pub release: String,
    /// Call contexts in its memory: taken, and how many there are.
    pub contexts_used: u32,
    pub contexts: u32,
    /// Restarts since the beginning.
    pub restarts: u32,
    /// How often its software has hung before.
    #[serde(default)]
    pub hangs: u32,
    /// Calls of other call servers that are in its journal.
    pub replicas: usize,
    /// Latent defects in the software that runs, by name: of its release, or armed by hand.
    #[serde(default)]
    pub defects: Vec<String>,
    /// What would outlive the loss of power now.
    #[serde(default)]
    pub disk: StoredDisk,
    /// Stale circuits stand in its stored configuration.
    pub stale_circuits: bool,
    #[serde(flatten)]
    pub counts: CallServerCounts,
    /// Calls that it placed to each answering point, by name; none where it placed none.
    #[serde(default)]
    pub towards: BTreeMap<String, TowardsCounts>,
    pub malformed: u64,
    pub resent: u64,
    pub stray: u64,
    /// Requests refused because too many transactions were alive.
    pub overflow: u64,
    /// SIP transactions that are alive, with those that only absorb late copies.
    #[serde(default)]
    pub transactions: usize,
    /// Dialogs that are alive: two for an answered call.
    #[serde(default)]
    pub dialogs: usize,
    /// Requests that the user agent refused before call control saw them.
    pub refused_by_status: BTreeMap<u16, u64>,
    pub media: PlaneCounts,
    /// Messages that wait for the processor.
    pub waiting: usize,
    /// Messages that found no place to wait.
    pub dropped: u64,
    /// What it asks of its clients: per cent to hold back, or calls in a second. None without overload control in Via.
    pub oc: Option<u32>,
}

/// Calls of a call server to one answering point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TowardsCounts {
    /// With those that were placed there after another one had refused.
    pub offered: u64,
    pub answered: u64,
}

/// What a call server has done since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallServerCounts {
    pub offered: u64,
    pub answered: u64,
    pub rejected: u64,
    /// Rejected because the call server was full or draining; part of `rejected`.
    pub shed: u64,
    /// Rejected because too many messages waited; part of `shed`.
    pub overload: u64,
    /// Rejected because their source had too many calls that nobody answered or acknowledged; part of `shed`.
    #[serde(default)]
    pub limited: u64,
    /// Rejected because there were as many dialogs as there may be; part of `shed`.
    #[serde(default)]
    pub over_dialogs: u64,
    pub abandoned: u64,
    pub lost: u64,
    /// B legs after the first of their call.
    pub rerouted: u64,
    /// Calls of other call servers that go on here; not part of `offered`.
    pub taken_over: u64,
}

impl AddAssign for CallServerCounts {
    fn add_assign(&mut self, other: Self) {
        self.offered += other.offered;
        self.answered += other.answered;
        self.rejected += other.rejected;
        self.shed += other.shed;
        self.overload += other.overload;
        self.limited += other.limited;
        self.over_dialogs += other.over_dialogs;
        self.abandoned += other.abandoned;
        self.lost += other.lost;
        self.rerouted += other.rerouted;
        self.taken_over += other.taken_over;
    }
}
