//! How many new calls a member takes from this trunk group: what it has asked by overload control, and which calls are
//! held back.
//!
//! | it asks | which calls go to it |
//! |---|---|
//! | loss (RFC 7339 §7.2) | a random part; calls of a higher priority are left out only if leaving out all lower ones is not enough |
//! | rate (RFC 7415 §3.5) | a leaky bucket, fuller for a higher priority |

use std::time::{Duration, Instant};

use contract::AskedSnapshot;
use rand::RngExt as _;
use rand::rngs::StdRng;
use sip_proto::message::{OverloadAlgorithm, OverloadFeedback, OverloadSeq};

use crate::priority::Priority;

/// Calls over which the mix of priorities is remembered.
const MEMORY: f64 = 100.0;
/// The tolerances of the leaky bucket, in calls (RFC 7415 §3.5.2). Ordinary calls keep it filled to theirs, so emergency
/// calls need room for a whole burst above it.
const ORDINARY_TOLERANCE: f64 = 2.0;
const EMERGENCY_TOLERANCE: f64 = 10.0;

/// The restraint towards one member.
#[derive(Debug, Default)]
pub(super) struct Restraint {
    asked: Option<Asked>,
    /// How the calls that would go to it are distributed over the priorities.
    mix: [f64; Priority::COUNT],
    bucket: Option<Bucket>,
    kept_away: u64,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    algorithm: OverloadAlgorithm,
    oc: u32,
    until: Instant,
    seq: OverloadSeq,
}

/// RFC 7415 §3.5.1: X and LCT. X is in calls here, not in time: it means the same after the rate has changed, where a
/// level in time would let a burst in just when the rate goes down.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: f64,
    filled: Instant,
}

impl Restraint {
    /// The member has said what it can take.
    pub(super) fn update(&mut self, now: Instant, feedback: OverloadFeedback) {
        let OverloadFeedback { algorithm, oc, validity, seq } = feedback;
        // RFC 7339 §5.4: older than what is known, or the same once more. One that has started again may begin its count anew.
        let stale = self.asked.is_some_and(|asked| asked.until > now && seq <= asked.seq);
        if stale && seq != OverloadSeq::default() {
            return;
        }
        self.asked = match validity {
            // RFC 7339 §5.7: the member ends the control.
            Duration::ZERO => None,
            _ => now.checked_add(validity).map(|until| Asked { algorithm, oc, until, seq }),
        };
    }

    /// Whether a new call of this priority may go to the member.
    pub(super) fn admits(&mut self, now: Instant, priority: Priority, rng: &mut StdRng) -> bool {
        self.note(priority);
        self.asked = self.asked.filter(|asked| asked.until > now);
        let admitted = match self.asked {
            None | Some(Asked { algorithm: OverloadAlgorithm::Loss, oc: 0, .. }) => true,
            Some(Asked { algorithm: OverloadAlgorithm::Loss, oc, .. }) => {
                let held_back = self.held_back(priority, f64::from(oc.min(100)) / 100.0);
                held_back < 1.0 && (held_back <= 0.0 || !rng.random_bool(held_back))
            }
            Some(Asked { algorithm: OverloadAlgorithm::Rate, oc, .. }) => {
                self.fits_into_bucket(now, priority, oc)
            }
        };
        self.kept_away += u64::from(!admitted);
        admitted
    }

    fn note(&mut self, priority: Priority) {
        for weight in &mut self.mix {
            *weight *= 1.0 - 1.0 / MEMORY;
        }
        if let Some(weight) = self.mix.get_mut(priority.level()) {
            *weight += 1.0;
        }
    }

    /// The share of the calls of this priority that must be held back so that `loss` of all are: RFC 7339 §7.2, with as many
    /// categories as there are priorities.
    fn held_back(&self, priority: Priority, loss: f64) -> f64 {
        let all: f64 = self.mix.iter().sum();
        let below: f64 = self.mix.iter().take(priority.level()).sum();
        let own = self.mix.get(priority.level()).copied().unwrap_or_default();
        if own <= 0.0 { 0.0 } else { ((loss * all - below) / own).clamp(0.0, 1.0) }
    }

    /// Whether the bucket has room for a call; if so, puts it in.
    fn fits_into_bucket(&mut self, now: Instant, priority: Priority, rate: u32) -> bool {
        if rate == 0 {
            return false;
        }
        let Bucket { level, filled } = self.bucket.unwrap_or(Bucket { level: 0.0, filled: now });
        let elapsed = now.saturating_duration_since(filled).as_secs_f64();
        let level = (level - elapsed * f64::from(rate)).max(0.0);
        let tolerance = match priority.is_emergency() {
            true => EMERGENCY_TOLERANCE + priority.level() as f64,
            false => ORDINARY_TOLERANCE,
        };
        let room = level <= tolerance;
        if room {
            self.bucket = Some(Bucket { level: level + 1.0, filled: now });
        }
        room
    }

    /// Calls that would have gone to the member.
    pub(super) const fn kept_away(&self) -> u64 {
        self.kept_away
    }

