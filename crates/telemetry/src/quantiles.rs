//! The figures that a report shows of many delays.

use serde::{Deserialize, Serialize};

use crate::metric::Quantile;

/// Points of a distribution of delays, in microseconds: each is a delay that was measured, but for those of a
/// [`LatencyHistogram`](crate::LatencyHistogram), which has four digits of it. `null` when nothing was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Quantiles {
    pub count: u64,
    pub p50: Option<u64>,
    pub p90: Option<u64>,
    pub p95: Option<u64>,
    pub p99: Option<u64>,
    pub max: Option<u64>,
}

impl Quantiles {
    /// Of `count` delays, each point by `at`, which is asked for the lowest first.
    #[must_use]
    pub(crate) fn of(count: u64, mut at: impl FnMut(Quantile) -> Option<u64>) -> Self {
        Self {
            count,
            p50: at(Quantile::P50),
            p90: at(Quantile::P90),
            p95: at(Quantile::P95),
            p99: at(Quantile::P99),
            max: at(Quantile::Max),
        }
    }

    /// One of them. `None` when nothing was counted.
    #[must_use]
    pub const fn at(&self, quantile: Quantile) -> Option<u64> {
        match quantile {
            Quantile::P50 => self.p50,
            Quantile::P90 => self.p90,
            Quantile::P95 => self.p95,
            Quantile::P99 => self.p99,
            Quantile::Max => self.max,
        }
    }
}
