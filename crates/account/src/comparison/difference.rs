//! The difference of a figure between two runs, and how sure it is.
//!
//! Shares: Newcombe's interval from Wilson's (R. G. Newcombe, Statistics in Medicine 17, 1998, method 10). Quantiles of
//! delays: the ranks within which the quantile lies by the binomial distribution, and the same way from two intervals to
//! that of their difference.

/// Both sides of 95 % of a normal distribution.
const Z: f64 = 1.959_964;

/// A figure with the interval in which it lies in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Estimate {
    /// A share of `whole` (Wilson 1927). `None` of nothing.
    pub(super) fn of_share(part: f64, whole: f64) -> Option<Self> {
        if whole <= 0.0 {
            return None;
        }
        let share = part / whole;
        let middle = share + Z * Z / (2.0 * whole);
        let half =
            Z * (share * (1.0 - share) / whole + Z * Z / (4.0 * whole * whole)).max(0.0).sqrt();
        let scale = 1.0 + Z * Z / whole;
        let (low, high) = ((middle - half) / scale, (middle + half) / scale);
        Some(Self { value: share, low: low.max(0.0), high: high.min(1.0) })
    }

    /// This much more than `other`; the intervals of independent figures add up in squares.
    pub(super) fn minus(self, other: Self) -> Self {
        let value = self.value - other.value;
        let below = (self.value - self.low).hypot(other.high - other.value);
        let above = (self.high - self.value).hypot(other.value - other.low);
        Self { value, low: value - below, high: value + above }
    }

    /// Whether it is certain enough which side of zero it is on.
    pub(super) fn is_clear(self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// Of `count` sorted values, the places of the quantile and of the ends of its interval.
pub(super) fn ranks(count: u64, quantile: f64) -> Option<[u64; 3]> {
    if count == 0 {
        return None;
    }
    let n = count as f64;
    let spread = Z * (n * quantile * (1.0 - quantile)).sqrt();
    let place = |rank: f64| (rank.max(0.0) as u64).min(count - 1);
    let middle = n * quantile;
    Some([
        place((middle - spread).floor()),
        place(middle.ceil() - 1.0),
        place((middle + spread).ceil()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(actual: f64, wanted: f64) -> bool {
        (actual - wanted).abs() < 5e-4
    }

    // Newcombe 1998, table II: 56/70 and 48/80 give 0.2000, from 0.0524 to 0.3339; 9/10 and 3/10, and 10/10 and 0/20.
    #[test]
    fn the_intervals_are_those_of_the_paper() {
        for (one, other, wanted) in [
            ((56.0, 70.0), (48.0, 80.0), (0.2, 0.0524, 0.3339)),
            ((9.0, 10.0), (3.0, 10.0), (0.6, 0.1705, 0.8090)),
            ((10.0, 10.0), (0.0, 20.0), (1.0, 0.6791, 1.0)),
        ] {
            let share = |(part, whole)| Estimate::of_share(part, whole).expect("a share");
            let Estimate { value, low, high } = share(one).minus(share(other));
            assert!(
                near(value, wanted.0) && near(low, wanted.1),
                "{one:?} {other:?}: {value} {low}"
            );
            assert!(near(high, wanted.2), "{one:?} {other:?}: {high}");
        }
        assert!(Estimate::of_share(0.0, 0.0).is_none());
    }

    #[test]
    fn equal_runs_differ_by_nothing_that_is_clear() {
        let share = Estimate::of_share(900.0, 1_000.0).expect("a share");
        assert!(!share.minus(share).is_clear());
        let worse = Estimate::of_share(700.0, 1_000.0).expect("a share");
        assert!(worse.minus(share).is_clear());
    }

    #[test]
    fn a_quantile_lies_between_its_ranks() {
        let [low, middle, high] = ranks(1_000, 0.5).expect("ranks");
        assert_eq!(middle, 499);
        assert!((465..=475).contains(&low) && (525..=535).contains(&high), "{low} {high}");
        // Too few to say how high the 99th percentile may be: the highest of them, at least.
        assert_eq!(ranks(10, 0.99).expect("ranks")[1..], [9, 9]);
        assert_eq!(ranks(1, 0.5), Some([0, 0, 0]));
        assert_eq!(ranks(0, 0.5), None);
    }
}
