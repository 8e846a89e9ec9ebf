//! Where the boxes of this process are and how they fare.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use contract::{DirectoryEntry, NodeKind};
use dashmap::DashMap;

/// Node name → what is known of the node. The one table that threads share; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Directory(Arc<DashMap<String, DirectoryEntry>>);

impl Directory {
    /// What is known of the box `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<DirectoryEntry> {
        self.0.get(name).map(|entry| entry.clone())
    }

    /// A copy of all entries, by name.
    #[must_use]
    pub fn entries(&self) -> BTreeMap<String, DirectoryEntry> {
        self.0.iter().map(|entry| (entry.key().clone(), entry.value().clone())).collect()
    }

    pub(crate) fn add(&self, name: String, kind: NodeKind, address: SocketAddr) {
        self.0.insert(name, DirectoryEntry::listening(kind, address));
    }

    pub(crate) fn update(&self, name: &str, change: impl FnOnce(&mut DirectoryEntry)) {
        if let Some(mut entry) = self.0.get_mut(name) {
            change(&mut entry);
        }
    }
}
