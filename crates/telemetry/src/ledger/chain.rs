//! One attempt: follows it from the caller to the PSAP and compares what each box says.

use std::time::Duration;

use super::compact_record::CompactRecord;
use super::contradictions::Contradictions;
use super::names::{Name, Names};
use super::rules::Rules;
use super::silent_boxes::SilentBoxes;
use crate::terms::{BoxKind, Outcome};

/// All records of one attempt, sorted by kind of box.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    pub(super) records: &'a [CompactRecord],
    pub(super) names: &'a Names,
    pub(super) silent: &'a SilentBoxes,
    pub(super) rules: &'a Rules,
}

/// What an attempt counts as.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ChainFinding {
    Counted(Outcome),
    Lost {
        node: Name,
        why: Name,
    },
    /// A call by somebody else, which the rules allow.
    Foreign,
    /// A contradiction: a record of an attempt that nobody made.
    Orphan,
}

impl Chain<'_> {
    pub(super) fn attempt(&self) -> u128 {
        self.records[0].attempt()
    }

    /// Site and PSAP where the attempt ended up. An established call decides, otherwise the last
    /// place that was tried.
    pub(super) fn destination(&self) -> (Name, Name) {
        let named = |pick: fn(&CompactRecord) -> Name| {
            let known = |record: &&CompactRecord| pick(record) != Name::NONE;
            let records = self.records.iter().filter(known);
            let answered = records.clone().find(|record| record.established());
            answered.or_else(|| records.clone().next()).map_or(Name::NONE, pick)
        };
        let psap =
            named(|record| if record.kind == BoxKind::Psap { record.node } else { record.psap });
        (named(|record| record.site), psap)
    }

    pub(super) fn check(&self, contradictions: &mut Contradictions) -> ChainFinding {
        self.find_duplicates(contradictions);
        let Some(caller) = self.of_kind(BoxKind::Generator).next() else {
            return self.without_caller(contradictions);
        };
        match caller.outcome {
            Outcome::Answered => {
                self.must_be_answered(caller, contradictions);
                // A caller may hang up without having noticed that nobody was there any more.
                if let Some((node, why)) = self.broken_in_the_talk() {
                    return ChainFinding::Lost { node, why };
                }
            }
            Outcome::Lost => return self.locate(caller, contradictions),
            Outcome::Rejected => {
                self.must_have_reached_trunk_group(caller, contradictions);
                self.must_not_go_on(caller, contradictions);
            }
            Outcome::Abandoned | Outcome::TimedOut => {
                // Without a provisional response the INVITE itself may have been lost.
                if caller.rang() {
                    self.must_have_reached_trunk_group(caller, contradictions);
                }
                self.must_not_go_on(caller, contradictions);
            }
        }
        ChainFinding::Counted(caller.outcome)
    }

    /// A box writes one record of a call. Only in a pool that replicates may a call come back to a call server that has
    /// lost it: its partner took it over, fell too, and had this one as its partner.
    fn find_duplicates(&self, contradictions: &mut Contradictions) {
        for pair in self.records.windows(2) {
            let [a, b] = [&pair[0], &pair[1]];
            let same_box = a.kind == b.kind && a.node == b.node;
            // An attempt is one INVITE of one caller, so a generator writes one record whatever
            // its Call-ID.
            let generators = a.kind == BoxKind::Generator && b.kind == BoxKind::Generator;
            let came_back = a.kind == BoxKind::CallServer && a.has_lost() != b.has_lost();
            if generators || (same_box && a.call == b.call && !came_back) {
                contradictions.add(|| {
                    format!("{} has two records in {}", self.subject(), self.place(b.kind, b.node))
                });
            }
        }
    }

    /// No generator knows this attempt.
    fn without_caller(&self, contradictions: &mut Contradictions) -> ChainFinding {
        if let Some(node) = self.silent.lost_generator {
            return ChainFinding::Lost { node, why: self.silent.lost[&node] };
        }
        if self.rules.foreign_callers {
            return ChainFinding::Foreign;
        }
        let record = &self.records[0];
        contradictions.add(|| {
            let place = self.place(record.kind, record.node);
            format!("{place} has a record of {}, which no generator made", self.subject())
        });
        ChainFinding::Orphan
    }

    /// Each box on the way must have an established call, and name the next box rightly.
    fn must_be_answered(&self, caller: &CompactRecord, contradictions: &mut Contradictions) {
        let mut site = caller.site;
        let mut call_server = Name::NONE;
        if let Some(trunk_group) = caller.trunk_group.known() {
            let Some(record) =
                self.established(BoxKind::TrunkGroup, |record| record.node == trunk_group)
            else {
                return self.blame(BoxKind::TrunkGroup, trunk_group, &[], contradictions);
            };
            if record.site == Name::NONE {
                contradictions.add(|| {
                    let place = self.place(record.kind, record.node);
                    format!("{} was answered, but {place} names no site", self.subject())
                });
                return;
            }
            site = record.site;
            // A site with one call server may lend it its name.
            call_server = if record.next == site { Name::NONE } else { record.next };
        }
        let in_place = |record: &CompactRecord| {
            (site == Name::NONE || record.site == site)
                && (call_server == Name::NONE || record.node == call_server)
        };
        let Some(record) = self.established(BoxKind::CallServer, in_place) else {
            let blamed = call_server.known().unwrap_or(site);
            return self.blame(BoxKind::CallServer, blamed, &[site], contradictions);
        };
        let Some(psap) = record.psap.known() else {
            contradictions.add(|| {
                let place = self.place(record.kind, record.node);
                format!("{} was answered, but {place} names no PSAP", self.subject())
            });
            return;
        };
        if self.established(BoxKind::Psap, |record| record.node == psap).is_none() {
            return self.blame(BoxKind::Psap, psap, &[], contradictions);
        }
        self.must_be_the_only_one(BoxKind::CallServer, record.node, contradictions);
        self.must_be_the_only_one(BoxKind::Psap, psap, contradictions);
    }

    /// One caller talks to one call taker. Another one who answered too is let go at once.
    fn must_be_the_only_one(&self, kind: BoxKind, node: Name, contradictions: &mut Contradictions) {
        let another = |record: &&CompactRecord| {
            record.kind == kind && record.node != node && self.lasts(record)
        };
        if let Some(record) = self.records.iter().find(another)
            && !self.has_broken()
        {
            contradictions.add(|| {
                let (one, other) = (self.place(kind, node), self.place(kind, record.node));
                format!("{} was answered by {one}, but {other} held it too", self.subject())
            });
        }
    }

    fn must_have_reached_trunk_group(
        &self,
        caller: &CompactRecord,
        contradictions: &mut Contradictions,
    ) {
        let Some(trunk_group) = caller.trunk_group.known() else {
            return;
        };
        let known = self.of_kind(BoxKind::TrunkGroup).any(|record| record.node == trunk_group);
        if !known && !self.is_silent(trunk_group) {
            contradictions.add(|| {
                let place = self.place(BoxKind::TrunkGroup, trunk_group);
                let outcome = caller.outcome;
                format!(
                    "{} was {outcome} for the caller but {place} has no record of it",
                    self.subject()
                )
            });
        }
    }

    /// A caller who is gone must not leave a call behind, apart from the moment in which CANCEL and
    /// 200 cross. When a box on the way was lost, nobody could tell the callee.
    fn must_not_go_on(&self, caller: &CompactRecord, contradictions: &mut Contradictions) {
        let lasting =
            self.records.iter().rev().find(|s| s.kind != BoxKind::Generator && self.lasts(s));
        let Some(record) = lasting else { return };
        if self.has_broken() {
            return;
        }
        contradictions.add(|| {
            let place = self.place(record.kind, record.node);
            let seconds = record.talk_us() as f64 / 1e6;
            let outcome = caller.outcome;
            format!(
                "{} was {outcome} for the caller but {place} talked for {seconds:.1} s",
                self.subject()
            )
        });
    }

    /// An established call died: says where and why.
    fn locate(&self, caller: &CompactRecord, contradictions: &mut Contradictions) -> ChainFinding {
        if let Some(node) = self.first_lost() {
            return ChainFinding::Lost { node, why: self.silent.lost[&node] };
        }
        // A call server that was cut off is the cause of what others saw.
        if let Some(record) = self.records.iter().find(|record| Self::is_troubled(record)) {
            return ChainFinding::Lost { node: record.node, why: record.why };
        }
        // The box nearest to the PSAP that also lost it has seen most.
        if let Some(record) = self.records.iter().rev().find(|record| record.has_lost()) {
            let node =
                if record.kind == BoxKind::Generator { caller.trunk_group } else { record.node };
            return ChainFinding::Lost {
                node: node.known().unwrap_or(record.node),
                why: record.why,
            };
        }
        contradictions.add(|| format!("{} was lost and no box says why", self.subject()));
        ChainFinding::Lost { node: caller.node, why: Name::NONE }
    }

    fn of_kind(&self, kind: BoxKind) -> impl Iterator<Item = &CompactRecord> {
        self.records.iter().filter(move |record| record.kind == kind)
    }

    fn established(
        &self,
        kind: BoxKind,
        fits: impl Fn(&CompactRecord) -> bool,
    ) -> Option<&CompactRecord> {
        self.of_kind(kind).find(|record| record.established() && fits(record))
    }

    /// A box says nothing of an answered attempt, or says something else.
    fn blame(
        &self,
        kind: BoxKind,
        node: Name,
        also_called: &[Name],
        contradictions: &mut Contradictions,
    ) {
        if self.is_silent(node) || also_called.iter().any(|name| self.is_silent(*name)) {
            return;
        }
        let says = self.of_kind(kind).find(|record| record.node == node).map_or_else(
            || "has no record of it".to_owned(),
            |record| format!("says {}", record.outcome),
        );
        contradictions.add(|| {
            let place = self.place(kind, node);
            format!("{} was answered for the caller but {place} {says}", self.subject())
        });
    }

    /// Established for longer than a crossing of CANCEL and 200 explains.
    fn lasts(&self, record: &CompactRecord) -> bool {
        record.established() && Duration::from_micros(record.talk_us()) > self.rules.crossing
    }

    fn is_silent(&self, node: Name) -> bool {
        self.silent.lost.contains_key(&node) || self.silent.unrecorded.contains(&node)
    }

    /// A box that this attempt may have reached cannot tell of it.
    pub(super) fn may_be_untold(&self) -> bool {
        !self.silent.unrecorded.is_empty()
            || self.records.iter().flat_map(CompactRecord::boxes).any(|node| self.is_silent(node))
    }

    /// The first lost box on the way of this attempt.
    fn first_lost(&self) -> Option<Name> {
        self.records
            .iter()
            .flat_map(CompactRecord::boxes)
            .find(|node| self.silent.lost.contains_key(node))
    }

    /// The call server that lost an established call, unless another one went on with it.
    fn broken_in_the_talk(&self) -> Option<(Name, Name)> {
        let of_servers = || self.of_kind(BoxKind::CallServer).filter(|record| record.established());
        if of_servers().any(|record| record.outcome == Outcome::Answered) {
            return None;
        }
        of_servers().find(|record| record.has_lost()).map(|record| (record.node, record.why))
    }

    /// A box on the way was lost, or says what kept it from telling the others: that it lost the attempt, or that it was
    /// cut off during the call.
    fn has_broken(&self) -> bool {
        let broken = |record: &CompactRecord| record.has_lost() || Self::is_troubled(record);
        self.first_lost().is_some() || self.records.iter().any(broken)
    }

    /// A call server says what went wrong with the call in it. The reason of a refusal is another matter.
    fn is_troubled(record: &CompactRecord) -> bool {
        record.kind == BoxKind::CallServer
            && record.outcome != Outcome::Rejected
            && record.why != Name::NONE
    }

    fn subject(&self) -> String {
        format!("attempt {:032x}", self.attempt())
    }

    fn place(&self, kind: BoxKind, node: Name) -> String {
        format!("{kind} {}", self.names.text(node))
    }
}
