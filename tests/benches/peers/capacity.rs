//! The highest rate at which every call is answered: what is between has a core for itself, and both ends share another.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::between::Way;
use crate::turn::{Cores, turn};

/// Rates that are tried, one after the other.
const RATES: [u32; 9] = [1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 10_000];

/// Calls for so long.
const WINDOW: Duration = Duration::from_millis(1_500);

/// Goes up until calls fail, twice: other work of the machine is no limit of what is measured.
pub(crate) fn of(way: Way, folder: &Path) -> anyhow::Result<Value> {
    let mut best = None;
    for rate in RATES {
        let carries = || -> anyhow::Result<bool> {
            let turn = turn(way, Cores::TWO, rate, WINDOW, folder)?;
            println!("{}, {rate} calls/s: {} failed", way.name(), turn.failed);
            Ok(turn.failed == 0)
        };
        if !carries()? && !carries()? {
            return Ok(json!({ "calls_per_second": best, "failed_at": rate }));
        }
        best = Some(rate);
    }
    Ok(json!({ "calls_per_second": best, "failed_at": null }))
}
