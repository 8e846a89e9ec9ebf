//! What outlives a restart: the stored configuration, the software, a counter, the journal of replicas.

use std::collections::BTreeSet;

use contract::StoredDisk;
use topology::{Defect, Release, Topology};

use super::journal::Journal;
use super::links::Links;

/// The disk of one call server.
#[derive(Debug)]
pub(crate) struct Disk {
    /// New calls are refused.
    pub(crate) locked: bool,
    /// Before it was locked, trunk groups were told to send new calls elsewhere.
    pub(crate) diverted: bool,
    /// Ordinary calls are refused.
    pub(crate) shedding: bool,
    /// Calls for these numbers are refused.
    pub(crate) blocked: BTreeSet<String>,
    pub(crate) links: Links,
    /// The table of circuits has entries of a link that was reconnected while it was in service. A release
    /// without that defect removes them.
    pub(crate) stale_circuits: bool,
    pub(crate) release: Release,
    /// The release that ran before the present one was loaded.
    pub(crate) previous: Option<Release>,
    /// Identifiers given to trunk members so far; they are never given again.
    pub(crate) trunk_members: u32,
    /// Calls of the partner, to be taken over if it falls.
    pub(crate) journal: Journal,
}

impl Disk {
    /// The disk of a machine that has never run.
    pub(crate) fn new(topology: &Topology, settings: &topology::CallServer) -> Self {
        let release = topology.release(&settings.equipment.release).cloned();
        Self {
            locked: false,
            diverted: false,
            shedding: false,
            blocked: BTreeSet::new(),
            links: Links::new(topology, settings),
            stale_circuits: false,
            release: release.unwrap_or_else(Release::sound),
            previous: None,
            trunk_members: 0,
            journal: Journal::default(),
        }
    }

    /// Refuses calls for a number from now on.
    pub(crate) fn block(&mut self, number: &str) -> String {
        self.blocked.insert(number.to_owned());
        format!("refuses calls for {number}")
    }

    /// Takes calls for a number again. An error says that it did.
    pub(crate) fn unblock(&mut self, number: &str) -> Result<String, String> {
        match self.blocked.remove(number) {
            true => Ok(format!("takes calls for {number}")),
            false => Err(format!("{number} is not blocked")),
        }
    }

    /// A latent defect is in the software from now on, in place of one of its kind.
    pub(crate) fn arm(&mut self, defect: Defect) -> String {
        let text = format!("{} sleeps in its software", defect.name());
        self.release.defects.retain(|one| one.name() != defect.name());
        self.release.defects.push(defect);
        text
    }

    /// It is in it no more. An error says that it was not.
    pub(crate) fn disarm(&mut self, name: &str) -> Result<String, String> {
        let count = self.release.defects.len();
        self.release.defects.retain(|one| one.name() != name);
        match self.release.defects.len() < count {
            true => Ok(format!("{name} is in its software no more")),
            false => Err(format!("{name} is not in its software")),
        }
    }

    /// What of it outlives the loss of power.
    pub(crate) fn stored(&self, topology: &Topology) -> StoredDisk {
        let of_file = topology.release(&self.release.name).map_or(&[][..], |it| &it.defects[..]);
        let is_other = of_file != self.release.defects;
        StoredDisk {
            locked: self.locked,
            diverted: self.diverted,
            shedding: self.shedding,
            blocked: self.blocked.clone(),
            disconnected: self.links.disconnected().map(str::to_owned).collect(),
            stale_circuits: self.stale_circuits,
            release: self.release.name.clone(),
            defects: is_other.then(|| self.release.defects.clone()),
            previous: self.previous.as_ref().map(|release| release.name.clone()),
            trunk_members: self.trunk_members,
        }
    }

    /// Takes what outlived the loss of power. A release that the network does not have is the sound one.
    pub(crate) fn restore(&mut self, topology: &Topology, stored: &StoredDisk) {
        let release = |name: &String| topology.release(name).cloned();
        self.locked = stored.locked;
        self.diverted = stored.diverted;
        self.shedding = stored.shedding;
        self.blocked.clone_from(&stored.blocked);
        self.stale_circuits = stored.stale_circuits;
        // One that never showed its disk has it as it was delivered.
        if !stored.release.is_empty() {
            self.release = release(&stored.release).unwrap_or_else(Release::sound);
        }
        if let Some(defects) = &stored.defects {
            self.release.defects.clone_from(defects);
        }
        self.previous =
            stored.previous.as_ref().map(|name| release(name).unwrap_or_else(Release::sound));
        self.trunk_members = stored.trunk_members;
        for name in &stored.disconnected {
            if let Some(link) = self.links.named(name) {
                self.links.disconnect(link);
            }
        }
    }

    /// The same release, with the configuration as it was delivered.
    pub(crate) fn into_delivered(
        self,
        topology: &Topology,
        settings: &topology::CallServer,
    ) -> Self {
        Self {
            release: self.release,
            previous: self.previous,
            trunk_members: self.trunk_members,
            ..Self::new(topology, settings)
        }
    }
}
