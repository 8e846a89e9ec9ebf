//! Live counters of a generator.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::Duration;

use media::PlaneCounts;
use serde::{Deserialize, Serialize};
use telemetry::{LatencyHistogram, Outcome, Quantiles};

/// A start this much after its intended time is late: what a busy machine does to anybody, and more.
const LATE_AFTER: Duration = Duration::from_millis(20);

/// What a generator shows while it runs. At any instant
/// `offered = answered + rejected + abandoned + timed_out + lost + in_progress`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorSnapshot {
    pub offered: u64,
    pub in_progress: u64,
    /// Of those in progress: answered, and still talking.
    pub talking: u64,
    pub answered: u64,
    pub rejected: u64,
    pub abandoned: u64,
    pub timed_out: u64,
    pub lost: u64,
    /// Calls that were due while too many were in progress. They are not offered.
    pub not_started: u64,
    /// Calls that were due when the feed, which gives each row once, had none left. They are not offered.
    #[serde(default)]
    pub feed_exhausted: u64,
    /// Calls that were due while somebody held the load back. They are not offered.
    #[serde(default)]
    pub held_back: u64,
    /// First calls that a surge by hand added; part of `callers`.
    #[serde(default)]
    pub surged: u64,
    pub late_starts: u64,
    /// Calls placed without media because no port was left for it.
    #[serde(default)]
    pub without_port: u64,
    /// What the callers' media came to.
    #[serde(default)]
    pub media: PlaneCounts,
    /// From intended to actual start.
    pub lag: LatencyHistogram,
    /// From intended start to the first ring or, without one, to the answer.
    #[serde(default)]
    pub pdd: LatencyHistogram,
    /// From intended start to the answer.
    #[serde(default)]
    pub setup: LatencyHistogram,
    #[serde(default)]
    pub signalling: Signalling,
    /// Messages that could not be understood.
    pub malformed: u64,
    /// Responses that match no request.
    pub stray: u64,
    /// Requests refused because too many transactions were alive.
    pub overflow: u64,
    /// Requests that the user agent refused by itself.
    pub refused_by_status: BTreeMap<u16, u64>,
    /// Attempts that were refused with 503 and told when to come back (Retry-After, RFC 3261 §21.5.4) or that there is
    /// congestion (Q.850 cause 34 or 42).
    #[serde(default)]
    pub refused_with_advice: u64,
    /// People who have called at least once.
    #[serde(default)]
    pub callers: u64,
    /// Calls of people who had called before.
    #[serde(default)]
    pub redials: u64,
    /// People who will call again and have not yet.
    #[serde(default)]
    pub about_to_redial: u64,
    /// Redials with another short number than before.
    #[serde(default)]
    pub switched_number: u64,
    /// Redials through another trunk group than before.
    #[serde(default)]
    pub switched_network: u64,
    /// Calls of people who turn to the ten digits of a PSAP in place of a short number, also with their first call.
    #[serde(default)]
    pub ten_digit: u64,
    /// People who call no more although they spoke to nobody, or were cut.
    #[serde(default)]
    pub gave_up: u64,
    /// Attempts whose fate is known, by what supervision tells apart.
    #[serde(default)]
    pub fates: Vec<FateCount>,
    /// From the start of the campaign until it was told to place no more calls, if it was.
    #[serde(default)]
    pub stopped_after: Option<Duration>,
    /// Everything has been started and has ended, and nobody is about to call again.
    pub finished: bool,
}

/// Attempts of one kind, from the start of the campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FateCount {
    pub number: String,
    /// `59`, `2A`, `971`; `unknown` without a commune.
    pub department: String,
    pub trunk_group: String,
    pub emergency: bool,
    /// Their INVITE was answered, whatever came later.
    pub answered: u64,
    /// They ended without an answer.
    pub unanswered: u64,
    /// Of those, refused or never even rung: whose caller did not give up while somebody's telephone rang.
    #[serde(default)]
    pub failed: u64,
    /// Of those answered, lost afterwards.
    pub lost: u64,
}

impl FateCount {
    /// Whether both count the same kind of attempts.
    #[must_use]
    pub fn is_of_kind_of(&self, other: &Self) -> bool {
        self.emergency == other.emergency
            && self.number == other.number
            && self.department == other.department
            && self.trunk_group == other.trunk_group
    }

    fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.unanswered += other.unanswered;
        self.failed += other.failed;
        self.lost += other.lost;
    }
}

/// SIP messages of a generator, and who was late when one had to be sent again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Signalling {
    pub sent: u64,
    pub received: u64,
    /// Copies sent because the peer had been silent for the time of Timer A or E.
    pub resent_to_silent_peer: u64,
    /// Copies sent by a timer that went off late: the generator had not looked for an answer in time.
    pub resent_late: u64,
    /// Copies of requests that peers sent because we had not answered in time, or the answer was lost.
    pub repeated_by_peers: u64,
}

