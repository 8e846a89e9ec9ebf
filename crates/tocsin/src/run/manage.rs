//! The sites of a run for those who manage them: what the processes last said, and the way to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cli::manage::{Managed, Management, Member, Sites};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use node::{Console, Reply};
use operations::Action;
use serde_json::{Map, Value, json};
use topology::Topology;

use super::child::Place;
use super::fleet::Fleet;
use super::folder::Folder;

/// The file in the run folder that says where a run is managed.
const ACCESS: &str = "manage.json";

/// The last that is known of every box of the run, by name; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Board(Arc<Mutex<BTreeMap<String, Value>>>);

impl Board {
    /// Boxes listen, and have not shown themselves yet.
    pub(super) fn add(&self, places: &[Place]) {
        for Place { name, kind, address } in places {
            let entry =
                json!({"kind": kind, "address": address, "state": "running", "snapshot": null});
            self.entries().insert(name.clone(), entry);
        }
    }

    pub(super) fn update(&self, nodes: &Map<String, Value>) {
        self.entries().extend(nodes.iter().map(|(name, entry)| (name.clone(), entry.clone())));
    }

    /// The process of these boxes is gone; what they showed last stays.
    pub(super) fn close<'a>(&self, boxes: impl Iterator<Item = &'a String>, state: &str) {
        let mut entries = self.entries();
        for name in boxes {
            if let Some(Value::Object(entry)) = entries.get_mut(name) {
                entry.insert("state".to_owned(), state.into());
            }
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets operators manage the sites of this run: on loopback, with a token in the run folder.
pub(super) fn open(topology: &Topology, folder: &Folder, fleet: &Fleet) -> anyhow::Result<Managed> {
    let address = ([127, 0, 0, 1], 0).into();
    let member =
        |one: &topology::CallServer| Member { name: one.name.clone(), site: one.site.clone() };
    let sites = FleetSites {
        members: topology.call_servers().map(member).collect(),
        board: fleet.board(),
        console: fleet.console(),
    };
    Management::open(address, &folder.path().join(ACCESS))?.serve(Arc::new(sites))
}

struct FleetSites {
    members: Vec<Member>,
    board: Board,
    console: Console,
}

impl Sites for FleetSites {
    fn members(&self) -> Vec<Member> {
        self.members.clone()
    }

    fn boxes(&self) -> BTreeMap<String, Value> {
        self.board.entries().clone()
    }

    fn command(&self, name: &str, action: &Action) -> BoxFuture<'static, Reply> {
        self.console.command(name, action.to_string().into()).boxed()
    }
}
