//! Whether each story follows from messages that somebody sent.
//!
//! A box knows only what it was told. A message may be late, sent again or lost, so two boxes may believe different things for
//! any time; but nobody can have heard what nobody said, and who has confirmed the end of a call cannot go on with it:
//!
//! ```text
//!   call server  ──INVITE─────────ACK───────────────BYE──►         ◄──200── it is over there too
//!   PSAP              ├─ 180, 200 ──┤ the call ─────────┤ over
//!                     └ what the PSAP tells of lies within what the call server tells, by durations: ┘
//!                       boxes need no common clock
//! ```

use super::chain::{Chain, Path};
use super::compact_record::CompactRecord;
use super::contradictions::Contradictions;
use super::names::Name;
use crate::terms::{BoxKind, Outcome, Party};

impl<'a> Chain<'a> {
    /// Compares each record with that of the box that caused it.
    pub(super) fn follow(
        &self,
        caller: &CompactRecord,
        path: &Path<'a>,
        contradictions: &mut Contradictions,
    ) {
        self.follow_caller(caller, path, contradictions);
        for server in self.of_kind(BoxKind::CallServer) {
            self.follow_server(server, path, contradictions);
        }
        for psap in self.of_kind(BoxKind::Psap) {
            self.follow_psap(psap, contradictions);
        }
    }

    /// What the caller heard, its trunk group said; what the caller has ended, is over.
    fn follow_caller(
        &self,
        caller: &CompactRecord,
        path: &Path<'a>,
        contradictions: &mut Contradictions,
    ) {
        let Some(group) = path.trunk_group else { return };
        let place = || self.place(group.kind, group.node);
        let (heard, said) = (caller.outcome, group.outcome);
        if heard == Outcome::Rejected && (said != heard || group.status != caller.status) {
            contradictions.add(|| {
                let (status, subject) = (caller.status, self.subject());
                format!(
                    "{subject} was rejected for the caller with {status} but {} says {said}",
                    place()
                )
            });
        } else if caller.rang() && !group.rang() {
            contradictions
                .add(|| format!("{} rang for the caller but not in {}", self.subject(), place()));
        } else if let (Some(first), Some(then)) = (group.answered_after(), caller.answered_after())
            && first > then
        {
            contradictions.add(|| self.too_early("the caller", then, &place(), first));
        } else if self.has_confirmed_end(caller)
            && matches!(said, Outcome::Answered | Outcome::Rejected | Outcome::Abandoned)
            && group.lasted() > caller.lasted()
        {
            contradictions
                .add(|| self.too_long(&place(), group.lasted(), "the caller", caller.lasted()));
        } else if said == Outcome::Answered
            && group.ended_by == Some(Party::Caller)
            && matches!(heard, Outcome::Answered | Outcome::Abandoned)
            && !self.hung_up(caller)
        {
            contradictions.add(|| self.never_hung_up(&place(), "the caller"));
        }
    }

    /// The caller's last request, or its refusal, was answered by the network: whatever is behind it knew by then. Where two call
    /// servers have answered, the caller had one of them, and ended the other one whenever it heard of that.
    fn has_confirmed_end(&self, caller: &CompactRecord) -> bool {
        let answered = |server: &&CompactRecord| server.established() && !self.is_heir(server);
        if self.of_kind(BoxKind::CallServer).filter(answered).count() > 1 {
            return false;
        }
        match caller.outcome {
            Outcome::Rejected => true,
            Outcome::Abandoned => caller.why == Name::NONE,
            Outcome::Answered => caller.ended_by == Some(Party::Caller),
            Outcome::TimedOut | Outcome::Lost => false,
        }
    }

    /// The caller may have sent a BYE. Records of a time when call servers did not name their legs do not always say so.
    fn hung_up(&self, caller: &CompactRecord) -> bool {
        let mut servers = self.of_kind(BoxKind::CallServer);
        self.store.caller(caller).bye_us.is_some()
            || !servers.any(|server| !self.store.legs(server).is_empty())
    }

