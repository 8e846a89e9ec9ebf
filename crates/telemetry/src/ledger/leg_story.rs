//! The calls from call servers to PSAPs: what both sides tell of each.

use super::chain::Chain;
use super::compact_dialog::CompactLeg;
use super::compact_record::CompactRecord;
use super::contradictions::Contradictions;
use super::names::Name;
use crate::terms::{BoxKind, Outcome, Party};

impl Chain<'_> {
    /// What a call server says that it heard of its legs, their PSAPs said.
    pub(super) fn follow_legs(&self, server: &CompactRecord, contradictions: &mut Contradictions) {
        let legs = self.store.legs(server);
        let place = || self.place(server.kind, server.node);
        if let Some(how) = self.contradicts_itself(server) {
            contradictions.add(|| format!("{} {how} in {}", self.subject(), place()));
            return;
        }
        if self.has_silent(server) {
            return;
        }
        let of_psaps = || {
            self.of_kind(BoxKind::Psap).filter(|psap| legs.iter().any(|leg| leg.call == psap.call))
        };
        // That the PSAP is missing that answered stands elsewhere.
        let is_missed = self.is_told_of(server) && self.answerer_of(server).is_none();
        if is_missed {
            return;
        }
        if server.rang() && !legs.is_empty() && !of_psaps().any(CompactRecord::rang) {
            contradictions.add(|| format!("{} rang in {} but at no PSAP", self.subject(), place()));
        } else if server.established()
            && !legs.is_empty()
            && self.answerer_of(server).is_none_or(|psap| !psap.established())
            && !self.is_told_of(server)
        {
            contradictions.add(|| {
                let psap = self.place(BoxKind::Psap, server.psap);
                let subject = self.subject();
                format!("{subject} was answered in {} but {psap} never answered it", place())
            });
        }
        for leg in legs.iter().filter(|leg| leg.was_heard_of()) {
            let is_told = legs.last() == Some(leg) && server.established();
            if !is_told && !of_psaps().any(|psap| psap.call == leg.call) {
                contradictions.add(|| {
                    let subject = self.subject();
                    format!(
                        "{} had a call of {subject} ended by a PSAP, and none has a record of it",
                        place()
                    )
                });
            }
        }
    }

    /// How what a call server says of a call differs from what it says of its legs.
    fn contradicts_itself(&self, server: &CompactRecord) -> Option<&'static str> {
        let last = self.store.legs(server).last();
        let ended_by_caller =
            server.outcome == Outcome::Answered && server.ended_by == Some(Party::Caller);
        if server.established() && server.psap == Name::NONE && !self.is_told_of(server) {
            return Some("was answered by no PSAP");
        }
        let leg = last?;
        if leg.was_answered() == Some(true) && !server.established() {
            return Some("was answered by a PSAP and by nobody");
        }
        // It tells the PSAP when it was told.
        let is_over = leg.ended_after().is_some_and(|end| end < server.lasted());
        (ended_by_caller && is_over)
            .then_some("went on after its PSAP had been told that it was over")
    }

    /// The attempt was answered over this call server, so that what its PSAP says is compared elsewhere.
    fn is_told_of(&self, server: &CompactRecord) -> bool {
        self.is_answered() && self.path.server.is_some_and(|one| std::ptr::eq(one, server))
    }

    /// A call server called it, and their stories of that call agree.
    pub(super) fn follow_psap(&self, psap: &CompactRecord, contradictions: &mut Contradictions) {
        let mut placed = self.placed(psap);
        match (placed.next(), placed.next()) {
            (None, _) if self.may_have_lost_its_caller() => {}
            // That the call server is missing that answered stands elsewhere.
            (None, _) if self.is_answered() && self.path.server.is_none() => {}
            (None, _) => contradictions.add(|| {
                let place = self.place(psap.kind, psap.node);
                format!("{place} has a call of {} that no call server placed", self.subject())
            }),
            (Some((server, leg, is_last)), None) => {
                self.compare_leg(server, leg, is_last, psap, contradictions);
            }
            // One call server went on with the call of another: none of them knows the whole of it.
            (Some(_), Some(_)) => {}
        }
    }

    /// The call server that called a PSAP may be unable to say so, or its records are of a time when none said it.
    fn may_have_lost_its_caller(&self) -> bool {
        let mut servers = self.of_kind(BoxKind::CallServer).peekable();
        let is_direct =
            servers.peek().is_none() && self.of_kind(BoxKind::TrunkGroup).next().is_none();
        let knows_no_legs = |server: &CompactRecord| {
            server.psap != Name::NONE && self.store.legs(server).is_empty()
        };
        let is_cut = self.of_kind(BoxKind::TrunkGroup).any(|group| !group.tried().1);
        is_direct
            || servers.any(knows_no_legs)
            || self.may_be_untold()
            || (is_cut && !self.silent.lost.is_empty())
    }

    /// Compares what both sides tell of a call from a call server to a PSAP.
    fn compare_leg(
        &self,
        server: &CompactRecord,
        leg: &CompactLeg,
        is_last: bool,
        psap: &CompactRecord,
        contradictions: &mut Contradictions,
    ) {
        let here = || self.place(psap.kind, psap.node);
        let there = || self.place(server.kind, server.node);
        let answerer = self.store.answerer(psap);
        let answered = server.answered_after().filter(|_| is_last);
        let through = answerer.bye_after().unwrap_or_else(|| psap.lasted());
        if leg.was_answered().is_some_and(|was| was != psap.established())
            && !(is_last && self.is_told_of(server))
        {
            contradictions.add(|| {
                let (subject, outcome) = (self.subject(), psap.outcome);
                let said = if psap.established() { "refused" } else { "answered" };
                format!(
                    "{subject} was {said} by {} as {} says, but it says {outcome}",
                    here(),
                    there()
                )
            });
        } else if let (Some(first), Some(at)) = (psap.answered_after(), answered)
            && first > at.saturating_sub(leg.start_after.into())
        {
            let then = at.saturating_sub(leg.start_after.into());
            contradictions.add(|| self.too_early(&there(), then, &here(), first));
        } else if answered.is_some()
            && server.outcome == Outcome::Answered
            && (server.ended_by, psap.ended_by) == (Some(Party::Callee), Some(Party::Caller))
        {
            contradictions.add(|| self.never_hung_up(&there(), &here()));
        } else if let Some(lasted) = leg.lasted()
            && through > lasted
        {
            contradictions.add(|| self.too_long(&here(), through, &there(), lasted));
        } else if let (Some(ack), Some(most)) = (
            answerer.ack_after(),
            leg.lasted_since(answered.unwrap_or_else(|| leg.start_after.into())),
        ) && through.saturating_sub(ack) > most
        {
            contradictions
                .add(|| self.too_long(&here(), through.saturating_sub(ack), &there(), most));
        }
    }

    /// A PSAP that `server` may have called says nothing.
    fn has_silent(&self, server: &CompactRecord) -> bool {
        let (mut tried, is_whole) = server.tried();
        tried.any(|name| self.is_silent(name))
            || self.is_silent(server.psap)
            || (!is_whole && !self.silent.is_empty())
    }
}
