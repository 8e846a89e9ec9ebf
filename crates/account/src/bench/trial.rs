//! One trial: so many sessions attempted in a second for so long, and what became of them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::summary::{RunVerdict, Summary};
use contract::GeneratorSnapshot;
use serde::Serialize;
use telemetry::Quantiles;

use super::search::TrialFinding;

/// The callers' own count of one trial.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    pub number: usize,
    /// `rise`, `narrow`, `confirm`, `overload` or `recovery`.
    pub stage: &'static str,
    /// Session attempt rate, in calls per second (RFC 7501).
    pub rate: f64,
    pub length_s: f64,
    pub offered: u64,
    /// Sessions that were answered in time and ended by a BYE that was answered.
    pub established: u64,
    /// Refused by the network, by status.
    pub refused: BTreeMap<u16, u64>,
    /// Of the 503 among them, those that say when to come back (Retry-After), or that there is congestion (Q.850).
    pub with_advice: u64,
    /// Not answered within the establishment threshold time, though something was heard of them.
    pub too_late: u64,
    /// Nothing was heard of them, or they were in progress when the trial was cut off.
    pub silent: u64,
    /// Established, and lost before their end.
    pub lost: u64,
    /// From intended start to the first 18x or 200, in microseconds.
    pub pdd: Quantiles,
    /// From intended to actual start, in microseconds.
    pub lag: Quantiles,
    /// CPU of the generator's process, in cores.
    pub generator_cpu: f64,
    #[serde(serialize_with = "word")]
    pub finding: TrialFinding,
    /// What the generator has against itself.
    pub against_generator: Vec<String>,
}

/// Statuses that end an attempt of a caller who gives up himself.
const CANCELLED: u16 = 487;

impl Trial {
    /// Judges what the callers recorded; `counts` are what they said last.
    pub fn new(
        (number, stage): (usize, &'static str),
        rate: f64,
        length: Duration,
        summary: &Summary,
        counts: &GeneratorSnapshot,
    ) -> Self {
        let ledger = &summary.ledger;
        let refusals = summary.metrics.by_status.iter();
        let refused = refusals.filter(|(status, _)| **status >= 300 && **status != CANCELLED);
        let against_generator = match summary.verdict {
            RunVerdict::Invalid => summary.reasons.clone(),
            _ => Vec::new(),
        };
        let finding = match ledger.offered - ledger.answered {
            _ if !against_generator.is_empty() => TrialFinding::GeneratorOut,
            0 => TrialFinding::Held,
            _ => TrialFinding::Failed,
        };
        Self {
            number,
            stage,
            rate,
            length_s: length.as_secs_f64(),
            offered: ledger.offered,
            established: ledger.answered,
            refused: refused.map(|(status, count)| (*status, *count)).collect(),
            with_advice: counts.refused_with_advice,
            too_late: ledger.abandoned,
            silent: ledger.timed_out + ledger.in_progress,
            lost: ledger.lost,
            pdd: summary.metrics.pdd,
            lag: summary.generator.lag,
            generator_cpu: summary.generator.cpu_s / length.as_secs_f64().max(0.001),
            finding,
            against_generator,
        }
    }

    pub const fn failed(&self) -> u64 {
        self.offered - self.established
    }

    pub fn failed_percent(&self) -> f64 {
        self.failed() as f64 * 100.0 / self.offered.max(1) as f64
    }

    /// Sessions established per second.
    pub fn established_rate(&self) -> f64 {
        self.established as f64 / self.length_s.max(0.001)
    }

    /// What the failures were: `503: 12, 3 not answered in time`.
    pub fn failures(&self) -> String {
        let refused = self.refused.iter().map(|(status, count)| format!("{status}: {count}"));
        let others = [
            (self.too_late, "not answered in time"),
            (self.silent, "without any response"),
            (self.lost, "lost"),
        ];
        let others = others.iter().filter(|(count, _)| *count > 0);
        let others = others.map(|(count, what)| format!("{count} {what}"));
        let all: Vec<String> = refused.chain(others).collect();
        if all.is_empty() { "no failure".to_owned() } else { all.join(", ") }
    }

    /// What speaks against the way in which a network refused what it could not carry: every refusal must be one that a
    /// caller can act upon, and whoever was let in must be served as ever.
    pub fn unclean(&self, pdd_limit: Duration) -> Vec<String> {
        let mut complaints = Vec::new();
        let unhelpful: Vec<String> = self
            .refused
            .iter()
            .filter(|(status, _)| !matches!(status, 486 | 503 | 600))
            .map(|(status, count)| format!("{status}: {count}"))
            .collect();
        if !unhelpful.is_empty() {
            let them = unhelpful.join(", ");
            complaints.push(format!("refusals that do not say that it is full: {them}"));
        }
        let unavailable = self.refused.get(&503).copied().unwrap_or_default();
        let without = unavailable.saturating_sub(self.with_advice);
        if without > 0 {
            complaints.push(format!("{without} refusals with 503 have neither Retry-After nor congestion as their reason"));
        }
        for (count, what) in [
            (self.too_late, "were not answered in time"),
            (self.silent, "got no response"),
            (self.lost, "were lost after they had been established"),
        ] {
            if count > 0 {
                complaints.push(format!("{count} sessions {what}"));
            }
        }
        let p99 = self.pdd.p99.map(Duration::from_micros);
        if let Some(p99) = p99.filter(|p99| *p99 > pdd_limit) {
            let (p99, limit) = (p99.as_micros() as f64 / 1e3, pdd_limit.as_millis());
            complaints.push(format!(
                "whoever was let in waited: the 99th percentile of the post-dial delay is {p99} ms, the limit is {limit} ms"
            ));
        }
        if self.established == 0 {
            complaints.push("no session at all was established".to_owned());
        }
        complaints
    }
}

fn word<S: serde::Serializer>(finding: &TrialFinding, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match finding {
        TrialFinding::Held => "held",
        TrialFinding::Failed => "failed",
        TrialFinding::GeneratorOut => "generator_out",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fixture::trial;

    #[test]
    fn failures_are_told_by_what_they_were() {
        assert_eq!(trial(1, 0).failures(), "no failure");
        let trial = Trial { too_late: 2, lost: 1, ..trial(1, 36) };
        assert_eq!(trial.failures(), "503: 36, 2 not answered in time, 1 lost");
        assert!((trial.failed_percent() - 1.2).abs() < 1e-9);
    }

    #[test]
    fn a_clean_refusal_says_that_it_is_full_and_when_to_come_back() {
        let limit = Duration::from_millis(500);
        assert_eq!(trial(1, 900).unclean(limit), [""; 0]);
        let busy = Trial { refused: [(486, 3), (600, 1)].into(), ..trial(1, 4) };
        assert_eq!(busy.unclean(limit), [""; 0]);
        let curt = Trial { with_advice: 890, ..trial(1, 900) };
        assert_eq!(
            curt.unclean(limit),
            ["10 refusals with 503 have neither Retry-After nor congestion as their reason"]
        );
        let broken = Trial { refused: [(500, 3)].into(), silent: 4, ..trial(1, 7) };
        let complaints = broken.unclean(limit).join("; ");
        assert!(complaints.contains("500: 3") && complaints.contains("4 sessions got no response"));
        let slow = trial(1, 900).unclean(Duration::from_millis(5)).join("; ");
        assert!(slow.contains("is 9 ms, the limit is 5 ms"), "{slow}");
    }
}
