//! The calls in progress of a box, for whoever asks: a bounded list, made when it is asked for and at no other time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use telemetry::CallRecord;
use trace::KeptCall;

/// The most calls that a box lists at once, whatever is asked.
pub const MOST_CALLS: usize = 2_000;

/// Which calls of a box are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallsWanted {
    /// The newest, so many.
    Newest(usize),
    /// The oldest, so many.
    Oldest(usize),
    /// The call of this attempt, and what the box has sent and received of it so far.
    One(String),
}

/// How far a call is, as a box sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStage {
    /// Nobody is rung yet.
    Placed,
    /// It waits at an answering point until a call taker is free.
    Queued,
    Ringing,
    Talking,
    /// One end has hung up or given up, and the other does not know yet.
    Ending,
}

impl CallStage {
    /// What people call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Queued => "queued",
            Self::Ringing => "ringing",
            Self::Talking => "talking",
            Self::Ending => "ending",
        }
    }
}

/// A call in progress, as one box knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCall {
    /// The caller's half of Session-ID, see [`CallRecord::attempt`].
    pub attempt: String,
    /// Of the dialogs of this box, as far as it knows them.
    pub call_ids: Vec<String>,
    /// Who calls: the From of a telephone, or the number of an emulated caller.
    pub caller: Option<String>,
    /// What was dialled.
    pub number: String,
    /// INSEE code of the caller's commune.
    pub commune: Option<String>,
    pub trunk_group: Option<String>,
    pub site: Option<String>,
    pub psap: Option<String>,
    pub stage: CallStage,
    /// When the call came to this box, in Unix microseconds.
    pub start_us: u64,
    /// Since when it is at this stage, in Unix microseconds.
    pub since_us: u64,
}

impl OpenCall {
    /// What an open record tells. `is_ending`: an end has hung up or given up.
    #[must_use]
    pub fn of_record(record: &CallRecord, is_ending: bool) -> Self {
        let of_telephone = record.dialog.as_ref().map(|dialog| dialog.from.clone());
        let emulated = || record.caller.map(|number| format!("caller {number}"));
        let (stage, since_us) = match (record.answer_us, record.ring_us) {
            _ if is_ending => {
                let since = record.bye_us.or(record.answer_us).or(record.ring_us);
                (CallStage::Ending, since)
            }
            (Some(answer), _) => (CallStage::Talking, Some(answer)),
            (None, Some(ring)) => (CallStage::Ringing, Some(ring)),
            (None, None) => (CallStage::Placed, None),
        };
        let legs = record.legs.iter().map(|leg| &leg.call_id);
        let call_ids = std::iter::once(&record.call_id).chain(legs);
        Self {
            attempt: record.attempt.clone(),
            call_ids: call_ids.filter(|id| !id.is_empty()).cloned().collect(),
            caller: of_telephone.or_else(emulated),
            number: record.number.clone(),
            commune: record.commune.clone(),
            trunk_group: record.trunk_group.clone(),
            site: record.site.clone(),
            psap: record.psap.clone(),
            stage,
            start_us: record.start_us,
            since_us: since_us.unwrap_or(record.start_us),
        }
    }
}

/// What a box answers to [`CallsWanted`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCalls {
    /// Of all that are in progress at this box: as many as were wanted, and never more than [`MOST_CALLS`].
    pub calls: Vec<OpenCall>,
    /// How many are in progress at this box.
    pub total: u64,
    /// Of one call: what this box has seen of it so far, also of one that is over and has not been forgotten yet.
    pub seen: Option<KeptCall>,
}

/// Takes the calls of a box that are wanted, one after the other, and copies no others.
#[derive(Debug)]
pub struct CallPicker {
    wanted: CallsWanted,
    most: usize,
    total: u64,
    /// By start, and by the order in which they were shown.
    picked: BTreeMap<(u64, u64), OpenCall>,
}

