//! What was held, over time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::probe::{Look, Share};

/// All looks so far.
#[derive(Debug, Default)]
pub(crate) struct Curve(Vec<Look>);

/// How much more the processes took in the last quarter than in the second one.
#[derive(Debug)]
pub(crate) struct Growth(Vec<(String, Share, Share)>);

/// What a process may have grown by: pages that an allocator has taken and not given back, as it has been used more.
const MEMORY: (f64, u64) = (1.10, 6 * 1024);
/// Calls come and go, and so do their descriptors.
const DESCRIPTORS: (f64, u64) = (1.25, 24);

impl Curve {
    pub(crate) fn add(&mut self, look: Look) {
        self.0.push(look);
    }

    /// A line for each minute, and for each six seconds of a short soak.
    pub(crate) fn table(&self) -> String {
        let length = self.0.last().map_or(Duration::ZERO, |look| look.at);
        let step = if length > Duration::from_secs(180) { 60 } else { 6 };
        let names: Vec<&String> =
            self.0.first().into_iter().flat_map(|look| look.processes.keys()).collect();
        let mut table = format!(
            "{:>7} {:>6} {:>8} {:>8} {:>7}",
            "time", "calls", "circuits", "transact", "streams"
        );
        for name in &names {
            let _ = write!(table, " {:>16}", format!("{name} MiB/fd"));
        }
        let mut due = 0;
        for look in &self.0 {
            if look.at.as_secs() < due {
                continue;
            }
            due = look.at.as_secs() / step * step + step;
            let figures = (
                look.calls(),
                look.circuits(),
                look.sum("/transactions"),
                look.sum("/media/streams"),
            );
            let _ = write!(
                table,
                "\n{:>6}s {:>6} {:>8} {:>8} {:>7}",
                look.at.as_secs(),
                figures.0,
                figures.1,
                figures.2,
                figures.3
            );
            for name in &names {
                let share = look.processes.get(*name).copied().unwrap_or_default();
                let _ = write!(
                    table,
                    " {:>16}",
                    format!("{:.1}/{}", share.rss_kib as f64 / 1024.0, share.descriptors)
                );
            }
        }
        table
    }

    /// Compares the largest of each quarter: what a process has once used it keeps.
    pub(crate) fn growth(&self) -> Growth {
        let quarter = self.0.len() / 4;
        let most = |looks: &[Look]| {
            let mut most: BTreeMap<String, Share> = BTreeMap::new();
            for (name, share) in looks.iter().flat_map(|look| &look.processes) {
                let one = most.entry(name.clone()).or_default();
                one.rss_kib = one.rss_kib.max(share.rss_kib);
                one.descriptors = one.descriptors.max(share.descriptors);
            }
            most
        };
        let (early, late) = (most(&self.0[quarter..2 * quarter]), most(&self.0[3 * quarter..]));
        Growth(
            late.into_iter()
                .map(|(name, late)| (early.get(&name).copied().unwrap_or_default(), name, late))
                .map(|(early, name, late)| (name, early, late))
                .collect(),
        )
    }
}

impl Growth {
    fn grown(&self) -> Vec<&str> {
        let exceeds = |late: u64, early: u64, (factor, more): (f64, u64)| {
            late as f64 > early as f64 * factor + more as f64
        };
        let grown = self.0.iter().filter(|(_, early, late)| {
            exceeds(late.rss_kib, early.rss_kib, MEMORY)
                || exceeds(late.descriptors, early.descriptors, DESCRIPTORS)
        });
        grown.map(|(name, ..)| &name[..]).collect()
    }

    pub(crate) fn is_flat(&self) -> bool {
        self.grown().is_empty()
    }

    /// In words: from the second quarter to the last one.
    pub(crate) fn told(&self) -> String {
        let line = |(name, early, late): &(String, Share, Share)| {
            format!(
                "{name}: {:.1} to {:.1} MiB, {} to {} descriptors",
                early.rss_kib as f64 / 1024.0,
                late.rss_kib as f64 / 1024.0,
                early.descriptors,
                late.descriptors
            )
        };
        let lines: Vec<String> = self.0.iter().map(line).collect();
        let verdict = match self.grown()[..] {
            [] => "flat".to_owned(),
            ref grown => format!("GROWN: {}", grown.join(", ")),
        };
        format!("from the second quarter to the last: {verdict}\n  {}", lines.join("\n  "))
    }
}
