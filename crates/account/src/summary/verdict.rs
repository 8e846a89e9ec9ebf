//! Pass or not, and why.

use serde::{Deserialize, Serialize};
use telemetry::Ledger;

use super::measured::measured;
use super::{GeneratorFigures, MediaFigures, Metrics, ThresholdResult};
use crate::text::counted;
use campaign::Threshold;
use telemetry::metric::Metric;

/// What a run is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunVerdict {
    Pass,
    /// A threshold does not hold, or the ledger does not balance.
    Fail,
    /// The generator could not keep up, so the run says nothing about the network.
    Invalid,
    /// A process was lost, or a fault was not applied or not taken back.
    Degraded,
    /// The network was not well before the first fault, so none was injected.
    Unsteady,
    /// The tester ended the campaign before its time, and nothing else is to be said against the run.
    Interrupted,
}

impl RunVerdict {
    /// Exit code of a program that ends with this verdict.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Invalid => 3,
            Self::Degraded => 4,
            Self::Unsteady => 5,
            // What a shell says of a program that SIGINT ended.
            Self::Interrupted => 130,
        }
    }

    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Invalid => "INVALID",
            Self::Degraded => "DEGRADED",
            Self::Unsteady => "UNSTEADY",
            Self::Interrupted => "INTERRUPTED",
        }
    }
}

/// All that a verdict rests on.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) metrics: &'a Metrics,
    pub(super) media: Option<&'a MediaFigures>,
    pub(super) generator: &'a GeneratorFigures,
    pub(super) thresholds: &'a [Threshold],
    pub(super) degraded: &'a [String],
    pub(super) unreadable: &'a [String],
    pub(super) unsteady: &'a [String],
    pub(super) aborted: Option<&'a str>,
    pub(super) interrupted: bool,
    /// How much faster than the wall's the clock of the run went.
    pub(super) compression: f64,
}

impl Evidence<'_> {
    /// The gravest finding decides, in the order invalid, unsteady, degraded, fail, interrupted: figures of an invalid
    /// run mean nothing, without a steady state nothing was tested, and the figures of a degraded run mean
    /// something else than was asked. Every reason is given, but for thresholds and contradictions of an invalid run: what the
    /// generator did not measure is not held against the network.
    pub(super) fn verdict(&self) -> (RunVerdict, Vec<String>) {
        let against_generator = self.against_generator();
        let against_network = match against_generator.is_empty() {
            true => [self.contradictions(), self.against_calls()].concat(),
            false => Vec::new(),
        };
        let against_network = [self.against_records(), against_network].concat();
        let findings = [
            (RunVerdict::Invalid, against_generator),
            (RunVerdict::Unsteady, self.unsteady.to_vec()),
            (RunVerdict::Degraded, self.degraded.to_vec()),
            (RunVerdict::Fail, against_network),
        ];
        let gravest = findings.iter().find(|(_, reasons)| !reasons.is_empty());
        let clean = if self.interrupted { RunVerdict::Interrupted } else { RunVerdict::Pass };
        let verdict = gravest.map_or(clean, |(verdict, _)| *verdict);
        (verdict, findings.into_iter().flat_map(|(_, reasons)| reasons).collect())
    }

    fn against_generator(&self) -> Vec<String> {
        let broken = self.generator.checks(self.compression).into_iter().filter(|it| !it.holds);
        let mut reasons: Vec<String> = broken.map(|check| check.sentence).collect();
        if !reasons.is_empty() {
            reasons.extend(self.generator.no_time());
        }
        if self.ledger.offered == 0 && !self.interrupted {
            reasons.push("the generator started no call".to_owned());
        }
        reasons
    }

    /// How the records contradict each other. A generator that fell behind is late for the network too, so its run proves
    /// nothing by them; the ledger counts them all the same.
    fn contradictions(&self) -> Vec<String> {
        let Ledger { fault_count, faults, .. } = self.ledger;
        let first = faults.first().map_or("", String::as_str);
        let sentence = match fault_count {
            1 => format!("the ledger has 1 fault: {first}"),
            count => format!("the ledger has {count} faults; the first: {first}"),
        };
        (*fault_count > 0).then_some(sentence).into_iter().collect()
    }

    /// What the records lack, whoever measured it.
    fn against_records(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.ledger.in_progress > 0 {
            let attempts = counted(self.ledger.in_progress, "attempt has", "attempts have");
            reasons.push(format!("{attempts} no record"));
        }
        reasons.extend_from_slice(self.unreadable);
        reasons
    }

    /// What the calls say against the network.
    fn against_calls(&self) -> Vec<String> {
        let mut reasons = Vec::from_iter(self.aborted.map(str::to_owned));
        // A campaign may say how many it bears.
        let bears = self.thresholds.iter().any(|one| one.metric == Metric::HeardShare);
        if !bears {
            reasons.extend(self.media.and_then(MediaFigures::complaint));
        }
        reasons.extend(self.thresholds().iter().filter_map(ThresholdResult::breach));
        reasons
    }

    /// How each threshold came out, in the order of the campaign.
    pub(super) fn thresholds(&self) -> Vec<ThresholdResult> {
        let unjudged = self.unjudged();
        let result = |threshold: &Threshold| {
            ThresholdResult::of(threshold, self.measure(threshold), unjudged.as_deref())
        };
        self.thresholds.iter().map(result).collect()
    }

    /// Why no threshold is judged: half a campaign is not what they were written for, and a generator that fell behind measured
    /// nothing.
    fn unjudged(&self) -> Option<String> {
        if let Some(first) = self.against_generator().first() {
            return Some(format!("the run is INVALID: {first}"));
        }
        if let Some(first) = self.unsteady.first() {
            return Some(format!("the run is UNSTEADY: {first}"));
        }
        if self.interrupted {
            return Some("the run was interrupted before its end".to_owned());
        }
        self.aborted.map(|why| format!("the campaign ended itself before its time: {why}"))
    }

    /// In the unit of the bounds; NaN when there is nothing to measure.
    fn measure(&self, threshold: &Threshold) -> f64 {
        let metric = threshold.metric;
        let measured = match &threshold.of {
            Some(scope) => self.metrics.part(scope).and_then(|part| part.measured(metric)),
            None => measured(metric, self.ledger, self.metrics, self.media),
        };
        measured.unwrap_or(f64::NAN)
    }
}
