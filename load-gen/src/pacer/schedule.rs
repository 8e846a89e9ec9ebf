//! The phases of a campaign, one pacer after the other, and the share of one generator in them.

use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::carry::Carry;
use super::{Hint, Pacer, pacer};
use campaign::{Campaign, Places};

/// One call that is to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduledCall {
    /// Number of the call in the campaign, counted over all shards.
    pub index: u64,
    /// Intended start, from the start of the campaign.
    pub at: Duration,
    /// What is known of the caller. It is the same in every shard.
    pub hint: Option<Hint>,
}

/// So many calls no campaign has: whoever drives each so-many-th call drives one.
const ALONE: u32 = u32::MAX;

/// Which part of a campaign a generator drives: every `of`-th call, beginning with call `index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    pub index: u32,
    pub of: u32,
}

impl Shard {
    /// The only generator of a campaign.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// The generator of a single call of a campaign, the one with this number: all that its caller draws is as in the whole campaign.
    #[must_use]
    pub const fn only(call: u32) -> Self {
        Self { index: call, of: ALONE }
    }

    /// What this generator has of a limit of the campaign.
    pub(crate) fn share(self, limit: u32) -> u64 {
        match self.of {
            ALONE => limit.into(),
            of => limit.div_ceil(of.max(1)).into(),
        }
    }

    pub(crate) fn owns(self, index: u64) -> bool {
        index % u64::from(self.of.max(1)) == u64::from(self.index)
    }
}

/// All starts of one shard, in order. Each is given out once, and never before it is due.
///
/// All shards walk through the same starts, so a call has the same number and the same time however
/// many generators share the campaign.
#[derive(Debug)]
pub struct Schedule {
    phases: Vec<PhasePacer>,
    shard: Shard,
    phase: usize,
    index: u64,
    next: Option<ScheduledCall>,
}

#[derive(Debug)]
struct PhasePacer {
    begins: Duration,
    pacer: Box<dyn Pacer>,
}

impl Schedule {
    /// The phases of `campaign`. Its seed decides the chance in it; equal seeds give equal schedules.
    #[must_use]
    pub fn new(campaign: &Campaign, shard: Shard) -> Self {
        let places = Places::of(&campaign.mix);
        let (mut begins, mut carry) = (Duration::ZERO, Carry::default());
        let phases = (0_u32..)
            .zip(&campaign.phases)
            .map(|(number, phase)| {
                let rng = StdRng::seed_from_u64(campaign.seed.wrapping_add(number.into()));
                let pacer =
                    carry.begin(phase).unwrap_or_else(|| pacer(phase, number, &places, rng));
                let begun = PhasePacer { begins, pacer };
                begins += phase.duration;
                begun
            })
            .collect();
        let mut schedule = Self { phases, shard, phase: 0, index: 0, next: None };
        schedule.advance();
        schedule
    }