impl CallPicker {
    #[must_use]
    pub fn new(wanted: CallsWanted) -> Self {
        let most = match &wanted {
            CallsWanted::Newest(most) | CallsWanted::Oldest(most) => (*most).min(MOST_CALLS),
            CallsWanted::One(_) => 1,
        };
        Self { wanted, most, total: 0, picked: BTreeMap::new() }
    }

    /// A call in progress, which began at this box at `start_us`; it is copied only if it is wanted.
    pub fn show(&mut self, attempt: &str, start_us: u64, copy: impl FnOnce() -> OpenCall) {
        self.total += 1;
        let key = (start_us, self.total);
        let is_full = self.picked.len() >= self.most;
        let (first, last) = (self.picked.first_key_value(), self.picked.last_key_value());
        let (first, last) = (first.map(|(key, _)| *key), last.map(|(key, _)| *key));
        let (is_wanted, out) = match &self.wanted {
            CallsWanted::One(one) => (one == attempt && !is_full, None),
            CallsWanted::Newest(_) => (!is_full || first.is_some_and(|first| first < key), first),
            CallsWanted::Oldest(_) => (!is_full || last.is_some_and(|last| key < last), last),
        };
        if !is_wanted {
            return;
        }
        if is_full && let Some(out) = out {
            self.picked.remove(&out);
        }
        self.picked.insert(key, copy());
    }

    /// The calls that were picked, in the order that was wanted.
    #[must_use]
    pub fn finish(self) -> OpenCalls {
        let mut calls: Vec<OpenCall> = self.picked.into_values().collect();
        if matches!(self.wanted, CallsWanted::Newest(_)) {
            calls.reverse();
        }
        OpenCalls { calls, total: self.total, seen: None }
    }
}

#[cfg(test)]
mod tests {
    use telemetry::BoxKind;

    use super::*;

    fn pick(wanted: CallsWanted, starts: &[u64]) -> (Vec<u64>, u64) {
        let mut picker = CallPicker::new(wanted);
        for start in starts {
            let record =
                CallRecord::open(BoxKind::CallServer, "alpha", format!("{start:032x}"), *start);
            picker.show(&record.attempt, *start, || OpenCall::of_record(&record, false));
        }
        let picked = picker.finish();
        (picked.calls.iter().map(|call| call.start_us).collect(), picked.total)
    }

    #[test]
    fn as_many_are_picked_as_are_wanted_and_all_are_counted() {
        let starts = [5, 1, 9, 3, 7];
        assert_eq!(pick(CallsWanted::Newest(2), &starts), (vec![9, 7], 5));
        assert_eq!(pick(CallsWanted::Oldest(3), &starts), (vec![1, 3, 5], 5));
        assert_eq!(pick(CallsWanted::Newest(0), &starts), (vec![], 5));
        assert_eq!(pick(CallsWanted::Oldest(9), &[]), (vec![], 0));
        assert_eq!(pick(CallsWanted::One(format!("{:032x}", 3)), &starts), (vec![3], 5));
        assert_eq!(pick(CallsWanted::One("3".to_owned()), &starts), (vec![], 5));
        let many: Vec<u64> = (0..5_000).collect();
        assert_eq!(pick(CallsWanted::Newest(usize::MAX), &many).0.len(), MOST_CALLS);
    }

    #[test]
    fn a_record_that_is_open_tells_how_far_its_call_is() {
        let mut record = CallRecord::open(BoxKind::CallServer, "alpha", "0a".to_owned(), 10);
        let stage = |record: &CallRecord, is_ending| {
            let call = OpenCall::of_record(record, is_ending);
            (call.stage, call.since_us)
        };
        assert_eq!(stage(&record, false), (CallStage::Placed, 10));
        record.ring_us = Some(20);
        assert_eq!(stage(&record, false), (CallStage::Ringing, 20));
        record.answer_us = Some(30);
        assert_eq!(stage(&record, false), (CallStage::Talking, 30));
        record.bye_us = Some(40);
        assert_eq!(stage(&record, true), (CallStage::Ending, 40));
    }
}
