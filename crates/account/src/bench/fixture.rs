//! A trial by hand, for tests.

use telemetry::Quantiles;

use super::search::TrialFinding;
use super::trial::Trial;

fn delays(points: [u64; 5]) -> Quantiles {
    let [p50, p90, p95, p99, max] = points.map(Some);
    Quantiles { count: 3_000, p50, p90, p95, p99, max }
}

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
        pdd: delays([2_000, 3_000, 4_000, 9_000, 9_500]),
        lag: delays([100, 200, 300, 400, 900]),
        generator_cpu: 0.31,
        finding: if failed > 0 { TrialFinding::Failed } else { TrialFinding::Held },
        against_generator: Vec::new(),
    }
}
