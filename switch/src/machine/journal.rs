//! The journal: calls of other call servers, to be taken over if those fall. It is on the disk.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use sip_proto::user_agent::SavedLeg;
use telemetry::{BoxKind, CallRecord};

/// Replicas kept: as many as calls may be in progress.
const MOST: usize = 10_000;

/// Replicas by the call server that has the call, and its name for it.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    replicas: BTreeMap<(SocketAddr, String), Replica>,
}

/// What one call server tells its partner of an answered call: all that is needed to go on with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Replica {
    /// The call's name: our tag of the A leg.
    pub(crate) id: String,
    /// As it would be written if the call ended now.
    pub(crate) record: CallRecord,
    pub(crate) a: SavedLeg,
    pub(crate) b: SavedLeg,
    /// The session description that each side has agreed to last.
    pub(crate) said: [Option<String>; 2],
    /// The trunk group that it came by.
    pub(crate) trunk_group: Option<String>,
    /// Where the two sides are, if media passes through the call server.
    pub(crate) relay: Option<[IpAddr; 2]>,
    /// How often it was taken over.
    pub(crate) takeovers: u32,
}

impl Replica {
    /// Whether it is complete and plausible: it comes from the network.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.a.check().map_err(|unfit| format!("the A leg: {unfit}"))?;
        self.b.check().map_err(|unfit| format!("the B leg: {unfit}"))?;
        let record = &self.record;
        let in_order = record.answer_us.is_some_and(|answer| {
            record.start_us <= record.ring_us.unwrap_or(answer)
                && record.ring_us.unwrap_or(answer) <= answer
        });
        match () {
            () if self.id != self.a.dialog.local_tag() => Err("it has another name".to_owned()),
            () if self.id == self.b.dialog.local_tag() => Err("its legs are one".to_owned()),
            () if record.kind != BoxKind::CallServer => Err("a record of another box".to_owned()),
            () if record.attempt_key().is_none() => Err("the attempt has no id".to_owned()),
            () if !in_order => Err("it was never answered, or before its start".to_owned()),
            () => Ok(()),
        }
    }
}

impl Journal {
    /// Writes a replica, in the place of an earlier one of the same call. False if there is no room.
    pub(crate) fn write(&mut self, owner: SocketAddr, replica: Replica) -> bool {
        let key = (owner, replica.id.clone());
        let has_room = self.replicas.len() < MOST || self.replicas.contains_key(&key);
        if has_room {
            self.replicas.insert(key, replica);
        }
        has_room
    }

    /// The call is over.
    pub(crate) fn remove(&mut self, owner: SocketAddr, id: String) {
        self.replicas.remove(&(owner, id));
    }

    /// Takes out all calls of `owner`.
    pub(crate) fn take_all_of(&mut self, owner: SocketAddr) -> Vec<Replica> {
        let is_of = |(at, _): &(SocketAddr, String), _: &mut Replica| *at == owner;
        self.replicas.extract_if(.., is_of).map(|(_, replica)| replica).collect()
    }

    /// Drops calls that were answered before `limit_us`: they cannot last any more, and the message that they
    /// are over was lost.
    pub(crate) fn expire(&mut self, limit_us: u64) {
        self.replicas.retain(|_, replica| replica.record.answer_us >= Some(limit_us));
    }

    pub(crate) fn has_any_of(&self, owner: SocketAddr) -> bool {
        self.replicas
            .range((owner, String::new())..)
            .next()
            .is_some_and(|((at, _), _)| *at == owner)
    }

    pub(crate) fn replicas(&self) -> impl Iterator<Item = &Replica> {
        self.replicas.values()
    }

    /// The call servers of which it has replicas.
    pub(crate) fn owners(&self) -> Vec<SocketAddr> {
        let mut owners: Vec<_> = self.replicas.keys().map(|(owner, _)| *owner).collect();
        owners.dedup();
        owners
    }

    pub(crate) fn len(&self) -> usize {
        self.replicas.len()
    }
}
