//! One attempt: follows it from the caller to the PSAP and compares what each box says.

use super::compact_record::CompactRecord;
use super::contradictions::Contradictions;
use super::names::{Name, Names};
use super::rules::Rules;
use super::shard::Shard;
use super::silent_boxes::SilentBoxes;
use crate::terms::{BoxKind, Outcome};

/// All records of one attempt, sorted by kind of box.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    pub(super) records: &'a [CompactRecord],
    pub(super) store: &'a Shard,
    pub(super) names: &'a Names,
    pub(super) silent: &'a SilentBoxes,
    pub(super) rules: &'a Rules,
    /// The way that it took in the end.
    pub(super) path: Path<'a>,
}

/// The records along the way that the attempt took in the end, as far as they are known.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Path<'a> {
    pub(super) trunk_group: Option<&'a CompactRecord>,
    pub(super) server: Option<&'a CompactRecord>,
    pub(super) psap: Option<&'a CompactRecord>,
}

/// What an attempt counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl<'a> Chain<'a> {
    /// With the way that the attempt took.
    pub(super) fn followed(self) -> Self {
        Self { path: self.find_path(), ..self }
    }

    pub(super) fn attempt(&self) -> u128 {
        self.records[0].attempt()
    }

    /// Site and PSAP where the attempt ended up: the last ones that were tried, as far as the records tell.
    pub(super) fn destination(&self) -> (Name, Name) {
        let path = &self.path;
        let first = |pick: fn(&CompactRecord) -> Name| {
            self.records.iter().map(pick).find_map(Name::known).unwrap_or(Name::NONE)
        };
        let site = path.trunk_group.map_or(Name::NONE, |group| group.site);
        let psap = path.psap.map(|psap| psap.node);
        let psap = psap.or_else(|| path.server.and_then(|server| server.psap.known()));
        (
            site.known().unwrap_or_else(|| first(|record| record.site)),
            psap.unwrap_or_else(|| first(|record| record.psap)),
        )
    }

    pub(super) fn check(&self, contradictions: &mut Contradictions) -> ChainFinding {
        self.find_duplicates(contradictions);
        let Some(caller) = self.of_kind(BoxKind::Generator).next() else {
            return self.without_caller(contradictions);
        };
        let path = &self.path;
        self.must_have_reached_trunk_group(caller, contradictions);
        self.follow(caller, path, contradictions);
        match caller.outcome {
            Outcome::Answered => {
                self.must_be_answered(caller, path, contradictions);
                // A caller may hang up without having noticed that nobody was there any more.
                if let Some((node, why)) = self.broken_in_the_talk() {
                    return ChainFinding::Lost { node, why };
                }
            }
            Outcome::Lost => return self.locate(caller, contradictions),
            Outcome::Rejected | Outcome::Abandoned | Outcome::TimedOut => {}
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
            let came_back =
                a.kind == BoxKind::CallServer && (a.has_lost() || b.has_lost()) && !a.is_copy_of(b);
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
    fn must_be_answered(
        &self,
        caller: &CompactRecord,
        path: &Path<'_>,
        contradictions: &mut Contradictions,
    ) {
        let mut unnamed = |record: &CompactRecord, what: &str| {
            contradictions.add(|| {
                let place = self.place(record.kind, record.node);
                format!("{} was answered, but {place} names no {what}", self.subject())
            });
        };
        let (mut site, mut next) = (caller.site, Name::NONE);
        if let Some(name) = caller.trunk_group.known() {
            match path.trunk_group {
                Some(group) if group.established() && group.site == Name::NONE => {
                    return unnamed(group, "site");
                }
                Some(group) if group.established() => (site, next) = (group.site, group.next),
                other => {
                    return self.blame(BoxKind::TrunkGroup, &[name], other, contradictions);
                }
            }
        }
        let server = match path.server {
            Some(server) if server.established() => server,
            other => {
                // A site with one call server may lend it its name.
                let blamed = next.known().unwrap_or(site);
                return self.blame(BoxKind::CallServer, &[blamed, site], other, contradictions);
            }
        };
        match path.psap {
            _ if server.psap == Name::NONE => unnamed(server, "PSAP"),
            Some(psap) if psap.established() => {}
            other => self.blame(BoxKind::Psap, &[server.psap], other, contradictions),
        }
    }

    /// Whoever heard anything but silence was heard by the trunk group.
    fn must_have_reached_trunk_group(
        &self,
        caller: &CompactRecord,
        contradictions: &mut Contradictions,
    ) {
        let has_heard = match caller.outcome {
            // Who says that it was answered asks all of them.
            Outcome::Answered => false,
            Outcome::Rejected => true,
            // Without a provisional response the INVITE itself may have been lost.
            Outcome::Abandoned | Outcome::TimedOut | Outcome::Lost => {
                caller.rang() || caller.established()
            }
        };
        let Some(trunk_group) = caller.trunk_group.known().filter(|_| has_heard) else { return };
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

    /// A box says nothing of an answered attempt, or says something else. Whoever is silent is excused for saying nothing; it is
    /// called by any of `names`.
    fn blame(
        &self,
        kind: BoxKind,
        names: &[Name],
        record: Option<&CompactRecord>,
        contradictions: &mut Contradictions,
    ) {
        let says = match record {
            Some(record) => format!("says {}", record.outcome),
            None if names.iter().any(|name| self.is_silent(*name)) => return,
            None => "has no record of it".to_owned(),
        };
        contradictions.add(|| {
            let place = self.place(kind, names[0]);
            format!("{} was answered for the caller but {place} {says}", self.subject())
        });
    }

    /// The caller spoke to somebody.
    pub(super) fn is_answered(&self) -> bool {
        self.of_kind(BoxKind::Generator)
            .next()
            .is_some_and(|caller| caller.outcome == Outcome::Answered)
    }

    pub(super) fn is_silent(&self, node: Name) -> bool {
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

    /// A box on the way that the attempt took was lost, and has no record that tells how the call ended; or a call server went on
    /// with the call of one that fell.
    pub(super) fn fell_with_a_box(&self) -> bool {
        if self.silent.lost.is_empty() {
            return false;
        }
        let Path { trunk_group, server, psap } = self.path;
        let caller = self.of_kind(BoxKind::Generator).next();
        let way = [
            caller.map(|caller| caller.trunk_group),
            trunk_group.map(|group| group.next),
            trunk_group.map(|group| group.site),
            server.map(|server| server.psap),
            caller.map(|caller| caller.psap),
        ];
        let tells = |node: Name| {
            let on_way = [trunk_group, server, psap].into_iter().flatten();
            on_way.into_iter().any(|record| record.node == node && record.outcome != Outcome::Lost)
        };
        let mut fallen =
            way.into_iter().flatten().filter(|node| self.silent.lost.contains_key(node));
        fallen.any(|node| !tells(node)) || server.is_some_and(|server| self.is_heir(server))
    }

    /// The call server that lost an established call, unless another one went on with it.
    fn broken_in_the_talk(&self) -> Option<(Name, Name)> {
        let of_servers = || self.of_kind(BoxKind::CallServer).filter(|record| record.established());
        if of_servers().any(|record| record.outcome == Outcome::Answered) {
            return None;
        }
        of_servers().find(|record| record.has_lost()).map(|record| (record.node, record.why))
    }

    /// A call server says what went wrong with the call in it. The reason of a refusal is another matter.
    fn is_troubled(record: &CompactRecord) -> bool {
        record.kind == BoxKind::CallServer
            && record.outcome != Outcome::Rejected
            && record.why != Name::NONE
    }

    pub(super) fn subject(&self) -> String {
        format!("attempt {:032x}", self.attempt())
    }

    pub(super) fn place(&self, kind: BoxKind, node: Name) -> String {
        format!("{kind} {}", self.names.text(node))
    }
}