    /// Somebody offered it the call, and what it told its trunk group, it said.
    fn follow_server(
        &self,
        server: &CompactRecord,
        path: &Path<'a>,
        contradictions: &mut Contradictions,
    ) {
        let place = || self.place(server.kind, server.node);
        // That the one is missing that answered stands elsewhere.
        let is_missed = self.is_answered() && path.server.is_none();
        if is_missed {
            return;
        }
        if !self.was_offered(server) {
            contradictions.add(|| {
                let subject = self.subject();
                format!("{} has a call of {subject} that no trunk group offered it", place())
            });
            return;
        }
        self.follow_legs(server, contradictions);
        let is_on_path = path.server.is_some_and(|one| std::ptr::eq(one, server));
        let group = path.trunk_group.filter(|_| is_on_path && !self.is_heir(server));
        let Some(group) = group else { return };
        let group_place = || self.place(group.kind, group.node);
        if let (Some(first), Some(then)) = (server.answered_after(), group.answered_after())
            && first > then
        {
            contradictions.add(|| self.too_early(&group_place(), then, &place(), first));
        } else if group.outcome == Outcome::Abandoned
            && group.why == Name::NONE
            && server.established()
        {
            // It was the site's final response that ended it there.
            contradictions.add(|| {
                let (subject, group) = (self.subject(), group_place());
                format!("{subject} was abandoned in {group} but answered in {}", place())
            });
        }
        self.compare_ends(server, group, contradictions);
    }

    /// An answered call that went over `server` has ended in the same way for the caller.
    fn compare_ends(
        &self,
        server: &CompactRecord,
        group: &CompactRecord,
        contradictions: &mut Contradictions,
    ) {
        let Some(caller) = self.of_kind(BoxKind::Generator).next() else { return };
        let all = [server, group, caller].map(|record| record.outcome) == [Outcome::Answered; 3];
        if !all || server.ended_by != Some(Party::Caller) || group.ended_by == Some(Party::Network)
        {
            return;
        }
        let place = || self.place(server.kind, server.node);
        // A call server that heard the caller's BYE has sent none.
        if group.ended_by == Some(Party::Callee) || caller.ended_by == Some(Party::Callee) {
            contradictions.add(|| self.never_hung_up(&place(), "the caller"));
        } else if self.has_confirmed_end(caller) && server.lasted() > caller.lasted() {
            contradictions
                .add(|| self.too_long(&place(), server.lasted(), "the caller", caller.lasted()));
        }
    }

    /// A trunk group tried it, or it went on with the call of another one.
    fn was_offered(&self, server: &CompactRecord) -> bool {
        let mut groups = self.of_kind(BoxKind::TrunkGroup).peekable();
        groups.peek().is_none()
            || self.is_heir(server)
            || groups.any(|group| {
                let (mut tried, is_whole) = group.tried();
                !is_whole
                    || group.site == server.site
                    || tried.any(|name| name == server.node || name == server.site)
            })
    }

    pub(super) fn too_early(&self, one: &str, then: u64, other: &str, first: u64) -> String {
        let (subject, then, first) = (self.subject(), seconds(then), seconds(first));
        format!(
            "{subject} was answered for {one} after {then} s, before {other} answered it, after {first} s"
        )
    }

    pub(super) fn too_long(&self, one: &str, lasted: u64, other: &str, most: u64) -> String {
        let (subject, lasted, most) = (self.subject(), seconds(lasted), seconds(most));
        format!("{subject} lasted {lasted} s in {one} but was over for {other} after {most} s")
    }

    pub(super) fn never_hung_up(&self, one: &str, other: &str) -> String {
        format!(
            "{} was hung up by {other} as {one} says, but {other} did not hang up",
            self.subject()
        )
    }
}

/// Microseconds, as people read them.
fn seconds(micros: u64) -> String {
    format!("{:.3}", micros as f64 / 1e6)
}
