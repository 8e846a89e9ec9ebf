//! How much the calls of a run depend on each other: in a queue, who comes after a long wait waits long too, and a thousand
//! calls say no more than a few dozen independent ones would.
//!
//! ```text
//!   before   ▁▂▂▃▂▁▁▂▇▇▅▂▁▁▂▂▁▁▂▂     in each of 20 steps of time: how far its calls are from the whole run's share
//!   after    ▁▂▃▃▂▁▂▂▂▁▁▂▁▃▆▆▃▂▁▂     difference, step by step: what the campaign does at that time falls out
//!            its spread from step to step  ÷  the spread if all calls were independent  =  design effect
//! ```
//!
//! Waits may depend on each other for longer than such a step, so 8 and 4 longer ones are looked at too, and the widest interval
//! counts: batch means with Student's t (A. M. Law, Simulation Modeling and Analysis, §9.5.3), with L. Kish's design effect as
//! the measure.

/// Steps of time, and what Student's t for one step less says of both sides of 95 %.
const BATCHES: [(usize, f64); 3] = [(20, 2.093), (8, 2.365), (4, 3.182)];

/// How much less the calls of two runs say than independent ones would.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dependence {
    /// As many calls say as much as one independent call (Kish's design effect); 1 or more.
    pub(super) effect: f64,
    /// The same for the length of an interval of a normal distribution, in squares: few steps are themselves uncertain.
    pub(super) widening: f64,
}

impl Dependence {
    /// Calls that say nothing of each other.
    pub(super) const NONE: Self = Self { effect: 1.0, widening: 1.0 };

    /// Of the same share in two runs: each call with its time and whether it is of the part. Both runs end before `end_us`.
    pub(super) fn of(before: &[(u64, bool)], after: &[(u64, bool)], end_us: u64) -> Self {
        let spread = |calls: &[(u64, bool)]| {
            let share = share(calls);
            share * (1.0 - share) / calls.len() as f64
        };
        let independent = spread(before) + spread(after);
        let mut found = Self::NONE;
        // NaN where there is no call, and nothing to divide by where all calls are alike.
        if independent.is_nan() || independent <= 0.0 {
            return found;
        }
        for (steps, t) in BATCHES {
            let (one, other) =
                (deviations(before, steps, end_us), deviations(after, steps, end_us));
            let squares = one.iter().zip(&other).map(|(one, other)| (other - one).powi(2));
            let count = steps as f64;
            let effect = squares.sum::<f64>() * count / (count - 1.0) / independent;
            found.effect = found.effect.max(effect);
            found.widening = found.widening.max(effect * (t / super::difference::Z).powi(2));
        }
        found
    }
}

fn share(calls: &[(u64, bool)]) -> f64 {
    calls.iter().filter(|(_, is_part)| *is_part).count() as f64 / calls.len() as f64
}

/// What each step adds to the share of the whole run beyond what as many usual calls would; together 0.
fn deviations(calls: &[(u64, bool)], steps: usize, end_us: u64) -> Vec<f64> {
    let (share, count) = (share(calls), calls.len() as f64);
    let mut found = vec![0.0; steps];
    for (due_us, is_part) in calls {
        let step = (u128::from(*due_us) * steps as u128 / u128::from(end_us.max(1))) as usize;
        found[step.min(steps - 1)] += (f64::from(u8::from(*is_part)) - share) / count;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousand calls, a second apart.
    fn calls(is_part: impl Fn(u64) -> bool) -> Vec<(u64, bool)> {
        (0..1_000).map(|second| (second * 1_000_000, is_part(second))).collect()
    }

    const END: u64 = 1_000_000_000;

    #[test]
    fn what_the_campaign_does_in_both_runs_is_no_dependence() {
        // In the same quarter of both runs nothing is answered.
        let outage = calls(|second| !(250..500).contains(&second));
        assert_eq!(Dependence::of(&outage, &outage, END), Dependence::NONE);
    }

    #[test]
    fn a_crowd_in_one_run_alone_says_as_much_as_few_calls() {
        let (calm, crowded) = (calls(|second| second % 10 != 0), calls(|second| second >= 100));
        let found = Dependence::of(&calm, &crowded, END);
        assert!((30.0..80.0).contains(&found.effect), "{found:?}");
        assert!(found.widening > found.effect, "{found:?}");
    }

    #[test]
    fn where_all_calls_are_alike_there_is_nothing_to_divide_by() {
        let all = calls(|_| true);
        assert_eq!(Dependence::of(&all, &all, END), Dependence::NONE);
        assert_eq!(Dependence::of(&[], &all, END), Dependence::NONE);
    }
}