    /// When the next call is due, or `None` when all have been given out.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        self.next.map(|start| start.at)
    }

    /// The next call, if it is due after `elapsed` of the campaign. Ask until `None`: several may
    /// be due.
    pub fn take(&mut self, elapsed: Duration) -> Option<ScheduledCall> {
        let due = self.next.filter(|start| start.at <= elapsed)?;
        self.advance();
        Some(due)
    }

    fn advance(&mut self) {
        self.next = None;
        while let Some(phase) = self.phases.get_mut(self.phase) {
            let Some(arrival) = phase.pacer.next() else {
                self.phase += 1;
                continue;
            };
            let at = phase.begins + arrival.at;
            let start = ScheduledCall { index: self.index, at, hint: arrival.hint };
            self.index += 1;
            if self.shard.owns(start.index) {
                self.next = Some(start);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use topology::Layers;

    use super::*;
    use crate::fixture::{self, phase};
    use campaign::{Arrivals, Phase};

    fn campaign(phases: Vec<Phase>, seed: u64) -> Campaign {
        Campaign { phases, seed, ..fixture::campaign() }
    }

    fn two_phases(seed: u64) -> Campaign {
        let phases = vec![
            phase(2, Arrivals::Constant { rate: 1.0 }),
            phase(10, Arrivals::Poisson { rate: 40.0 }),
        ];
        campaign(phases, seed)
    }

    fn all(mut schedule: Schedule) -> Vec<ScheduledCall> {
        std::iter::from_fn(|| schedule.take(Duration::MAX)).collect()
    }

    #[test]
    fn one_call_alone_is_the_same_as_among_all() {
        let campaign = two_phases(1);
        let every = all(Schedule::new(&campaign, Shard::WHOLE));
        assert_eq!(all(Schedule::new(&campaign, Shard::only(57))), [every[57]]);
        assert_eq!(all(Schedule::new(&campaign, Shard::only(1_000_000))), []);
        assert_eq!((Shard::only(57).share(20), Shard { index: 1, of: 3 }.share(20)), (20, 7));
    }

    #[test]
    fn a_call_is_given_out_when_it_is_due_and_not_before() {
        let mut schedule = Schedule::new(&two_phases(1), Shard::WHOLE);
        assert_eq!(schedule.next_due(), Some(Duration::ZERO));
        assert_eq!(
            schedule.take(Duration::ZERO),
            Some(ScheduledCall { index: 0, at: Duration::ZERO, hint: None })
        );
        assert_eq!(schedule.take(Duration::from_millis(999)), None);
        assert_eq!(schedule.next_due(), Some(Duration::from_secs(1)));
        let late = schedule.take(Duration::from_millis(1_700)).expect("a call is due");
        assert_eq!(late.at, Duration::from_secs(1), "the intended time, not the actual one");
    }

    #[test]
    fn phases_follow_each_other() {
        let starts = all(Schedule::new(&two_phases(1), Shard::WHOLE));
        assert!(starts.is_sorted_by_key(|start| start.at));
        assert!(starts.iter().map(|start| start.index).eq(0..starts.len() as u64));
        assert!(starts[2].at >= Duration::from_secs(2));
        assert!(starts.iter().all(|start| start.at < Duration::from_secs(12)));
    }

    #[test]
    fn a_phase_without_calls_is_a_pause() {
        let phases = vec![
            phase(5, Arrivals::Constant { rate: 0.0 }),
            phase(1, Arrivals::Constant { rate: 1.0 }),
        ];
        let schedule = Schedule::new(&campaign(phases, 1), Shard::WHOLE);
        assert_eq!(schedule.next_due(), Some(Duration::from_secs(5)));
    }

    // What a phase leaves of a call is made whole by the next, over pauses and phases of other kinds too.
    #[test]
    fn short_phases_come_to_as_many_calls_as_a_long_one() {
        let ms = Duration::from_millis;
        let of = |arrivals: Arrivals, length, count: usize| {
            let phase = |number| Phase {
                name: format!("p{number}"),
                duration: ms(length),
                arrivals: arrivals.clone(),
            };
            all(Schedule::new(&campaign((0..count).map(phase).collect(), 1), Shard::WHOLE))
        };
        let calls = of(Arrivals::Constant { rate: 4.0 }, 100, 100);
        let evenly: Vec<Duration> = (0..40).map(|call| ms(call * 250)).collect();
        let times: Vec<Duration> = calls.iter().map(|call| call.at).collect();
        assert_eq!(calls.len(), 40);
        for (at, wanted) in times.iter().zip(&evenly) {
            assert!(at.abs_diff(*wanted) < ms(1), "{at:?}, not {wanted:?}");
        }
        assert_eq!(of(Arrivals::Ramp { from: 1.0, to: 2.0 }, 100, 20).len(), 3);
        assert_eq!(of(Arrivals::Ramp { from: 3.0, to: 0.0 }, 200, 100).len(), 30);
        let steps = Arrivals::Steps { from: 1.0, to: 2.0, steps: 2 };
        assert_eq!(of(steps, 100, 100).len(), 15);
        assert_eq!(of(Arrivals::Constant { rate: 0.1 }, 100, 1_000).len(), 10);
    }

    #[test]
    fn a_part_of_a_call_waits_out_pauses_and_other_phases() {
        let constant = || phase(1, Arrivals::Constant { rate: 0.5 });
        let none = phase(7, Arrivals::Constant { rate: 0.0 });
        let chance = phase(5, Arrivals::Poisson { rate: 0.0 });
        let phases = vec![constant(), none, constant(), chance, constant()];
        let at = |start: ScheduledCall| start.at.as_secs();
        let starts: Vec<u64> =
            all(Schedule::new(&campaign(phases, 1), Shard::WHOLE)).into_iter().map(at).collect();
        assert_eq!(starts, [0, 14]);
    }

    // By chance nothing is carried over, and nothing need be: the mean of many short phases is that of a long one.
    #[test]
    fn short_phases_by_chance_have_the_mean_that_is_expected() {
        let phases = |rate| {
            (0..100).map(move |_| Phase {
                duration: Duration::from_millis(100),
                ..phase(1, Arrivals::Poisson { rate })
            })
        };
        let count = |seed: u64| {
            let campaign = campaign(phases(4.0).collect(), seed * 1_000);
            all(Schedule::new(&campaign, Shard::WHOLE)).len() as f64
        };
        let mean = (0..400).map(count).sum::<f64>() / 400.0;
        assert!((mean - 40.0).abs() < 4.0 * (40.0_f64 / 400.0).sqrt(), "{mean}");
    }

    #[test]
    fn shards_share_out_exactly_the_calls_of_the_whole() {
        let whole = all(Schedule::new(&two_phases(9), Shard::WHOLE));
        let mut shared: Vec<ScheduledCall> = (0..3)
            .flat_map(|index| all(Schedule::new(&two_phases(9), Shard { index, of: 3 })))
            .collect();
        shared.sort_by_key(|start| start.index);
        assert_eq!(shared, whole);
    }

    // Every model draws its chance in the schedule, places too, so every shard draws all of it and keeps its own.
    #[test]
    fn shards_agree_on_every_model() {
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/campaigns/arrivals.toml");
        let campaign = Campaign::load(Path::new(example), &Layers::none()).expect("the example");
        let whole = all(Schedule::new(&campaign, Shard::WHOLE));
        let mut shared: Vec<ScheduledCall> = (0..4)
            .flat_map(|index| all(Schedule::new(&campaign, Shard { index, of: 4 })))
            .collect();
        shared.sort_by_key(|start| start.index);
        assert_eq!(shared, whole);
        assert!(whole.is_sorted_by_key(|start| start.at));
        let is_placed = |start: &&ScheduledCall| matches!(start.hint, Some(Hint::Commune(_)));
        let placed = whole.iter().filter(is_placed).count();
        assert!(placed > 1_000 && placed < whole.len(), "{placed} of {}", whole.len());
        let expected = campaign.expected_attempts();
        assert!(
            (whole.len() as f64 / expected - 1.0).abs() < 0.15,
            "{} of {expected}",
            whole.len()
        );
    }
}