impl Signalling {
    /// The counts of a generator's transactions.
    #[must_use]
    pub fn of(stats: &sip_proto::transaction::Stats) -> Self {
        Self {
            sent: stats.sent,
            received: stats.received,
            resent_to_silent_peer: stats.resent.saturating_sub(stats.resent_late),
            resent_late: stats.resent_late,
            repeated_by_peers: stats.repeated,
        }
    }
}

impl AddAssign for Signalling {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.received += other.received;
        self.resent_to_silent_peer += other.resent_to_silent_peer;
        self.resent_late += other.resent_late;
        self.repeated_by_peers += other.repeated_by_peers;
    }
}

impl GeneratorSnapshot {
    /// A call starts, `lag` after its intended time.
    pub fn count_start(&mut self, lag: Duration) {
        self.offered += 1;
        self.in_progress += 1;
        self.late_starts += u64::from(lag > LATE_AFTER);
        self.lag.record(lag);
    }

    /// A call in progress ends.
    pub fn count_end(&mut self, outcome: Outcome) {
        self.in_progress -= 1;
        *match outcome {
            Outcome::Answered => &mut self.answered,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Abandoned => &mut self.abandoned,
            Outcome::TimedOut => &mut self.timed_out,
            Outcome::Lost => &mut self.lost,
        } += 1;
    }

    /// Neither answered nor given up by the caller.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.rejected + self.timed_out + self.lost
    }

    /// The figures of [`lag`](Self::lag).
    #[must_use]
    pub fn lag_quantiles(&self) -> Quantiles {
        self.lag.quantiles()
    }
}

/// Adds the figures of another shard. The sum is finished when both are.
impl AddAssign<&Self> for GeneratorSnapshot {
    fn add_assign(&mut self, other: &Self) {
        self.offered += other.offered;
        self.in_progress += other.in_progress;
        self.talking += other.talking;
        self.answered += other.answered;
        self.rejected += other.rejected;
        self.abandoned += other.abandoned;
        self.timed_out += other.timed_out;
        self.lost += other.lost;
        self.not_started += other.not_started;
        self.feed_exhausted += other.feed_exhausted;
        self.held_back += other.held_back;
        self.surged += other.surged;
        self.late_starts += other.late_starts;
        self.without_port += other.without_port;
        self.media += other.media;
        self.lag.merge(&other.lag);
        self.pdd.merge(&other.pdd);
        self.setup.merge(&other.setup);
        self.signalling += other.signalling;
        self.malformed += other.malformed;
        self.stray += other.stray;
        self.overflow += other.overflow;
        for (status, count) in &other.refused_by_status {
            *self.refused_by_status.entry(*status).or_default() += count;
        }
        self.refused_with_advice += other.refused_with_advice;
        self.stopped_after = self.stopped_after.max(other.stopped_after);
        self.callers += other.callers;
        self.redials += other.redials;
        self.about_to_redial += other.about_to_redial;
        self.switched_number += other.switched_number;
        self.switched_network += other.switched_network;
        self.ten_digit += other.ten_digit;
        self.gave_up += other.gave_up;
        for fate in &other.fates {
            match self.fates.iter_mut().find(|one| one.is_of_kind_of(fate)) {
                Some(one) => one.add(fate),
                None => self.fates.push(fate.clone()),
            }
        }
        self.finished &= other.finished;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Supervision tells what came since the last look by kind: each kind stands once.
    #[test]
    fn attempts_of_one_kind_stand_once_however_many_shards_place_them() {
        let of = |number: &str, answered| FateCount {
            number: number.to_owned(),
            answered,
            unanswered: 1,
            ..FateCount::default()
        };
        let shard = |fates| GeneratorSnapshot { fates, ..GeneratorSnapshot::default() };
        let mut sum = shard(vec![of("15", 2)]);
        sum += &shard(vec![of("17", 3), of("15", 5)]);
        assert_eq!(sum.fates, [FateCount { unanswered: 2, ..of("15", 7) }, of("17", 3)]);
    }

    #[test]
    fn shards_add_up_and_finish_together() {
        let mut sum = GeneratorSnapshot { finished: true, ..GeneratorSnapshot::default() };
        let mut shard = GeneratorSnapshot { not_started: 2, ..GeneratorSnapshot::default() };
        shard.count_start(Duration::from_millis(5));
        shard.count_start(Duration::from_millis(25));
        shard.count_end(Outcome::Lost);
        sum += &shard;
        sum += &shard;
        assert_eq!((sum.offered, sum.in_progress, sum.lost, sum.failed()), (4, 2, 2, 2));
        assert_eq!((sum.not_started, sum.late_starts, sum.lag_quantiles().count), (4, 2, 4));
        assert!(!sum.finished);
    }
}
