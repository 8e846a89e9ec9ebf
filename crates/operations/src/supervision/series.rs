//! What happened in each minute, for the report.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::attempt::ObservedAttempt;

/// One minute of the campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// From 0; it begins at `minute` × 60 s of the campaign.
    pub minute: u64,
    pub emergency: SampleCounts,
    pub ordinary: SampleCounts,
    /// How many sites restarted.
    pub restarts: u64,
}

/// What became of attempts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SampleCounts {
    pub attempts: u64,
    pub answered: u64,
    pub lost: u64,
}

#[derive(Debug, Default)]
pub(super) struct SampleSeries(BTreeMap<u64, Sample>);

impl SampleSeries {
    pub(super) fn attempt(&mut self, at: Duration, attempt: &ObservedAttempt<'_>) {
        let sample = self.sample(at);
        let counts = if attempt.emergency { &mut sample.emergency } else { &mut sample.ordinary };
        counts.attempts += 1;
        counts.answered += u64::from(attempt.answered);
        counts.lost += u64::from(attempt.lost);
    }

    pub(super) fn restart(&mut self, at: Duration) {
        self.sample(at).restarts += 1;
    }

    pub(super) fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.0.values()
    }

    fn sample(&mut self, at: Duration) -> &mut Sample {
        let minute = at.as_secs() / 60;
        self.0.entry(minute).or_insert_with(|| Sample { minute, ..Sample::default() })
    }
}
