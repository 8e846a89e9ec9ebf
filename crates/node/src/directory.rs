//! Where the boxes of this process are and how they fare.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use dashmap::DashMap;
use serde::Serialize;
use serde_json::Value;

use crate::socket::SocketCounts;

/// Node name → what is known of the node. The one table that threads share; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Directory(Arc<DashMap<String, Entry>>);

/// What is known of one box.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    pub kind: &'static str,
    pub address: SocketAddr,
    pub state: State,
    /// As the node last showed itself; null before the first second.
    pub snapshot: Value,
    pub sockets: SocketCounts,
}

/// The life of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Running,
    Draining,
    /// Nothing is in progress any more.
    Drained,
    Stopped,
    /// Ended by a panic.
    Failed,
}

impl Directory {
    /// What is known of the box `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Entry> {
        self.0.get(name).map(|entry| entry.clone())
    }

    /// A copy of all entries, by name.
    #[must_use]
    pub fn entries(&self) -> BTreeMap<String, Entry> {
        self.0.iter().map(|entry| (entry.key().clone(), entry.value().clone())).collect()
    }

    pub(crate) fn add(&self, name: String, kind: &'static str, address: SocketAddr) {
        let state = State::Running;
        let sockets = SocketCounts::default();
        self.0.insert(name, Entry { kind, address, state, snapshot: Value::Null, sockets });
    }

    pub(crate) fn update(&self, name: &str, change: impl FnOnce(&mut Entry)) {
        if let Some(mut entry) = self.0.get_mut(name) {
            change(&mut entry);
        }
    }
}
