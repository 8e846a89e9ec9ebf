//! The crates of the workspace and all that they depend on, as cargo resolves them for Linux.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use crate::repository::root;

/// What `cargo metadata` tells.
#[derive(Deserialize)]
pub(crate) struct Workspace {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    /// Absent: what the crate itself needs, not its tests or its build.
    kind: Option<String>,
}

/// A crate.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    id: String,
    pub(crate) manifest_path: PathBuf,
    /// As its manifest names them.
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// What this workspace calls it, if that is something else.
    pub(crate) rename: Option<String>,
}

impl Dependency {
    /// By which sources and manifests name it.
    pub(crate) fn own_name(&self) -> &str {
        self.rename.as_ref().unwrap_or(&self.name)
    }
}

impl Workspace {
    pub(crate) fn read() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version=1"])
            .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
            .current_dir(root())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("cargo writes JSON of format 1")
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    fn names(&self) -> BTreeMap<&str, &str> {
        self.packages.iter().map(|package| (&*package.id, &*package.name)).collect()
    }

    /// The names of all that the member called `name` reaches, without what only its tests or its build need.
    pub(crate) fn reached(&self, name: &str) -> BTreeSet<&str> {
        let nodes: BTreeMap<&str, &Node> =
            self.resolve.nodes.iter().map(|node| (&*node.id, node)).collect();
        let names = self.names();
        let start = self.members().find(|package| package.name == name);
        let mut open: Vec<&str> = start.map(|package| &*package.id).into_iter().collect();
        let mut reached = BTreeSet::new();
        while let Some(id) = open.pop() {
            let normal = |edge: &&Edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none());
            let next = nodes[id].deps.iter().filter(normal).map(|edge| &*edge.pkg);
            open.extend(next.filter(|id| reached.insert(*id)).collect::<Vec<_>>());
        }
        reached.into_iter().map(|id| names[id]).collect()
    }

    /// The names of the crates that depend on the crate called `name` themselves, also for tests.
    pub(crate) fn users(&self, name: &str) -> BTreeSet<&str> {
        let names = self.names();
        let uses = |node: &&Node| node.deps.iter().any(|edge| names[&*edge.pkg] == name);
        self.resolve.nodes.iter().filter(uses).map(|node| names[&*node.id]).collect()
    }
}
