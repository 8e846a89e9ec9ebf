//! Live progress: one line per interval, under one header.
//!
//! ```text
//!   time  offered  calls/s  in progress  answered  abandoned  failed  late  alpha   beta
//!   12 s      600     49.8           54       541          5       0     0    51%    49%
//! ```

use std::fmt::Write as _;
use std::time::Duration;

use contract::GeneratorSnapshot;

/// Columns that a site takes, with the space before it.
const SITE_WIDTH: usize = 7;

/// Remembers the last line, for the rate since then.
#[derive(Debug)]
pub struct Progress {
    sites: Vec<String>,
    last_at: Duration,
    last_offered: u64,
}

impl Progress {
    /// `sites` are the columns at the end of each line, in this order.
    #[must_use]
    pub const fn new(sites: Vec<String>) -> Self {
        Self { sites, last_at: Duration::ZERO, last_offered: 0 }
    }

    /// The names of the columns.
    #[must_use]
    pub fn header(&self) -> String {
        let mut line =
            "  time  offered  calls/s  in progress  answered  abandoned  failed  late".to_owned();
        for site in &self.sites {
            let name: String = site.chars().take(SITE_WIDTH - 1).collect();
            let _ = write!(line, "{name:>SITE_WIDTH$}");
        }
        line
    }

    /// One line, at `elapsed` of the campaign. `calls` is how many calls each site has taken so
    /// far, in the order of the columns.
    pub fn line(&mut self, elapsed: Duration, now: &GeneratorSnapshot, calls: &[u64]) -> String {
        let interval = elapsed.saturating_sub(self.last_at).as_secs_f64();
        let started = now.offered.saturating_sub(self.last_offered) as f64;
        let rate = if interval > 0.0 { started / interval } else { 0.0 };
        (self.last_at, self.last_offered) = (elapsed, now.offered);

        let mut line = format!(
            "{:4.0} s {:8} {rate:8.1} {:12} {:9} {:10} {:7} {:5}",
            elapsed.as_secs_f64(),
            now.offered,
            now.in_progress,
            now.answered + now.talking,
            now.abandoned,
            now.failed(),
            now.late_starts + now.not_started,
        );
        let total: u64 = calls.iter().sum();
        for taken in calls.iter().take(self.sites.len()) {
            let percent = if total > 0 { *taken as f64 * 100.0 / total as f64 } else { 0.0 };
            let _ = write!(line, "{:>SITE_WIDTH$}", format!("{percent:.0}%"));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stands_under_its_header() {
        let mut progress = Progress::new(vec!["alpha".to_owned(), "beta-long-name".to_owned()]);
        assert_eq!(
            progress.header(),
            "  time  offered  calls/s  in progress  answered  abandoned  failed  late  alpha beta-l"
        );
        let mut now = GeneratorSnapshot {
            offered: 100,
            in_progress: 10,
            talking: 8,
            ..GeneratorSnapshot::default()
        };
        progress.line(Duration::from_secs(2), &now, &[0, 0]);
        (now.offered, now.answered, now.rejected, now.lost) = (600, 533, 2, 1);
        assert_eq!(
            progress.line(Duration::from_secs(12), &now, &[150, 50]),
            "  12 s      600     50.0           10       541          0       3     0    75%    25%"
        );
    }

    #[test]
    fn six_sites_fit_into_a_terminal() {
        let mut progress = Progress::new(vec!["epsilon".to_owned(); 6]);
        let now = GeneratorSnapshot {
            offered: 1_000_000,
            answered: 900_000,
            ..GeneratorSnapshot::default()
        };
        let line = progress.line(Duration::from_secs(3_600), &now, &[1; 6]);
        assert_eq!(line.len(), progress.header().len());
        assert!(line.len() <= 120, "{}", line.len());
    }
}
