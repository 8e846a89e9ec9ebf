//! When a campaign begins: the same for its callers, its operators and its records.

use contract::BoxOrder;
use load_program::HEAD_START;
use tokio::time::Instant;

use super::fleet::Fleet;
use super::plan;
use super::prepared::{Prepared, unix_us};

/// When the campaign begins, on two clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CampaignStart {
    pub(crate) instant: Instant,
    /// Unix microseconds by the clock of the run, which its records are dated by.
    pub(crate) us: u64,
}

impl CampaignStart {
    /// Lets the callers begin, who run and wait for it; [`Fleet::next`] passes it on to them.
    pub(crate) fn set(prepared: &Prepared, fleet: &Fleet) -> Self {
        let compression = prepared.campaign.compression;
        let lasted = unix_us().saturating_sub(prepared.since_us) as f64 * compression;
        let ahead = HEAD_START.as_micros() as f64 * compression;
        let start = Self {
            instant: Instant::now() + HEAD_START,
            us: prepared.since_us + (lasted + ahead) as u64,
        };
        let begin = BoxOrder::BeginAtUs(start.us);
        for number in 1..=prepared.args.shards {
            drop(fleet.console().order(&plan::generator(number), begin.clone()));
        }
        start
    }
}
