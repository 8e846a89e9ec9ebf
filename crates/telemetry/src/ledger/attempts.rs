//! All attempts of a run after the audit, each with what every box said of it.

use super::audit::{Faults, Silent};
use super::chain::{Chain, Finding};
use super::pages::{Pages, pile};
use super::slip::{Name, Slip};
use super::{Ledger, Rules};
use crate::entry::Entry;
use crate::record::{BoxKind, Outcome};

/// Every attempt that has a record, in the order of their ids.
#[derive(Debug)]
pub struct Attempts {
    pub(super) pages: Pages,
    pub(super) silent: Silent,
    pub(super) rules: Rules,
}

/// What all boxes said of one attempt.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    all: &'a Attempts,
    slips: &'a [Slip],
}

/// Where an attempt ended up, joined from the records of the boxes behind the caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Destination<'a> {
    pub site: Option<&'a str>,
    pub psap: Option<&'a str>,
}

/// What the ledger counted an attempt as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted<'a> {
    /// `None`: it is no attempt of the campaign.
    pub outcome: Option<Outcome>,
    /// The box in which it was lost, and why.
    pub lost_in: Option<&'a str>,
    pub why: Option<&'a str>,
    /// How records contradict each other: the first sentence.
    pub fault: Option<String>,
}

impl Attempts {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Attempt<'_>> {
        let one: fn(&Slip, &Slip) -> bool = |one, next| one.attempt() == next.attempt();
        let piles = self.pages.piles.iter();
        let attempts = piles.flat_map(move |pile| pile.chunk_by(one));
        attempts.map(|slips| Attempt { all: self, slips })
    }

    /// Looks up an attempt by its [key](crate::CallRecord::attempt_key).
    #[must_use]
    pub fn find(&self, attempt: u128) -> Option<Attempt<'_>> {
        let slips = &self.pages.piles[pile(attempt)];
        let from = slips.partition_point(|slip| slip.attempt() < attempt);
        let length = slips[from..].iter().take_while(|slip| slip.attempt() == attempt).count();
        (length > 0).then(|| Attempt { all: self, slips: &slips[from..from + length] })
    }

    pub(super) fn close(&self, faults: &mut Faults, ledger: &mut Ledger) -> Vec<(Name, Name)> {
        let mut losses = Vec::new();
        for attempt in self.iter() {
            let chain = attempt.chain();
            let finding = chain.check(faults);
            ledger.failures.count(&chain, &finding);
            match finding {
                Finding::Counted(outcome) => *count(ledger, outcome) += 1,
                Finding::Lost { node, why } => {
                    ledger.lost += 1;
                    losses.push((node, why));
                }
                Finding::Foreign => ledger.foreign += 1,
                Finding::Orphan => {}
            }
        }
        losses
    }
}

impl<'a> Attempt<'a> {
    /// The id as a number.
    #[must_use]
    pub fn key(&self) -> u128 {
        self.slips[0].attempt()
    }

    /// Site and PSAP where it ended up.
    #[must_use]
    pub fn destination(&self) -> Destination<'a> {
        let (site, psap) = self.chain().destination();
        Destination { site: self.text(site), psap: self.text(psap) }
    }

    /// What it counts as.
    #[must_use]
    pub fn counted(&self) -> Counted<'a> {
        let mut faults = Faults::default();
        let finding = self.chain().check(&mut faults);
        let fault = faults.into_first();
        match finding {
            Finding::Counted(outcome) => {
                Counted { outcome: Some(outcome), fault, ..Counted::default() }
            }
            Finding::Lost { node, why } => Counted {
                outcome: Some(Outcome::Lost),
                lost_in: self.text(node),
                why: self.text(why),
                fault,
            },
            Finding::Foreign | Finding::Orphan => Counted { fault, ..Counted::default() },
        }
    }

    /// The record of the caller, as far as the books kept it.
    #[must_use]
    pub fn caller(&self) -> Option<Entry<'a>> {
        self.of(BoxKind::Generator).next()
    }

    /// The records of boxes of one kind, as far as the books kept them.
    pub fn of(&self, kind: BoxKind) -> impl Iterator<Item = Entry<'a>> {
        let (all, slips) = (self.all, self.slips);
        slips.iter().filter(move |slip| slip.kind == kind).map(move |slip| all.pages.entry(slip))
    }

    /// All its records, from the caller to the PSAP, as far as the books kept them.
    pub fn records(&self) -> impl Iterator<Item = Entry<'a>> {
        let all = self.all;
        self.slips.iter().map(move |slip| all.pages.entry(slip))
    }

    fn chain(&self) -> Chain<'a> {
        let Attempts { pages, silent, rules } = self.all;
        Chain { slips: self.slips, names: &pages.names, silent, rules }
    }

    fn text(&self, name: Name) -> Option<&'a str> {
        name.known().map(|name| self.all.pages.names.text(name))
    }
}

const fn count(ledger: &mut Ledger, outcome: Outcome) -> &mut u64 {
    match outcome {
        Outcome::Answered => &mut ledger.answered,
        Outcome::Rejected => &mut ledger.rejected,
        Outcome::Abandoned => &mut ledger.abandoned,
        Outcome::TimedOut => &mut ledger.timed_out,
        Outcome::Lost => &mut ledger.lost,
    }
}
