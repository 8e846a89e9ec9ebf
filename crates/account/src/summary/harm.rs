//! What an outage did to the people who called an emergency number: by half hour, département and number.

use std::collections::BTreeMap;
use std::time::Duration;

use operations::supervision::department;
use serde::{Deserialize, Serialize};
use telemetry::{Attempt, AttemptReader, CallerClass, Entry, Unreached};

use super::people::{Caller, People};

/// Harm is told in steps of this, by the clock.
const STEP: u64 = 1_800;
/// Statuses by which somebody says that they are busy.
const BUSY: [u16; 2] = [486, 600];

/// Emergency callers and their attempts. People are with their first attempt: its time, its département, its number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HarmFigures {
    pub whole: HarmCounts,
    /// In the order of time, without those in which nobody called.
    pub by_half_hour: Vec<HalfHour>,
    /// By the département of the caller's commune; `unknown` without one.
    pub by_department: BTreeMap<String, HarmCounts>,
    pub by_number: BTreeMap<String, HarmCounts>,
}

/// Half an hour of the clock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HalfHour {
    /// The time of day at which it begins, `16:30`; without one in the campaign, since its start.
    pub from: String,
    /// Seconds from the start of the campaign; negative where the clock's half hour began before it.
    pub from_s: i64,
    pub counts: HarmCounts,
}

/// What became of some emergency callers, and of some attempts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HarmCounts {
    /// People.
    pub callers: u64,
    /// People who spoke to nobody, however often they called: they called no more, or the campaign ended first.
    pub never_reached: u64,
    /// People who spoke to somebody, later than a minute after their first call was due.
    pub reached_late_1m: u64,
    /// Of these, later than five minutes.
    pub reached_late_5m: u64,
    /// Of these, later than a quarter of an hour.
    pub reached_late_15m: u64,
    /// People with a conversation that the network cut; most of them called again.
    pub cut_callers: u64,
    /// Calls to emergency callers' numbers, first ones and repeated ones.
    pub attempts: u64,
    /// Attempts that neither rang nor were answered.
    pub not_routed: u64,
    /// Attempts with a final refusal that did not mean busy.
    pub refused: u64,
    /// Attempts refused as busy.
    pub busy: u64,
    /// Attempts of which the caller heard nothing until somebody gave up.
    pub silence: u64,
    /// Attempts that rang until the caller gave up.
    pub no_answer: u64,
    /// Attempts that were answered and cut by the network.
    pub cut: u64,
}

/// Counts attempts as they come, and people at the end.
#[derive(Debug)]
pub(super) struct HarmTally {
    start_us: u64,
    /// Seconds since midnight at the start.
    begins: u64,
    whole: HarmCounts,
    by_half_hour: BTreeMap<u64, HarmCounts>,
    by_department: BTreeMap<String, HarmCounts>,
    by_number: BTreeMap<String, HarmCounts>,
}

impl HarmTally {
    /// Of a campaign that begins at `start_us`, which is `begins` by its own clock.
    pub(super) fn new(start_us: u64, begins: Duration) -> Self {
        Self {
            start_us,
            begins: begins.as_secs(),
            whole: HarmCounts::default(),
            by_half_hour: BTreeMap::new(),
            by_department: BTreeMap::new(),
            by_number: BTreeMap::new(),
        }
    }

    fn half_hour(&self, at_us: u64) -> u64 {
        (self.begins + at_us.saturating_sub(self.start_us) / 1_000_000) / STEP
    }

    /// Counts in each place to which something belongs.
    fn count(&mut self, at_us: u64, department: &str, number: &str, add: impl Fn(&mut HarmCounts)) {
        add(&mut self.whole);
        add(self.by_half_hour.entry(self.half_hour(at_us)).or_default());
        add(named(&mut self.by_department, department));
        add(named(&mut self.by_number, number));
    }

    /// What was counted, with the people; `None` where nobody called an emergency number.
    pub(super) fn close(mut self, people: &People) -> Option<HarmFigures> {
        for person in people.emergency() {
            let add = |counts: &mut HarmCounts| counts.add_person(person);
            self.count(person.first_us(), person.department(), person.number(), add);
        }
        if self.whole.attempts == 0 {
            return None;
        }
        let begins = self.begins;
        let half_hour = |(place, counts): (u64, HarmCounts)| {
            let at = place * STEP;
            HalfHour {
                from: format!("{}:{:02}", at / 3_600 % 24, at / 60 % 60),
                from_s: at.cast_signed() - begins.cast_signed(),
                counts,
            }
        };
        Some(HarmFigures {
            whole: self.whole,
            by_half_hour: self.by_half_hour.into_iter().map(half_hour).collect(),
            by_department: self.by_department,
            by_number: self.by_number,
        })
    }
}

impl AttemptReader for HarmTally {
    fn add(&mut self, attempt: &Attempt<'_>) {
        let Some(record) = attempt.caller() else { return };
        if record.class != Some(CallerClass::Emergency) {
            return;
        }
        let place = department(record.commune.as_deref());
        let add = |counts: &mut HarmCounts| counts.add_attempt(record);
        self.count(record.due_us(), place, &record.number, add);
    }
}

impl HarmCounts {
    fn add_attempt(&mut self, record: &Entry<'_>) {
        self.attempts += 1;
        self.not_routed += u64::from(record.ring_us.is_none() && record.answer_us.is_none());
        let is_busy = record.status.is_some_and(|status| BUSY.contains(&status));
        match Unreached::of(record) {
            None => {}
            Some(Unreached::Refused) if is_busy => self.busy += 1,
            Some(Unreached::Refused) => self.refused += 1,
            Some(Unreached::Silence) => self.silence += 1,
            Some(Unreached::NoAnswer) => self.no_answer += 1,
            Some(Unreached::Cut) => self.cut += 1,
        }
    }

    /// Takes an emergency caller.
    pub(crate) fn add_person(&mut self, person: Caller<'_>) {
        self.callers += 1;
        self.cut_callers += u64::from(person.was_cut());
        let Some(waited) = person.waited() else {
            self.never_reached += 1;
            return;
        };
        let later = |minutes: u64| u64::from(waited > Duration::from_secs(minutes * 60));
        self.reached_late_1m += later(1);
        self.reached_late_5m += later(5);
        self.reached_late_15m += later(15);
    }
}

/// Looks up without copying the name, which is nearly always there already.
fn named<'a>(counts: &'a mut BTreeMap<String, HarmCounts>, name: &str) -> &'a mut HarmCounts {
    if !counts.contains_key(name) {
        counts.insert(name.to_owned(), HarmCounts::default());
    }
    counts.get_mut(name).expect("it was put there above")
}
