//! Collects the records of all boxes, then goes through them attempt by attempt.

use std::collections::{BTreeMap, HashMap};

use super::chain::{Chain, Finding};
use super::slip::{Destinations, Name, Names, Slip};
use super::{FAULTS_KEPT, Ledger, LostAt, LostNode, Rules};
use crate::record::{BoxKind, CallRecord, Outcome};

/// An open comparison of records. Add all records in any order, then [`close`](Self::close) it.
///
/// One million attempts with four records each take about 200 MB.
#[derive(Debug)]
pub struct Audit {
    rules: Rules,
    slips: Vec<Slip>,
    names: Names,
    faults: Faults,
}

/// What the audit knows of boxes that cannot testify.
#[derive(Debug, Default)]
pub(super) struct Silent {
    /// Lost boxes, and why.
    pub(super) lost: HashMap<Name, Name>,
    /// Boxes that write no records.
    pub(super) unrecorded: Vec<Name>,
    /// The generator that attempts without a caller's record are put down to. Other boxes do not
    /// know which generator called them.
    pub(super) lost_generator: Option<Name>,
}

impl Audit {
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, slips: Vec::new(), names: Names::new(), faults: Faults::default() }
    }

    /// Takes one record of any box.
    pub fn add(&mut self, record: &CallRecord) {
        let at = |what: &str| {
            format!(
                "record of attempt {} in {} {}: {what}",
                record.attempt, record.kind, record.node
            )
        };
        let Some(key) = record.attempt_key() else {
            self.faults.add(|| at("the attempt id is not 32 hexadecimal digits"));
            return;
        };
        if let Some((later, earlier)) = disorder(record) {
            self.faults.add(|| at(&format!("{later} is before {earlier}")));
        }
        if record.outcome == Outcome::Answered && record.answer_us.is_none() {
            self.faults.add(|| at("it is answered but has no answer time"));
        }
        self.slips.push(Slip::new(key, record, &mut self.names));
    }

    /// Compares everything.
    ///
    /// `started` is how many attempts the generators say they started; `lost` are the boxes that
    /// were lost during the run.
    #[must_use]
    pub fn close(mut self, started: u64, lost: &[LostNode]) -> (Ledger, Destinations) {
        let silent = self.silent(lost);
        self.slips.sort_unstable();
        let mut ledger = Ledger::default();
        let mut losses = BTreeMap::<(Name, Name), u64>::new();
        let mut found = Vec::new();
        for slips in self.slips.chunk_by(|a, b| a.attempt() == b.attempt()) {
            let chain = Chain { slips, names: &self.names, silent: &silent, rules: &self.rules };
            let (site, psap) = chain.destination();
            if site != Name::NONE || psap != Name::NONE {
                found.push((chain.attempt(), site, psap));
            }
            let finding = chain.check(&mut self.faults);
            ledger.failures.count(&chain, &finding);
            match finding {
                Finding::Counted(outcome) => *count(&mut ledger, outcome) += 1,
                Finding::Lost { node, why } => {
                    ledger.lost += 1;
                    *losses.entry((node, why)).or_default() += 1;
                }
                Finding::Foreign => ledger.foreign += 1,
                Finding::Orphan => {}
            }
        }
        self.close_sum(&mut ledger, started, silent.lost_generator.is_some());
        ledger.lost_at = lost_at(losses, &self.names);
        ledger.fault_count = self.faults.count;
        ledger.faults = self.faults.sentences;
        ledger.balanced = ledger.in_progress == 0 && ledger.fault_count == 0;
        found.shrink_to_fit();
        (ledger, Destinations { found, names: self.names })
    }

    fn close_sum(&mut self, ledger: &mut Ledger, started: u64, generator_lost: bool) {
        let ended =
            ledger.answered + ledger.rejected + ledger.abandoned + ledger.timed_out + ledger.lost;
        // A lost generator does not say what it started.
        if ended > started && !generator_lost {
            self.faults.add(|| {
                format!("the generators started {started} attempts, but {ended} have records")
            });
        }
        ledger.offered = started.max(ended);
        ledger.in_progress = started.saturating_sub(ended);
    }

    fn silent(&mut self, lost: &[LostNode]) -> Silent {
        let names = &mut self.names;
        let mut silent = Silent {
            unrecorded: self.rules.unrecorded.iter().map(|node| names.keep(node)).collect(),
            ..Silent::default()
        };
        for LostNode { kind, node, why } in lost {
            let (node, why) = (names.keep(node), names.keep(why));
            silent.lost.entry(node).or_insert(why);
            if *kind == BoxKind::Generator {
                silent.lost_generator.get_or_insert(node);
            }
        }
        silent
    }
}

/// Counts faults and keeps the first few.
#[derive(Debug, Default)]
pub(super) struct Faults {
    count: u64,
    sentences: Vec<String>,
}

impl Faults {
    /// The sentence is only made when it will be kept.
    pub(super) fn add(&mut self, sentence: impl FnOnce() -> String) {
        self.count += 1;
        if self.sentences.len() < FAULTS_KEPT {
            self.sentences.push(sentence());
        }
    }
}

/// The first pair of times that is in the wrong order, as (later, earlier).
fn disorder(record: &CallRecord) -> Option<(&'static str, &'static str)> {
    let times = [
        ("the intended start", record.intended_us),
        ("the start", Some(record.start_us)),
        ("ringing", record.ring_us),
        ("the answer", record.answer_us),
        ("the end", Some(record.end_us)),
    ];
    let mut earlier: Option<(&str, u64)> = None;
    for (name, at) in times.into_iter().filter_map(|(name, at)| Some((name, at?))) {
        if let Some((before, limit)) = earlier
            && at < limit
        {
            return Some((name, before));
        }
        earlier = Some((name, at));
    }
    None
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

fn lost_at(losses: BTreeMap<(Name, Name), u64>, names: &Names) -> Vec<LostAt> {
    let text = |name| names.text(name).to_owned();
    let mut places: Vec<LostAt> = losses
        .into_iter()
        .map(|((node, why), attempts)| LostAt { node: text(node), why: text(why), attempts })
        .collect();
    places.sort_by(|a, b| b.attempts.cmp(&a.attempts).then_with(|| a.node.cmp(&b.node)));
    places
}
