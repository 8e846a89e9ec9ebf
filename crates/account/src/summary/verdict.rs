//! Pass or not, and why.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use telemetry::{Ledger, Quantiles};

use super::ratio::ratio;
use super::{GeneratorFigures, MediaFigures, Metrics, ThresholdResult};
use campaign::{Scope, ScopeKind, Threshold};
use telemetry::metric::{Metric, MosQuantile, Quantile};

/// What a run is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The gravest finding decides, in the order invalid, unsteady, degraded, fail: figures of an invalid
    /// run mean nothing, without a steady state nothing was tested, and the figures of a degraded run mean
    /// something else than was asked. Every reason is given, but for thresholds of an invalid run: what the
    /// generator did not measure is not held against the network.
    pub(super) fn verdict(&self) -> (RunVerdict, Vec<String>) {
        let against_generator = self.against_generator();
        let against_network = match against_generator.is_empty() {
            true => [self.against_records(), self.against_calls()].concat(),
            false => self.against_records(),
        };
        let findings = [
            (RunVerdict::Invalid, against_generator),
            (RunVerdict::Unsteady, self.unsteady.to_vec()),
            (RunVerdict::Degraded, self.degraded.to_vec()),
            (RunVerdict::Fail, against_network),
        ];
        let gravest = findings.iter().find(|(_, reasons)| !reasons.is_empty());
        let verdict = gravest.map_or(RunVerdict::Pass, |(verdict, _)| *verdict);
        (verdict, findings.into_iter().flat_map(|(_, reasons)| reasons).collect())
    }

    fn against_generator(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        let limits = &self.generator.limits;
        let p99 = Duration::from_micros(self.generator.lag.p99).div_f64(self.compression);
        if p99 > limits.lag_p99 {
            let (lag, limit) = (p99.as_secs_f64() * 1_000.0, limits.lag_p99.as_millis());
            reasons.push(format!(
                "the generator started calls late: the 99th percentile of its lag is {lag:.1} ms, \
                 the limit is {limit} ms"
            ));
        }
        if let Some(share) = self.generator.busiest_cpu_share.filter(|share| *share > limits.cpu) {
            let (share, limit) = (share * 100.0, limits.cpu * 100.0);
            reasons.push(format!(
                "the generator used {share:.0} % of its core at its busiest, the limit is {limit:.0} %: what it \
                 waited for it may have been too busy to see; lower the load or give it more shards"
            ));
        }
        if Duration::from_micros(self.generator.clock_step_us) > limits.clock_step {
            let step = self.generator.clock_step_us as f64 / 1e6;
            reasons.push(format!(
                "the machine's clock was set by {step:.1} s during the run, or the machine slept: times of its \
                 processes do not compare"
            ));
        }
        let signalling = self.generator.signalling;
        let late = signalling.resent_late;
        if late as f64 > limits.late_retransmissions * signalling.sent as f64 {
            let silent = signalling.resent_to_silent_peer;
            reasons.push(format!(
                "the generator sent {late} messages again by timers that it had served late, and {silent} because \
                 peers were silent: most retransmissions say nothing about the network"
            ));
        }
        let not_started = self.generator.not_started;
        if not_started > 0 {
            reasons.push(format!(
                "the generator did not start {not_started} calls that were due: too many were in progress, or it was \
                 too slow; lower the load, or raise limits.max_in_progress"
            ));
        }
        let exhausted = self.generator.feed_exhausted;
        if exhausted > 0 {
            reasons.push(format!(
                "the generator did not start {exhausted} calls: the feed had no row left for them; give it more rows or \
                 another order than \"once\""
            ));
        }
        let losses = self.generator.socket_losses;
        if losses > 0 {
            reasons.push(format!(
                "the generator's own sockets lost {losses} datagrams: it could not keep up with its \
                 traffic; lower the load or raise net.core.rmem_max"
            ));
        }
        let late = self.generator.late_media_share;
        if late > limits.late_rtp {
            let (late, limit) = (late * 100.0, limits.late_rtp * 100.0);
            reasons.push(format!(
                "the generator spoke late: {late:.1} % of its RTP packets went out more than 20 ms after \
                 their time, the limit is {limit:.0} %; lower the load or callers.media"
            ));
        }
        let without_port = self.generator.without_port;
        if without_port > 0 {
            reasons.push(format!(
                "the generator had no RTP port for {without_port} calls: widen media.ports or lower \
                 callers.media"
            ));
        }
        if self.ledger.offered == 0 && !self.interrupted {
            reasons.push("the generator started no call".to_owned());
        }
        reasons
    }

    /// What the records say against the run, whoever measured it.
    fn against_records(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.ledger.in_progress > 0 {
            reasons.push(format!("{} attempts have no record", self.ledger.in_progress));
        }
        if self.ledger.fault_count > 0 {
            let first = self.ledger.faults.first().map_or("", String::as_str);
            let count = self.ledger.fault_count;
            reasons.push(format!("the ledger has {count} faults; the first: {first}"));
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
        // Half a campaign is not what the thresholds were written for, and a generator that fell behind measured nothing.
        let is_judged = !self.interrupted
            && self.aborted.is_none()
            && self.unsteady.is_empty()
            && self.against_generator().is_empty();
        let result = |threshold: &Threshold| {
            ThresholdResult::of(threshold, self.measure(threshold), is_judged)
        };
        self.thresholds.iter().map(result).collect()
    }

    fn mos(&self, quantile: MosQuantile) -> f64 {
        match self.media.map(|media| media.mos).filter(|mos| mos.count > 0) {
            None => f64::NAN,
            Some(mos) => match quantile {
                MosQuantile::P50 => mos.p50,
                MosQuantile::P5 => mos.p5,
                MosQuantile::P1 => mos.p1,
                MosQuantile::Min => mos.min,
            },
        }
    }

    /// In the unit of the bounds; NaN when there is nothing to measure.
    fn measure(&self, threshold: &Threshold) -> f64 {
        if let Some(scope) = &threshold.of {
            return self.measure_part(threshold.metric, scope);
        }
        let (ledger, metrics) = (self.ledger, self.metrics);
        let share = |part: u64| ratio(part, ledger.offered);
        let ratio = match threshold.metric {
            Metric::AnsweredShare => share(ledger.answered),
            Metric::RejectedShare => share(ledger.rejected),
            Metric::AbandonedShare => share(ledger.abandoned),
            Metric::TimedOutShare => share(ledger.timed_out),
            Metric::LostShare => share(ledger.lost),
            Metric::FailedShare => share(ledger.rejected + ledger.timed_out + ledger.lost),
            Metric::Asr => metrics.asr,
            Metric::Ner => metrics.ner,
            Metric::Ser => metrics.ser,
            Metric::Seer => metrics.seer,
            Metric::Isa => metrics.isa,
            Metric::Scr => metrics.scr,
            Metric::HeardShare => self.media.and_then(|media| media.heard_share),
            Metric::Mos(quantile) => return self.mos(quantile),
            Metric::Pdd(quantile) => return seconds(&metrics.pdd, quantile),
            Metric::AnswerDelay(quantile) => return seconds(&metrics.setup, quantile),
            Metric::Sdd(quantile) => return seconds(&metrics.sdd, quantile),
        };
        ratio.unwrap_or(f64::NAN)
    }

    fn measure_part(&self, metric: Metric, scope: &Scope) -> f64 {
        let groups = match scope.kind {
            ScopeKind::Site => &self.metrics.by_site,
            ScopeKind::TrunkGroup => &self.metrics.by_trunk_group,
            ScopeKind::Number => &self.metrics.by_number,
            ScopeKind::Department => &self.metrics.by_department,
            ScopeKind::Psap => &self.metrics.by_psap,
        };
        let Some(group) = groups.get(&scope.name) else { return f64::NAN };
        let ratio = match metric {
            Metric::AnsweredShare => ratio(group.answered, group.offered),
            Metric::FailedShare => ratio(group.failed, group.offered),
            Metric::Asr => group.asr,
            Metric::Ner => group.ner,
            Metric::Ser => group.ser,
            Metric::Seer => group.seer,
            Metric::Isa => group.isa,
            Metric::Scr => group.scr,
            Metric::Pdd(quantile) => return seconds(&group.pdd, quantile),
            Metric::AnswerDelay(quantile) => return seconds(&group.setup, quantile),
            Metric::Sdd(quantile) => return seconds(&group.sdd, quantile),
            Metric::RejectedShare
            | Metric::AbandonedShare
            | Metric::TimedOutShare
            | Metric::LostShare
            | Metric::HeardShare
            | Metric::Mos(_) => None,
        };
        ratio.unwrap_or(f64::NAN)
    }
}

fn seconds(delays: &Quantiles, quantile: Quantile) -> f64 {
    if delays.count == 0 {
        return f64::NAN;
    }
    let micros = match quantile {
        Quantile::P50 => delays.p50,
        Quantile::P90 => delays.p90,
        Quantile::P95 => delays.p95,
        Quantile::P99 => delays.p99,
        Quantile::Max => delays.max,
    };
    micros as f64 / 1e6
}
