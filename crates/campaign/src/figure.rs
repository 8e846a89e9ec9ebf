//! One figure of a comparison: what it measures, of which attempts, and what public reports say of it.

use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use operations::supervision::department;
use topology::reader::{Document, Raw, Table, kind};

use crate::campaign::Campaign;
use crate::comparison::time_of_day;
use crate::measure::Measure;

/// A smaller share of routed attempts than this is a disturbance, unless the figure says otherwise.
const USUAL: f64 = 0.97;
const DAY: Duration = Duration::from_secs(86_400);
/// The campaign itself among its variants.
const BASE: &str = "base";

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

impl Campaign {
    /// Reports figures that cannot mean what they say.
    pub(super) fn check_figures(&self, document: &Document) {
        let communes = self.communes();
        let departments: Vec<&str> = communes.iter().map(|one| department(Some(one))).collect();
        for (index, figure) in self.figures.iter().enumerate() {
            let ComparedFigure { measure, selection, of, .. } = figure;
            let report = |key: &str, message: String| {
                document.report(&format!("figures[{index}].{key}"), message);
            };
            let asked = [
                ("trunk_groups", !selection.trunk_groups.is_empty()),
                ("departments", !selection.departments.is_empty()),
                ("numbers", !selection.numbers.is_empty()),
                ("psaps", !selection.psaps.is_empty()),
                ("window", selection.window.is_some()),
            ];
            for (key, _) in asked.into_iter().filter(|(_, is_asked)| *is_asked) {
                if !measure.counts() {
                    let message = format!(
                        "{} counts no calls, so it has no {key}; leave it away",
                        measure.name()
                    );
                    report(key, message);
                } else if key == "psaps" && *measure != Measure::Arrivals {
                    let message = "only measure = \"arrivals\" is counted at answering points; \
                                   leave it away, or ask for departments";
                    report(key, message.to_owned());
                }
            }
            if let Some(window) = selection.window
                && !self.phases.is_empty()
                && window.within(self.begins, self.duration()).is_none()
            {
                let end = self.begins + self.duration();
                let message = format!(
                    "{window} is outside of the campaign, which goes from {} to {}; begins = \"HH:MM\" \
                     is its time of day",
                    clock(self.begins),
                    clock(end)
                );
                report("window", message);
            }
            for (place, name) in selection.departments.iter().enumerate() {
                if !communes.is_empty() && !departments.contains(&&name[..]) && name != "unknown" {
                    let message = format!("nobody calls from département {name:?}");
                    report(&format!("departments[{place}]"), message);
                }
            }
            if let Some(of) = of {
                if !measure.counts() {
                    let message = format!("{} is no share of another run's", measure.name());
                    report("of", message);
                } else if of != BASE && !self.variants.iter().any(|one| one.name == *of) {
                    let known: Vec<&str> = std::iter::once(BASE)
                        .chain(self.variants.iter().map(|one| &one.name[..]))
                        .collect();
                    let message =
                        format!("no variant is called {of:?}; there are {}", known.join(", "));
                    report("of", message);
                }
            }
        }
    }
}

fn clock(at: Duration) -> String {
    let minutes = at.as_secs() / 60;
    format!("{}:{:02}", minutes / 60 % 24, minutes % 60)
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

    #[test]
    fn a_figure_that_cannot_mean_what_it_says_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("campaign.toml");
        let refused = |figure: &str| {
            let text = format!(
                "network = \"n.toml\"\nbegins = \"16:40\"\n[[mix]]\nnumber = \"15\"\ncommunes = [\"59350\"]\n\
                 [[phases]]\nname = \"one\"\nduration = \"1h\"\narrivals = {{ model = \"constant\", rate = 1 }}\n\
                 [[figures]]\nname = \"f\"\n{figure}"
            );
            std::fs::write(&path, text).expect("a writable folder");
            Campaign::load(&path, &topology::Layers::none()).err().map(|it| it.to_string())
        };
        assert_eq!(
            refused("measure = \"attempts\"\nwindow = \"16:30-17:00\"\nof = \"base\""),
            None
        );
        for (figure, why) in [
            (
                "measure = \"attempts\"\nwindow = \"18:00-19:00\"",
                "outside of the campaign, which goes from 16:40 to 17:40",
            ),
            ("measure = \"attempts\"\nwindow = \"25:00-19:00\"", "must be two times of day"),
            (
                "measure = \"detected\"\nwindow = \"16:30-17:00\"",
                "detected counts no calls, so it has no window",
            ),
            (
                "measure = \"cut\"\npsaps = [\"samu-59\"]",
                "only measure = \"arrivals\" is counted at answering points",
            ),
            ("measure = \"cut\"\ndepartments = [\"75\"]", "nobody calls from département \"75\""),
            (
                "measure = \"arrivals\"\nof = \"quiet\"",
                "no variant is called \"quiet\"; there are base",
            ),
            ("measure = \"recovered\"\nof = \"base\"", "recovered is no share of another run's"),
            ("measure = \"cut\"\nplausible = [2, 1]", "must be [LOW, HIGH], got [2, 1]"),
        ] {
            let told = refused(figure).unwrap_or_else(|| panic!("{figure} is taken"));
            assert!(told.contains(why), "{figure}: {told}");
        }
    }
}
