//! Steps of time with enough calls to say something: of few calls, one more or less is a peak.
//!
//! ```text
//!   bins    3  9  14  31  28  0  0  0  25  27  4  0  0
//!   steps  └──26───┘ 31  28  └──0──┘  25  └─31─┘ └─0─┘
//! ```

use std::time::Duration;

use super::bin::Bin;

/// The calls of a step, at least, where any were due.
pub const FEWEST: u64 = 20;

/// A stretch of time with what became of the calls that were due in it.
#[derive(Debug)]
pub struct TimeStep {
    /// Since the start of the campaign.
    pub from: Duration,
    pub to: Duration,
    /// At least [`FEWEST`], or none; fewer only where the whole run had fewer.
    pub calls: Bin,
}

impl TimeStep {
    /// Seconds from the start of the campaign to its middle.
    #[must_use]
    pub fn middle(&self) -> f64 {
        f64::midpoint(self.from.as_secs_f64(), self.to.as_secs_f64())
    }

    /// So many in it, in each second of it.
    #[must_use]
    pub fn rate(&self, calls: u64) -> f64 {
        calls as f64 / (self.to - self.from).as_secs_f64()
    }
}

/// Puts bins of this width together.
pub(super) fn steps(bins: &[Bin], width: Duration) -> Vec<TimeStep> {
    let mut steps: Vec<TimeStep> = Vec::new();
    let mut from = Duration::ZERO;
    let mut open: Option<TimeStep> = None;
    for bin in bins {
        let to = from + width;
        let step = match open.take() {
            Some(mut step) => {
                step.calls.add(bin.clone());
                TimeStep { to, ..step }
            }
            None => TimeStep { from, to, calls: bin.clone() },
        };
        match step.calls.offered {
            1..FEWEST => open = Some(step),
            _ => steps.push(step),
        }
        from = to;
    }
    // What is left over at the end has too few for itself. The empty bins after the last call stay what they are.
    if let Some(rest) = open {
        close(&mut steps, rest, bins, width);
    }
    steps
}

/// Adds the last calls to the step before them.
fn close(steps: &mut Vec<TimeStep>, rest: TimeStep, bins: &[Bin], width: Duration) {
    let last = bins.iter().rposition(|bin| bin.offered > 0).unwrap_or_default();
    let end = width * (last as u32 + 1);
    let before = steps.iter().rposition(|step| step.calls.offered > 0);
    let mut sum = TimeStep { to: end, ..rest };
    if let Some(before) = before {
        // Between the two there may be steps without a call.
        let mut joined = steps.swap_remove(before);
        steps.truncate(before);
        joined.calls.add(sum.calls);
        sum = TimeStep { from: joined.from, to: end, calls: joined.calls };
    }
    steps.push(sum);
    let empty = bins.len().saturating_sub(last + 1);
    steps.extend((0..empty as u32).map(|number| {
        let from = end + width * number;
        TimeStep { from, to: from + width, calls: Bin::default() }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: Duration = Duration::from_secs(2);

    fn bin(offered: u64) -> Bin {
        Bin { offered, ..Bin::default() }
    }

    fn told(offered: &[u64]) -> Vec<(u64, u64, u64)> {
        let bins: Vec<Bin> = offered.iter().map(|calls| bin(*calls)).collect();
        let steps = steps(&bins, WIDTH);
        // They follow each other without a gap, and no call is lost.
        assert!(steps.windows(2).all(|two| two[0].to == two[1].from), "{steps:?}");
        assert_eq!(
            steps.iter().map(|step| step.calls.offered).sum::<u64>(),
            offered.iter().sum::<u64>()
        );
        assert_eq!(steps.last().map(|step| step.to), Some(WIDTH * offered.len() as u32));
        let told = |step: &TimeStep| (step.from.as_secs(), step.to.as_secs(), step.calls.offered);
        steps.iter().map(told).collect()
    }

    #[test]
    fn bins_join_until_there_are_enough_calls() {
        let steps = told(&[3, 9, 14, 31, 28, 0, 0, 25, 27, 4, 0]);
        let wanted = [
            (0, 6, 26),
            (6, 8, 31),
            (8, 10, 28),
            (10, 12, 0),
            (12, 14, 0),
            (14, 16, 25),
            (16, 20, 31),
            (20, 22, 0),
        ];
        assert_eq!(steps, wanted);
    }

    #[test]
    fn every_step_has_enough_calls_or_none() {
        let mut seed = 7_u64;
        for most in [1, 5, 40, 90] {
            let mut next = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 33) % most
            };
            let bins: Vec<u64> = (0..120).map(|_| next()).collect();
            let steps = told(&bins);
            assert!(
                steps.iter().all(|(_, _, calls)| *calls == 0 || *calls >= FEWEST)
                    || bins.iter().sum::<u64>() < FEWEST,
                "{steps:?}"
            );
        }
    }

    #[test]
    fn a_run_of_few_calls_is_one_step() {
        assert_eq!(told(&[0, 3, 0, 5, 0]), [(0, 2, 0), (2, 8, 8), (8, 10, 0)]);
        assert_eq!(told(&[30, 0, 5, 0]), [(0, 6, 35), (6, 8, 0)]);
        assert!(steps(&[], WIDTH).is_empty());
    }
}
