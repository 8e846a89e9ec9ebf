//! What the processes of a run have used.

use account::summary::ProcessUsage;

use super::fleet::{Fleet, FleetProcess};

impl Fleet {
    /// What each process used, as its last words tell.
    pub(crate) fn usage(&self) -> Vec<ProcessUsage> {
        let seconds = |micros: u64| micros as f64 / 1e6;
        let usage = |process: &FleetProcess| {
            let usage = process.usage?;
            Some(ProcessUsage {
                name: process.planned.name.clone(),
                user_s: seconds(usage.user_us),
                system_s: seconds(usage.system_us),
                max_rss_kib: usage.max_rss_kib,
                records_dropped: usage.records.dropped + usage.records.waiting,
                messages_dropped: usage.trace.dropped,
            })
        };
        self.processes.iter().filter_map(usage).collect()
    }
}
