//! `histograms/*.hgrm`: delays as percentile tables that HdrHistogram's plotter reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use hdrhistogram::Histogram;
use telemetry::{Attempt, AttemptReader};

use crate::summary::UNREACHED;

/// Significant digits of delays in these tables.
const DIGITS: u8 = 3;
/// Rows for each halving of the distance to 100 %.
const TICKS: u32 = 5;

/// The delays of a run. Add every attempt, then write them down.
#[derive(Debug, Default)]
pub struct Histograms {
    pdd: Counted,
    setup: Counted,
    lag: Counted,
    pdd_by_site: BTreeMap<String, Counted>,
}

/// Delays of one table in microseconds, as HdrHistogram counts them. It grows as it needs to.
#[derive(Debug)]
struct Counted {
    steps: Histogram<u64>,
    sum_us: u64,
    longest_us: u64,
}

impl Default for Counted {
    fn default() -> Self {
        let steps = Histogram::new(DIGITS).expect("three digits are allowed");
        Self { steps, sum_us: 0, longest_us: 0 }
    }
}

impl Counted {
    fn record_us(&mut self, micros: u64) {
        // Nothing is shorter than a step.
        let _ = self.steps.record(micros.max(1));
        self.sum_us = self.sum_us.saturating_add(micros);
        self.longest_us = self.longest_us.max(micros);
    }
}

impl Histograms {
    /// One file for each, in milliseconds.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        // In a run folder that is gone it makes no other one.
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let whole = [("pdd", &self.pdd), ("setup", &self.setup), ("lag", &self.lag)];
        let whole = whole.into_iter().map(|(name, histogram)| (name.to_owned(), histogram));
        let sites = self.pdd_by_site.iter();
        let sites = sites.map(|(site, histogram)| (format!("pdd-{site}"), histogram));
        for (name, histogram) in whole.chain(sites) {
            std::fs::write(folder.join(format!("{name}.hgrm")), table(histogram))?;
        }
        Ok(())
    }
}

impl AttemptReader for Histograms {
    fn add(&mut self, attempt: &Attempt<'_>) {
        let Some(record) = attempt.caller() else { return };
        self.lag.record_us(record.lag_us());
        if let Some(setup) = record.setup_us() {
            self.setup.record_us(setup);
        }
        if let Some(pdd) = record.post_dial_delay_us() {
            self.pdd.record_us(pdd);
            let site = attempt.reached().site.unwrap_or(UNREACHED);
            if let Some(histogram) = self.pdd_by_site.get_mut(site) {
                histogram.record_us(pdd);
            } else {
                self.pdd_by_site.entry(site.to_owned()).or_default().record_us(pdd);
            }
        }
    }
}

/// The percentile distribution as `HistogramLogProcessor` of HdrHistogram prints it.
fn table(histogram: &Counted) -> String {
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let millis = |us: u64| us as f64 / 1e3;
    let mut seen = 0;
    for step in histogram.steps.iter_quantiles(TICKS) {
        seen += step.count_since_last_iteration();
        let quantile = step.quantile_iterated_to();
        // The edge of a step may lie beyond the longest delay in it.
        let value = millis(step.value_iterated_to().min(histogram.longest_us));
        let _ = write!(text, "{value:>12.3} {quantile:>2.12} {seen:>10}");
        if quantile < 1.0 {
            let _ = write!(text, " {:>14.2}", 1.0 / (1.0 - quantile));
        }
        text.push('\n');
    }
    let count = histogram.steps.len();
    let mean = histogram.sum_us as f64 / count.max(1) as f64 / 1e3;
    let deviation = histogram.steps.stdev() / 1e3;
    let _ = writeln!(text, "#[Mean    = {mean:>12.3}, StdDeviation   = {deviation:>12.3}]");
    let max = millis(histogram.longest_us);
    let _ = writeln!(text, "#[Max     = {max:>12.3}, Total count    = {count:>12}]");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // The format: four columns, the last row without its fourth, then two lines of comment.
    #[test]
    fn a_table_is_what_the_plotter_reads() {
        let mut histogram = Counted::default();
        (1..=1_000).for_each(|ms| histogram.record_us(ms * 1_000));
        let text = table(&histogram);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].trim_start().starts_with("Value") && lines[1].is_empty(), "{text}");
        let rows: Vec<Vec<f64>> = lines[2..]
            .iter()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                line.split_whitespace().map(|word| word.parse().expect("a number")).collect()
            })
            .collect();
        let (last, others) = rows.split_last().expect("rows");
        assert!(others.iter().all(|row| row.len() == 4) && last.len() == 3, "{text}");
        assert!((last[0] - 1_000.0).abs() < 2.0 && last[1] == 1.0 && last[2] == 1_000.0, "{text}");
        let half = others.iter().find(|row| row[1] == 0.5).expect("the median");
        assert!((half[0] - 500.0).abs() < 1.0 && half[2] == 500.0 && half[3] == 2.0, "{text}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("#[")).count(), 2);
        assert!(table(&Counted::default()).contains("Total count    =            0"));
    }
}
