//! The calls of a run one by one, as `calls.sqlite` has them: what the sureness of a comparison is drawn from.

use std::collections::BTreeMap;

use rusqlite::Connection;
use telemetry::metric::{Metric, Quantile};

/// Whether a call belongs to a share, and whether it is of the part that is counted; `None` when it does not belong.
pub(super) type Sorted = fn(&Call) -> Option<bool>;

/// What one attempt was, as far as a comparison asks.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Microseconds from the start of the campaign to the moment at which it was due.
    pub(super) due_us: u64,
    pub(super) outcome: String,
    pub(super) pdd_us: Option<u64>,
    pub(super) setup_us: Option<u64>,
    /// Whether both ends heard each other; `None` when nobody could tell.
    pub(super) was_heard: Option<bool>,
    /// An emergency caller's first call, and whether one of that person's calls was answered.
    pub(super) person_reached: Option<bool>,
}

/// All calls of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    pub(super) all: Vec<Call>,
}

const QUERY: &str =
    "SELECT intended_us, outcome, pdd_us, setup_us, heard_by_caller, heard_by_psap, caller, class
    FROM attempts ORDER BY intended_us";

impl Calls {
    /// `None` when the database does not say.
    pub(super) fn read(database: &Connection) -> Option<Self> {
        let mut statement = database.prepare(QUERY).ok()?;
        let mut rows = statement.query([]).ok()?;
        let mut all = Vec::new();
        // By person, the place of the first call.
        let mut people: BTreeMap<i64, usize> = BTreeMap::new();
        while let Some(row) = rows.next().ok()? {
            let number = |column| row.get::<_, Option<i64>>(column).ok();
            let micros = |column| Some(number(column)?.map(|us| u64::try_from(us).unwrap_or(0)));
            let word = |column| row.get::<_, Option<String>>(column).ok();
            let outcome = word(1)??;
            let ends = [word(4)?, word(5)?];
            let mut person_reached = None;
            if let (Some(caller), Some("emergency")) = (number(6)?, word(7)?.as_deref()) {
                let answered = outcome == "answered";
                match people.get(&caller) {
                    None => {
                        people.insert(caller, all.len());
                        person_reached = Some(answered);
                    }
                    Some(first) => {
                        let first: &mut Call = all.get_mut(*first)?;
                        first.person_reached = first.person_reached.map(|it| it || answered);
                    }
                }
            }
            all.push(Call {
                due_us: micros(0)??,
                outcome,
                pdd_us: micros(2)?,
                setup_us: micros(3)?,
                was_heard: was_heard(&ends),
                person_reached,
            });
        }
        Some(Self { all })
    }

    /// Each call of a share with its time, and whether it is of the part.
    pub(super) fn sorted(&self, sorted: Sorted) -> Vec<(u64, bool)> {
        self.all.iter().filter_map(|call| Some((call.due_us, sorted(call)?))).collect()
    }

    /// Each delay of a metric with the time of its call.
    pub(super) fn delays(&self, metric: Metric) -> Vec<(u64, u64)> {
        let delay = |call: &Call| match metric {
            Metric::Pdd(_) => call.pdd_us,
            Metric::AnswerDelay(_) => call.setup_us,
            _ => None,
        };
        self.all.iter().filter_map(|call| Some((call.due_us, delay(call)?))).collect()
    }

    /// Several runs one after the other, each as long as `length_us`, as if they were one. Their seeds differ, so they say nothing
    /// of each other.
    pub(super) fn one_after_the_other(runs: Vec<Self>, length_us: u64) -> Self {
        let later = |(number, run): (u64, Self)| {
            let shift = number * length_us;
            run.all.into_iter().map(move |call| Call { due_us: call.due_us + shift, ..call })
        };
        Self { all: (0..).zip(runs).flat_map(later).collect() }
    }

    /// The end of the last step of time.
    pub(super) fn end_us(&self) -> u64 {
        self.all.iter().map(|call| call.due_us + 1).max().unwrap_or(1)
    }
}

fn was_heard(ends: &[Option<String>; 2]) -> Option<bool> {
    let is_failure =
        |end: &Option<String>| matches!(end.as_deref(), Some("silent" | "garbled" | "wrong_party"));
    if ends.iter().any(is_failure) {
        return Some(false);
    }
    ends.iter().all(|end| end.as_deref() == Some("heard")).then_some(true)
}

/// Sorted delays, and the one at a quantile as a summary tells it.
pub(super) fn sorted_delays(delays: &[(u64, u64)], quantile: Quantile) -> Option<(Vec<u64>, u64)> {
    let mut sorted: Vec<u64> = delays.iter().map(|(_, delay)| *delay).collect();
    sorted.sort_unstable();
    let place = usize::try_from(quantile.place(sorted.len() as u64)?).ok()?;
    let value = *sorted.get(place)?;
    Some((sorted, value))
}
