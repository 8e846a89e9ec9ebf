//! One figure of a comparison: what it measures, of which attempts, and what public reports say of it.

use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use topology::reader::{Raw, Table, kind};

use crate::comparison::time_of_day;
use crate::measure::Measure;

/// A smaller share of routed attempts than this is a disturbance, unless the figure says otherwise.
const USUAL: f64 = 0.97;
const DAY: Duration = Duration::from_secs(86_400);

/// One figure of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedFigure {
    /// The head of the column: a few characters.
    pub name: String,
    pub measure: Measure,
    /// Which attempts and people count.
    pub selection: Selection,
    /// It is told as a share of what this run, `base` or a variant, has.
    pub of: Option<String>,
    /// The share of routed attempts below which a step is disturbed.
    pub usual: f64,
    /// What public reports say, in their words.
    pub published: Option<String>,
    /// The same as a number, where it is one.
    pub value: Option<f64>,
    /// What can be believed of it.
    pub plausible: Option<RangeInclusive<f64>>,
    /// Where they say so.
    pub source: Option<String>,
    /// What the run must keep within to pass: shares from 0 to 1, times in seconds, rates per second. A variant may set
    /// bounds of its own.
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// A part of the attempts of a run; people are with their first one. An empty list asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    pub trunk_groups: Vec<String>,
    /// Of the caller.
    pub departments: Vec<String>,
    /// That were dialled.
    pub numbers: Vec<String>,
    /// Where calls arrived.
    pub psaps: Vec<String>,
    pub window: Option<Window>,
}

/// A stretch of the day, written `16:30-22:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Since midnight.
    from: Duration,
    /// Later than `from`, perhaps on the next day.
    to: Duration,
}

impl Window {
    /// What a campaign that `begins` at a time of day and lasts for `duration` has of it, since the start of the campaign.
    /// `None`: nothing.
    #[must_use]
    pub fn within(self, begins: Duration, duration: Duration) -> Option<Range<Duration>> {
        let end = begins + duration;
        let mut day = Duration::ZERO;
        loop {
            let (from, to) = ((day + self.from).max(begins), (day + self.to).min(end));
            if from < to {
                return Some(from - begins..to - begins);
            }
            day += DAY;
            if day + self.from >= end {
                return None;
            }
        }
    }

    /// How long it is.
    #[must_use]
    pub fn length(self) -> Duration {
        self.to - self.from
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = |at: Duration| at.as_secs() / 60;
        let (from, to) = (minutes(self.from), minutes(self.to));
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60 % 24, to % 60)
    }
}

impl ComparedFigure {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let number = kind::number(0.0..=1e12);
        Self {
            name: table.required("name", kind::text, String::new()),
            measure: table.required("measure", kind::choice(Measure::WORDS), Measure::Attempts),
            selection: Selection {
                trunk_groups: table.list("trunk_groups", kind::name),
                departments: table.list("departments", kind::text),
                numbers: table.list("numbers", kind::text),
                psaps: table.list("psaps", kind::name),
                window: table.optional("window", window),
            },
            of: table.optional("of", kind::name),
            usual: table.or("usual", kind::share, USUAL),
            published: table.optional("published", kind::text),
            value: table.optional("value", &number),
            plausible: table.has("plausible").then(|| {
                let [low, high] = table.array("plausible", &number, [0.0, 0.0]);
                if low > high {
                    let message = format!("must be [LOW, HIGH], got [{low}, {high}]");
                    table.report("plausible", message);
                }
                low..=high
            }),
            source: table.optional("source", kind::text),
            min: table.optional("min", &number),
            max: table.optional("max", &number),
        }
    }

    /// Whether what was measured can be what the reports mean; `None` where they give no range.
    #[must_use]
    pub fn is_plausible(&self, measured: f64) -> Option<bool> {
        self.plausible.as_ref().map(|range| range.contains(&measured))
    }
}

fn window(raw: Raw<'_>) -> Result<Window, String> {
    let text = kind::text(raw)?;
    let parts = text
        .split_once('-')
        .and_then(|(from, to)| Some((time_of_day(from.trim())?, time_of_day(to.trim())?)));
    let Some((from, to)) = parts else {
        return Err(format!("must be two times of day such as \"16:30-22:00\", got {raw}"));
    };
    Ok(Window { from, to: if to > from { to } else { to + DAY } })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(minutes * 60)
    }

    #[test]
    fn a_window_is_clipped_to_the_campaign_also_beyond_midnight() {
        let window = |from, to| Window { from: minutes(from), to: minutes(to) };
        let within = |window: Window, begins, lasts| {
            let span = window.within(minutes(begins), minutes(lasts))?;
            Some((span.start.as_secs() / 60, span.end.as_secs() / 60))
        };
        // 16:30-22:00 of a campaign from 16:40 to midnight.
        assert_eq!(within(window(990, 1_320), 1_000, 440), Some((0, 320)));
        assert_eq!(within(window(1_080, 1_320), 1_000, 440), Some((80, 320)));
        // 23:00-01:00 of one that goes on until two in the morning.
        assert_eq!(within(window(1_380, 1_500), 1_320, 240), Some((60, 180)));
        // 0:30-1:00, which comes on the second day.
        assert_eq!(within(window(30, 60), 1_320, 240), Some((150, 180)));
        assert_eq!(within(window(600, 660), 1_000, 440), None);
        assert_eq!(window(1_380, 1_500).to_string(), "23:00-01:00");
    }
}
