//! What a box of any kind shows of itself.

use media::PlaneCounts;
use serde::{Deserialize, Serialize, Serializer};

use super::access_node::AccessNodeSnapshot;
use super::call_server::CallServerSnapshot;
use super::generator::GeneratorSnapshot;
use super::pool_monitor::PoolMonitorSnapshot;
use super::psap::PsapSnapshot;
use super::trunk_group::TrunkGroupSnapshot;

/// What a box of one of the six kinds shows of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Snapshot {
    CallServer(CallServerSnapshot),
    TrunkGroup(TrunkGroupSnapshot),
    AccessNode(AccessNodeSnapshot),
    PoolMonitor(PoolMonitorSnapshot),
    Psap(PsapSnapshot),
    Generator(Box<GeneratorSnapshot>),
}

impl Snapshot {
    /// Calls that have begun at this box and not ended; `None` for a box without calls.
    #[must_use]
    pub fn calls_in_progress(&self) -> Option<u64> {
        Some(match self {
            Self::CallServer(it) => it.calls as u64,
            Self::TrunkGroup(it) => it.calls as u64,
            Self::AccessNode(it) => it.setups as u64,
            Self::PoolMonitor(_) => return None,
            Self::Psap(it) => it.in_progress as u64,
            Self::Generator(it) => it.in_progress,
        })
    }

    /// What the media of this box came to; `None` for a box without.
    #[must_use]
    pub fn media(&self) -> Option<&PlaneCounts> {
        match self {
            Self::CallServer(it) => Some(&it.media),
            Self::Psap(it) => Some(&it.media),
            Self::Generator(it) => Some(&it.media),
            Self::TrunkGroup(_) | Self::AccessNode(_) | Self::PoolMonitor(_) => None,
        }
    }

    /// The snapshot of a call server.
    #[must_use]
    pub const fn call_server(&self) -> Option<&CallServerSnapshot> {
        if let Self::CallServer(it) = self { Some(it) } else { None }
    }

    /// The snapshot of a trunk group.
    #[must_use]
    pub const fn trunk_group(&self) -> Option<&TrunkGroupSnapshot> {
        if let Self::TrunkGroup(it) = self { Some(it) } else { None }
    }

    /// The snapshot of a PSAP.
    #[must_use]
    pub const fn psap(&self) -> Option<&PsapSnapshot> {
        if let Self::Psap(it) = self { Some(it) } else { None }
    }

    /// The snapshot of a generator.
    #[must_use]
    pub fn generator(&self) -> Option<&GeneratorSnapshot> {
        if let Self::Generator(it) = self { Some(it) } else { None }
    }

    /// Writes the snapshot without its kind, for readers who are told the kind beside it.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize_bare<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::CallServer(it) => it.serialize(to),
            Self::TrunkGroup(it) => it.serialize(to),
            Self::AccessNode(it) => it.serialize(to),
            Self::PoolMonitor(it) => it.serialize(to),
            Self::Psap(it) => it.serialize(to),
            Self::Generator(it) => it.serialize(to),
        }
    }
}

impl From<CallServerSnapshot> for Snapshot {
    fn from(snapshot: CallServerSnapshot) -> Self {
        Self::CallServer(snapshot)
    }
}

impl From<TrunkGroupSnapshot> for Snapshot {
    fn from(snapshot: TrunkGroupSnapshot) -> Self {
        Self::TrunkGroup(snapshot)
    }
}

impl From<AccessNodeSnapshot> for Snapshot {
    fn from(snapshot: AccessNodeSnapshot) -> Self {
        Self::AccessNode(snapshot)
    }
}

impl From<PoolMonitorSnapshot> for Snapshot {
    fn from(snapshot: PoolMonitorSnapshot) -> Self {
        Self::PoolMonitor(snapshot)
    }
}

impl From<PsapSnapshot> for Snapshot {
    fn from(snapshot: PsapSnapshot) -> Self {
        Self::Psap(snapshot)
    }
}

impl From<GeneratorSnapshot> for Snapshot {
    fn from(snapshot: GeneratorSnapshot) -> Self {
        Self::Generator(Box::new(snapshot))
    }
}
