//! People, not attempts: who was reached in the end, how soon, and after how many calls.

use std::time::Duration;

use contract::GeneratorSnapshot;
use serde::{Deserialize, Serialize};
use telemetry::CallerClass;
use telemetry::metric::share;

use super::people::{People, Person};

/// What became of the people who called.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CallersFigures {
    /// Whether people of this campaign call again after a call that failed.
    pub redial: bool,
    /// People whose first call was to an emergency number.
    pub emergency: ClassFigures,
    pub ordinary: ClassFigures,
    /// Calls of people who had called before.
    pub redials: u64,
    /// Redials with another short number than before.
    pub switched_number: u64,
    /// Redials through another trunk group than before.
    pub switched_network: u64,
    /// Calls of people who turn to the ten digits of a PSAP in place of a short number, also with their first call.
    pub ten_digit: u64,
}

/// The people of one class. Times run from the intended start of their first call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClassFigures {
    pub callers: u64,
    /// People with at least one call that was answered and not cut.
    pub reached: u64,
    /// Reached, of all.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub success_share: Option<f64>,
    /// People of whom such a call was answered within a minute.
    pub reached_within_1m: u64,
    /// The same within five minutes.
    pub reached_within_5m: u64,
    pub attempts: u64,
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub attempts_per_caller: Option<f64>,
    /// People who were not reached: they called no more, or the campaign ended first.
    pub stopped: u64,
}

impl People {
    /// The figures; `generators` are the last counts of all generators together, and `redial` says
    /// whether the campaign has people call again.
    #[must_use]
    pub fn figures(&self, generators: &GeneratorSnapshot, redial: bool) -> CallersFigures {
        let mut figures = CallersFigures {
            redial,
            redials: generators.redials,
            switched_number: generators.switched_number,
            switched_network: generators.switched_network,
            ten_digit: generators.ten_digit,
            ..CallersFigures::default()
        };
        // In no order: all that is done is to add up.
        for person in self.all() {
            let class = match person.class {
                CallerClass::Emergency => &mut figures.emergency,
                CallerClass::Ordinary => &mut figures.ordinary,
            };
            class.add(person);
        }
        for class in [&mut figures.emergency, &mut figures.ordinary] {
            class.success_share = share(class.reached, class.callers);
            class.attempts_per_caller = share(class.attempts, class.callers);
        }
        figures
    }
}

impl ClassFigures {
    fn add(&mut self, person: &Person) {
        self.callers += 1;
        self.attempts += u64::from(person.attempts);
        let Some(waited) = person.waited() else {
            self.stopped += 1;
            return;
        };
        self.reached += 1;
        self.reached_within_1m += u64::from(waited <= Duration::from_secs(60));
        self.reached_within_5m += u64::from(waited <= Duration::from_secs(300));
    }
}

#[cfg(test)]
mod tests {
    use telemetry::{BoxKind, CallRecord, Outcome, Party};

    use super::*;
    use crate::summary::tests::{attempts, record};

    const SECOND: u64 = 1_000_000;

    /// Call `nth` of `caller`, begun after `start` seconds and answered after one more.
    fn call(caller: u64, nth: u32, start: u64, outcome: Outcome) -> CallRecord {
        let start_us = start * SECOND;
        CallRecord {
            caller: Some(caller),
            attempt_of_caller: Some(nth),
            class: Some(CallerClass::Emergency),
            intended_us: Some(start_us),
            start_us,
            answer_us: matches!(outcome, Outcome::Answered | Outcome::Lost)
                .then_some(start_us + SECOND),
            outcome,
            ..record(BoxKind::Generator, "load-1", u128::from(caller))
        }
    }

    #[test]
    fn people_count_once_however_often_they_call() {
        let ordinary =
            CallRecord { class: Some(CallerClass::Ordinary), ..call(5, 1, 0, Outcome::Answered) };
        let drained = CallRecord {
            ended_by: Some(Party::Callee),
            cause: Some(38),
            ..call(4, 1, 0, Outcome::Answered)
        };
        let records = [
            call(1, 1, 100, Outcome::Answered),
            // Out of order: calls may end in another order than they began.
            call(2, 2, 159, Outcome::Answered),
            call(2, 1, 100, Outcome::Rejected),
            call(3, 1, 100, Outcome::Lost),
            call(3, 2, 110, Outcome::Abandoned),
            call(3, 3, 160, Outcome::Answered),
            drained,
            ordinary,
            record(BoxKind::Generator, "a-stranger", 9),
        ];
        // In the order in which they stand here.
        let numbered = (0_u128..).zip(records);
        let records =
            numbered.map(|(id, record)| CallRecord { attempt: format!("{id:032x}"), ..record });
        let mut tally = People::default();
        attempts(records).read(&mut [&mut tally]);
        let counts = GeneratorSnapshot { redials: 3, ten_digit: 1, ..GeneratorSnapshot::default() };
        let figures = tally.figures(&counts, true);
        assert_eq!((figures.redials, figures.ten_digit, figures.redial), (3, 1, true));
        let wanted = ClassFigures {
            callers: 4,
            reached: 3,
            success_share: Some(0.75),
            // The second was answered after exactly one minute, the third after 61 s.
            reached_within_1m: 2,
            reached_within_5m: 3,
            attempts: 7,
            attempts_per_caller: Some(1.75),
            stopped: 1,
        };
        assert_eq!(figures.emergency, wanted);
        assert_eq!((figures.ordinary.callers, figures.ordinary.success_share), (1, Some(1.0)));
        assert_eq!(People::default().figures(&counts, false).emergency.success_share, None);
    }
}
