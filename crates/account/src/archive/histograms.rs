//! `histograms/*.hgrm`: delays as percentile tables that HdrHistogram's plotter reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::summary::UNREACHED;
use telemetry::{Attempt, AttemptReader, LatencyHistogram};

/// The delays of a run. Add every attempt, then write them down.
#[derive(Debug, Default)]
pub struct Histograms {
    pdd: LatencyHistogram,
    setup: LatencyHistogram,
    lag: LatencyHistogram,
    pdd_by_site: BTreeMap<String, LatencyHistogram>,
}

impl Histograms {
    /// One file for each, in milliseconds.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
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

impl AttemptReader<'_> for Histograms {
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
fn table(histogram: &LatencyHistogram) -> String {
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let millis = |us: u64| us as f64 / 1e3;
    for step in histogram.percentiles() {
        let _ = write!(
            text,
            "{:>12.3} {:>2.12} {:>10}",
            millis(step.value_us),
            step.quantile,
            step.count
        );
        if step.quantile < 1.0 {
            let _ = write!(text, " {:>14.2}", 1.0 / (1.0 - step.quantile));
        }
        text.push('\n');
    }
    let (mean, deviation) = histogram.mean_and_deviation_us();
    let quantiles = histogram.quantiles();
    let _ = writeln!(
        text,
        "#[Mean    = {:>12.3}, StdDeviation   = {:>12.3}]",
        mean / 1e3,
        deviation / 1e3
    );
    let (max, count) = (millis(quantiles.max), quantiles.count);
    let _ = writeln!(text, "#[Max     = {max:>12.3}, Total count    = {count:>12}]");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // The format: four columns, the last row without its fourth, then two lines of comment.
    #[test]
    fn a_table_is_what_the_plotter_reads() {
        let mut histogram = LatencyHistogram::default();
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
        assert!(table(&LatencyHistogram::default()).contains("Total count    =            0"));
    }
}
