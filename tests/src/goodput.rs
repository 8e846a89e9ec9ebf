//! What a network delivers under load: calls that are answered while their callers still wait.

use telemetry::{BoxKind, CallRecord, CallerClass};

/// Calls that began in a window of time, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Goodput {
    /// Calls in a second.
    pub offered: f64,
    /// Those of them that were answered before their callers gave up, in a second.
    pub answered: f64,
    /// The share of the emergency calls that was answered.
    pub emergency: Option<f64>,
    /// The same of the ordinary calls.
    pub ordinary: Option<f64>,
}

/// The goodput of the calls that generators began from `from_us` to `to_us`, in Unix microseconds.
#[must_use]
pub fn goodput(records: &[CallRecord], from_us: u64, to_us: u64) -> Goodput {
    let is_ours = |record: &&CallRecord| {
        record.kind == BoxKind::Generator && (from_us..to_us).contains(&record.start_us)
    };
    let (mut offered, mut answered) = ([0_u32; 2], [0_u32; 2]);
    for record in records.iter().filter(is_ours) {
        let class = usize::from(record.class == Some(CallerClass::Ordinary));
        offered[class] += 1;
        answered[class] += u32::from(record.answer_us.is_some());
    }
    let seconds = to_us.saturating_sub(from_us) as f64 / 1e6;
    let share = |class: usize| {
        (offered[class] > 0).then(|| f64::from(answered[class]) / f64::from(offered[class]))
    };
    Goodput {
        offered: f64::from(offered.iter().sum::<u32>()) / seconds,
        answered: f64::from(answered.iter().sum::<u32>()) / seconds,
        emergency: share(0),
        ordinary: share(1),
    }
}
