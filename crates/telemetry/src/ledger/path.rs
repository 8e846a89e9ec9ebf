//! Which record tells of the same call as which: an attempt may be offered to several sites, and by each of them to several
//! PSAPs, or to the same one twice.
//!
//! ```text
//!   caller ── Call-ID ──► trunk group ── Call-ID ──► call server alpha ── leg 1 ──► PSAP samu-59
//!                                   │                               └──── leg 2 ──► PSAP samu-75
//!                                   └─── Call-ID ──► call server beta ─── leg 1 ──► PSAP samu-59, a second time
//! ```

use super::chain::{Chain, Path};
use super::compact_dialog::CompactLeg;
use super::compact_record::CompactRecord;
use super::names::Name;
use crate::terms::{BoxKind, Outcome, TAKEN_OVER};

impl<'a> Chain<'a> {
    /// The way that the attempt took in the end, with the call server and the PSAP that answered, if any did there.
    pub(super) fn find_path(&self) -> Path<'a> {
        let caller = self.of_kind(BoxKind::Generator).next();
        let called = caller.and_then(|caller| caller.trunk_group.known());
        let groups = || self.of_kind(BoxKind::TrunkGroup);
        let is_called = |record: &&CompactRecord| called.is_none_or(|name| record.node == name);
        let trunk_group = prefer(groups().filter(is_called), CompactRecord::established);
        let site = trunk_group.or(caller).map_or(Name::NONE, |record| record.site);
        let server = self.server_in(site, trunk_group.map_or(Name::NONE, |group| group.next));
        let psap = match server {
            Some(server) => self.answerer_of(server),
            None => {
                let named = caller.and_then(|caller| caller.psap.known());
                let psaps = self.of_kind(BoxKind::Psap);
                let is_named = |psap: &&CompactRecord| named.is_none_or(|name| psap.node == name);
                prefer(psaps.filter(is_named), |psap| psap.outcome == Outcome::Answered)
            }
        };
        Path { trunk_group, server, psap }
    }

    /// The record of a call server of `site`: of the one called `next`, unless a site with one call server lent it its name.
    pub(super) fn server_in(&self, site: Name, next: Name) -> Option<&'a CompactRecord> {
        let servers = self.of_kind(BoxKind::CallServer);
        let in_place = move |record: &&CompactRecord| {
            (site == Name::NONE || record.site == site)
                && (next == Name::NONE || next == site || record.node == next)
        };
        prefer(servers.filter(in_place), CompactRecord::established)
    }

    /// The record of the PSAP that `server` has last called. A call server that does not say which calls it placed has called
    /// the one that it names.
    pub(super) fn answerer_of(&self, server: &CompactRecord) -> Option<&'a CompactRecord> {
        let psaps = self.of_kind(BoxKind::Psap).filter(|psap| psap.node == server.psap);
        match self.store.legs(server).last() {
            Some(leg) => {
                let call = leg.call;
                psaps.into_iter().find(|psap| psap.call == call)
            }
            None => prefer(psaps, CompactRecord::established),
        }
    }

    /// The calls to PSAPs whose Call-ID is that of this record, each with the call server that placed it and whether it was its
    /// last one. Two have it where one went on with the call of the other.
    pub(super) fn placed(
        &self,
        psap: &CompactRecord,
    ) -> impl Iterator<Item = (&'a CompactRecord, &'a CompactLeg, bool)> {
        let (call, store) = (psap.call, self.store);
        self.of_kind(BoxKind::CallServer).flat_map(move |server| {
            let legs = store.legs(server);
            let with_call = legs.iter().enumerate().filter(move |(_, leg)| leg.call == call);
            with_call.map(move |(place, leg)| (server, leg, place + 1 == legs.len()))
        })
    }

    /// True of a call server that went on with the call of another one: it tells of times before its own.
    pub(super) fn is_heir(&self, server: &CompactRecord) -> bool {
        server.why != Name::NONE && self.names.text(server.why).starts_with(TAKEN_OVER)
    }

    pub(super) fn of_kind(
        &self,
        kind: BoxKind,
    ) -> impl Iterator<Item = &'a CompactRecord> + use<'a> {
        self.records.iter().filter(move |record| record.kind == kind)
    }
}

/// The first of which this is true, or else the first.
fn prefer<'a>(
    records: impl Iterator<Item = &'a CompactRecord>,
    is_better: impl Fn(&CompactRecord) -> bool,
) -> Option<&'a CompactRecord> {
    let mut first = None;
    for record in records {
        if is_better(record) {
            return Some(record);
        }
        first = first.or(Some(record));
    }
    first
}