    pub(super) fn asked(&self) -> Option<AskedSnapshot> {
        let shown = |asked: Asked| AskedSnapshot { algorithm: asked.algorithm, oc: asked.oc };
        self.asked.map(shown)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;
    use crate::priority::emergency_for_tests;

    fn feedback(algorithm: OverloadAlgorithm, oc: u32, seq: u64) -> OverloadFeedback {
        let validity = Duration::from_millis(500);
        OverloadFeedback { algorithm, oc, validity, seq: OverloadSeq::at(seq * 1_000_000) }
    }

    /// Asks with `oc`, lets ten calls for each of `calls` in, taken in turn, and tells the shares that were let through.
    fn shares(algorithm: OverloadAlgorithm, oc: u32, calls: &[Priority]) -> Vec<f64> {
        let mut rng = StdRng::seed_from_u64(7);
        let (mut restraint, mut now) = (Restraint::default(), Instant::now());
        let mut let_in = vec![0_u32; calls.len()];
        let rounds = 20_000;
        for round in 0..rounds {
            restraint.update(now, feedback(algorithm, oc, round + 1));
            for (at, priority) in calls.iter().enumerate() {
                let_in[at] += u32::from(restraint.admits(now, *priority, &mut rng));
                now += Duration::from_millis(10);
            }
        }
        let_in.iter().map(|count| f64::from(*count) / rounds as f64).collect()
    }

    // RFC 7339 §7.2: with oc=10 and 40 % of the requests reducible, 25 % of those are dropped.
    #[test]
    fn the_example_of_the_loss_algorithm() {
        let (low, high) = (Priority::ORDINARY, emergency_for_tests());
        let shares = shares(OverloadAlgorithm::Loss, 10, &[low, high, low, high, high]);
        assert!((shares[0] - 0.75).abs() < 0.02 && (shares[2] - 0.75).abs() < 0.02, "{shares:?}");
        assert_eq!((shares[1], shares[3], shares[4]), (1.0, 1.0, 1.0));
    }

    // Half of all: a quarter is ordinary, so a third of the emergency calls must go too.
    #[test]
    fn emergency_calls_are_held_back_when_ordinary_ones_are_not_enough() {
        let (low, high) = (Priority::ORDINARY, emergency_for_tests());
        let shares = shares(OverloadAlgorithm::Loss, 50, &[low, high, high, high]);
        assert!(shares[0] < 0.01, "{shares:?}");
        let emergency = (shares[1] + shares[2] + shares[3]) / 3.0;
        assert!((emergency - 0.667).abs() < 0.02, "{shares:?}");
    }

    // 100 calls in a second, 30 wanted, 25 of them emergency calls: those all go.
    #[test]
    fn a_rate_is_kept_and_emergency_calls_fill_the_bucket_first() {
        let (low, high) = (Priority::ORDINARY, emergency_for_tests());
        let shares = shares(OverloadAlgorithm::Rate, 30, &[low, high, low, low]);
        assert!(shares[1] > 0.99, "{shares:?}");
        let all: f64 = shares.iter().sum::<f64>() * 25.0;
        assert!((29.5..=30.5).contains(&all), "{all} in a second, {shares:?}");
    }

    #[test]
    fn a_lower_rate_lets_no_burst_in() {
        let mut rng = StdRng::seed_from_u64(7);
        let (mut restraint, now) = (Restraint::default(), Instant::now());
        let mut lets = |restraint: &mut Restraint, at| {
            (0..50).filter(|_| restraint.admits(at, Priority::ORDINARY, &mut rng)).count()
        };
        restraint.update(now, feedback(OverloadAlgorithm::Rate, 20, 1));
        assert_eq!(lets(&mut restraint, now), 3, "its tolerance, and the one that goes beyond");
        restraint.update(now, feedback(OverloadAlgorithm::Rate, 2, 2));
        assert_eq!(lets(&mut restraint, now), 0);
        restraint.update(now, feedback(OverloadAlgorithm::Rate, 0, 3));
        assert_eq!(lets(&mut restraint, now + Duration::from_millis(499)), 0, "none at all");
    }

    #[test]
    fn what_is_asked_ends_with_its_validity_and_old_news_is_no_news() {
        let mut rng = StdRng::seed_from_u64(7);
        let (mut restraint, now) = (Restraint::default(), Instant::now());
        let mut lets =
            |restraint: &mut Restraint, at| restraint.admits(at, Priority::ORDINARY, &mut rng);
        let all = |seq| feedback(OverloadAlgorithm::Loss, 100, seq);
        restraint.update(now, all(5));
        assert!(!lets(&mut restraint, now));
        restraint.update(now, feedback(OverloadAlgorithm::Loss, 0, 4));
        restraint.update(now, feedback(OverloadAlgorithm::Loss, 0, 5));
        assert!(!lets(&mut restraint, now), "RFC 7339 §5.4: stale");
        assert!(lets(&mut restraint, now + Duration::from_millis(500)), "expired");
        restraint.update(now + Duration::from_secs(1), all(1));
        assert!(!lets(&mut restraint, now + Duration::from_secs(1)), "it counts anew");
        let end = OverloadFeedback { validity: Duration::ZERO, ..all(2) };
        restraint.update(now + Duration::from_secs(1), end);
        assert!(lets(&mut restraint, now + Duration::from_secs(1)), "RFC 7339 §5.7: over");
        assert_eq!(restraint.kept_away(), 3);
    }
}
