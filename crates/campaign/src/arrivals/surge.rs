//! A region that calls all at once: `model = "surge"`.

use std::time::Duration;

use topology::reader::{Table, kind};

use super::fastest::MOST;
use crate::mix::commune;
use crate::place::Commune;

/// A Poisson process whose rate rises over a storm, a blast or an earthquake and falls back.
///
/// ```text
///  peak ┤        ╱╲
///       │       ╱  ╲__          the excess halves every `fall`
///  rate ┤──────╱      ╲________
///       └──────┬──┬──────────► time
///              at at + rise
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Surge {
    /// Calls per second without the surge.
    pub rate: f64,
    /// Calls per second where it is highest.
    pub peak: f64,
    /// When it begins, from the start of the phase.
    pub at: Duration,
    /// From there to the peak, in a straight line.
    pub rise: Duration,
    /// After the peak, the calls above `rate` halve every so long. Above zero.
    pub fall: Duration,
    /// Where the calls above `rate` come from, each commune as likely as the others. Empty: from everywhere.
    pub communes: Vec<Commune>,
}

impl Surge {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let any = kind::duration(Duration::ZERO);
        let shortest = Duration::from_millis(100);
        let rate = kind::number(0.0..=MOST);
        let communes = table.list("communes", commune);
        let surge = Self {
            rate: table.required("rate", &rate, 1.0),
            peak: table.required("peak", &rate, 1.0),
            at: table.or("at", &any, Duration::ZERO),
            rise: table.required("rise", &any, Duration::ZERO),
            fall: table.required("fall", kind::duration(shortest), shortest),
            communes: communes.iter().filter_map(|code| code.parse().ok()).collect(),
        };
        if surge.peak < surge.rate {
            table.report("peak", "must not be below rate; a surge rises");
        }
        surge
    }

    /// Calls per second above [`rate`](Self::rate), this many seconds after the start of the phase.
    #[must_use]
    pub fn excess(&self, elapsed: f64) -> f64 {
        let (height, since) = (self.peak - self.rate, elapsed - self.at.as_secs_f64());
        let rise = self.rise.as_secs_f64();
        if since < 0.0 {
            0.0
        } else if since < rise {
            height * since / rise
        } else {
            height * (-(since - rise) / self.fall.as_secs_f64()).exp2()
        }
    }

    /// When the part of the curve around this moment ends, and the highest rate in it. Halving goes on until less than a
    /// call in ten days is left of the excess.
    #[must_use]
    pub fn stretch(&self, elapsed: f64) -> (f64, f64) {
        let (start, rise) = (self.at.as_secs_f64(), self.rise.as_secs_f64());
        let top = start + rise;
        if elapsed < start {
            return (start, self.rate);
        }
        if elapsed < top {
            return (top, self.peak);
        }
        match self.excess(elapsed) {
            excess if excess < 1e-6 => (f64::INFINITY, self.rate),
            excess => (elapsed + self.fall.as_secs_f64(), self.rate + excess),
        }
    }

    /// Calls that are expected in the first `seconds` of the phase.
    #[must_use]
    pub fn expected(&self, seconds: f64) -> f64 {
        let (height, rise) = (self.peak - self.rate, self.rise.as_secs_f64());
        let since = (seconds - self.at.as_secs_f64()).max(0.0);
        let rising = since.min(rise);
        let falling = since - rising;
        let half_life = self.fall.as_secs_f64();
        let up = if rise > 0.0 { rising * rising / (2.0 * rise) } else { 0.0 };
        let down = half_life / std::f64::consts::LN_2 * (1.0 - (-falling / half_life).exp2());
        self.rate * seconds + height * (up + down)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_in_a_line_and_halves_again_and_again() {
        let seconds = Duration::from_secs;
        let surge = Surge {
            rate: 2.0,
            peak: 10.0,
            at: seconds(10),
            rise: seconds(20),
            fall: seconds(30),
            communes: Vec::new(),
        };
        for (at, excess) in [(5.0, 0.0), (20.0, 4.0), (30.0, 8.0), (60.0, 4.0), (90.0, 2.0)] {
            assert!((surge.excess(at) - excess).abs() < 1e-9, "{at}: {}", surge.excess(at));
        }
        // The sum of many small steps is the area.
        for end in [5.0, 25.0, 30.0, 200.0] {
            let steps = 20_000;
            let width = end / f64::from(steps);
            let sum: f64 = (0..steps)
                .map(|step| (surge.rate + surge.excess((f64::from(step) + 0.5) * width)) * width)
                .sum();
            assert!((surge.expected(end) - sum).abs() < 1e-2, "{end}: {sum}");
        }
        assert_eq!(surge.stretch(0.0), (10.0, 2.0));
        assert_eq!(surge.stretch(10.0), (30.0, 10.0));
        assert_eq!(surge.stretch(30.0), (60.0, 10.0));
        assert_eq!(surge.stretch(10_000.0), (f64::INFINITY, 2.0));
        let sudden = Surge { rise: Duration::ZERO, at: Duration::ZERO, ..surge };
        assert_eq!(sudden.excess(0.0), 8.0);
    }
}
