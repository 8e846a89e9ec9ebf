//! A trial by hand, for tests.

use telemetry::Quantiles;

use super::search::TrialFinding;
use super::trial::Trial;

/// A trial at 600/s for 5 s of which `failed` were refused with 503.
pub(super) fn trial(number: usize, failed: u64) -> Trial {
    Trial {
        number,
        stage: "rise",
        rate: 600.0,
        length_s: 5.0,
        offered: 3_000,
        established: 3_000 - failed,
        refused: [(503, failed)].into_iter().filter(|(_, count)| *count > 0).collect(),
        with_advice: failed,
        too_late: 0,
        silent: 0,
        lost: 0,
        pdd: Quantiles { count: 3_000, p50: 2_000, p90: 3_000, p95: 4_000, p99: 9_000, max: 9_500 },
        lag: Quantiles { count: 3_000, p50: 100, p90: 200, p95: 300, p99: 400, max: 900 },
        generator_cpu: 0.31,
        finding: if failed > 0 { TrialFinding::Failed } else { TrialFinding::Held },
        against_generator: Vec::new(),
    }
}
