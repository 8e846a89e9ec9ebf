//! The difference of a figure between two runs, and how sure it is.
//!
//! Shares: Newcombe's interval from Wilson's (R. G. Newcombe, Statistics in Medicine 17, 1998, method 10). Quantiles of
//! delays: the ranks within which the quantile lies by the binomial distribution, and the same way from two intervals to
//! that of their difference. Both are widened by how much calls depend on each other.

/// Both sides of 95 % of a normal distribution.
pub(super) const Z: f64 = 1.959_964;

/// A figure with the interval in which it lies in 95 of 100 cases. An end that nobody knows is infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Estimate {
    /// A figure of which nothing else is known.
    pub(super) const fn certain(value: f64) -> Self {
        Self { value, low: value, high: value }
    }

    /// A share of `whole` (Wilson 1927), of which `widening` calls say as much as one. `None` of nothing.
    pub(super) fn of_share(part: f64, whole: f64, widening: f64) -> Option<Self> {
        if whole <= 0.0 {
            return None;
        }
        let (share, whole) = (part / whole, whole / widening);
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

/// Of sorted values, the ends of the interval in which their quantile lies. Where there are too few values to say how far an end
/// may be, it is infinite: the slowest call of a hundred says nothing of the slowest one in a thousand.
pub(super) fn interval(sorted: &[u64], quantile: f64, widening: f64) -> (f64, f64) {
    let n = sorted.len() as f64;
    let spread = Z * (n * quantile * (1.0 - quantile) * widening).sqrt();
    let middle = n * quantile;
    let (low, high) = ((middle - spread).floor(), (middle + spread).ceil());
    let at = |rank: f64| sorted.get(rank as usize).map(|value| *value as f64);
    let low = if low < 0.0 { None } else { at(low) };
    (low.unwrap_or(f64::NEG_INFINITY), at(high).unwrap_or(f64::INFINITY))
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
            let share = |(part, whole)| Estimate::of_share(part, whole, 1.0).expect("a share");
            let Estimate { value, low, high } = share(one).minus(share(other));
            assert!(
                near(value, wanted.0) && near(low, wanted.1),
                "{one:?} {other:?}: {value} {low}"
            );
            assert!(near(high, wanted.2), "{one:?} {other:?}: {high}");
        }
        assert!(Estimate::of_share(0.0, 0.0, 1.0).is_none());
    }

    #[test]
    fn equal_runs_differ_by_nothing_that_is_clear() {
        let share = Estimate::of_share(900.0, 1_000.0, 1.0).expect("a share");
        assert!(!share.minus(share).is_clear());
        let worse = Estimate::of_share(850.0, 1_000.0, 1.0).expect("a share");
        assert!(worse.minus(share).is_clear());
        // The same of calls that depend on each other is no sure difference.
        let [share, worse] =
            [900.0, 850.0].map(|part| Estimate::of_share(part, 1_000.0, 20.0).expect("a share"));
        assert!(!worse.minus(share).is_clear());
    }

    #[test]
    fn a_quantile_lies_between_its_ranks() {
        let sorted: Vec<u64> = (0..1_000).collect();
        let (low, high) = interval(&sorted, 0.5, 1.0);
        assert!((465.0..=475.0).contains(&low) && (525.0..=535.0).contains(&high), "{low} {high}");
        let (low, high) = interval(&sorted, 0.5, 4.0);
        assert!((430.0..=445.0).contains(&low) && (555.0..=570.0).contains(&high), "{low} {high}");
        // Too few to say how high the 99th percentile may be.
        assert_eq!(interval(&sorted[..10], 0.99, 1.0), (9.0, f64::INFINITY));
        assert_eq!(interval(&sorted[..1], 0.5, 1.0).1, f64::INFINITY);
        assert_eq!(interval(&[], 0.5, 1.0), (f64::NEG_INFINITY, f64::INFINITY));
    }
}
