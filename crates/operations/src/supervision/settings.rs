//! The section `[supervision]` of a campaign.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use topology::reader::{Raw, Table, kind};

use super::indicator::{By, Indicator};
use super::usual::{UsualDay, UsualSource};

/// The most steps that a window may have: what supervision remembers of each key.
const MOST_STEPS: u128 = 10_000;

/// So unlikely must a number of arrivals be. A day has some 300 windows of five minutes, seen at 8,640 moments: with this,
/// chance raises less than one alarm in 100 days of a PSAP.
const CHANCE: f64 = 1e-6;

/// How the network is watched.
#[derive(Debug, Clone, PartialEq)]
pub struct SupervisionSettings {
    /// Figures are taken over the last so much time. A multiple of `step`.
    pub window: Duration,
    /// Between two looks at the figures.
    pub step: Duration,
    /// How much time a PSAP's arrivals must have been watched before any can be missing.
    pub baseline: Duration,
    /// Where it is known from how many calls usually arrive at each PSAP.
    pub usual: Option<UsualSource>,
    /// The usual day itself, once whoever reads the campaign has made it.
    pub usual_day: Option<UsualDay>,
    pub rules: Vec<Rule>,
    /// Where alarms are posted, in the form of Alertmanager.
    pub webhook: Option<String>,
}

/// When an alarm is raised.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub name: String,
    pub indicator: Indicator,
    pub by: By,
    pub bound: Bound,
    /// With fewer attempts in the window the figure says nothing. Of arrivals: in a usual window.
    pub min_attempts: u32,
    /// Of arrivals: they are out of bounds only if chance alone would bring so few, or so many, with a smaller probability.
    pub chance: f64,
    /// The figure must be out of bounds for this long.
    pub hold: Duration,
    pub severity: Severity,
    /// Further labels of its alarms.
    pub labels: Vec<(String, String)>,
}

/// The side on which a figure is out of bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    Below(f64),
    Above(f64),
}

/// How much an alarm matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Warning,
    Critical,
}

impl Default for SupervisionSettings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(5 * 60),
            step: Duration::from_secs(10),
            baseline: Duration::from_secs(30 * 60),
            usual: None,
            usual_day: None,
            rules: Vec::new(),
            webhook: None,
        }
    }
}

impl SupervisionSettings {
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let base = Self::default();
        let second = Duration::from_secs(1);
        let mut settings = Self {
            window: table.or("window", kind::duration(second), base.window),
            step: table.or("step", kind::duration(second), base.step),
            baseline: table.or("baseline", kind::duration(second), base.baseline),
            usual: table.has("usual").then(|| {
                table.section("usual", |usual| {
                    usual.required("arrivals", source, UsualSource::Computed)
                })
            }),
            usual_day: None,
            rules: table.tables("rules", Rule::read),
            webhook: table.optional("webhook", webhook),
        };
        let (window, step) = (settings.window.as_nanos(), settings.step.as_nanos());
        if !window.is_multiple_of(step) {
            table.report("window", "must be a multiple of step");
        } else if window / step > MOST_STEPS {
            table.report("window", format!("must not be more than {MOST_STEPS} steps long"));
        } else if settings.baseline < settings.window {
            table.report("baseline", "must not be shorter than window");
        } else {
            return settings.checked(table);
        }
        // What was refused must not be counted with.
        (settings.window, settings.step) = (base.window, base.step);
        settings.checked(table)
    }

    fn checked(self, table: &Table<'_>) -> Self {
        for (index, rule) in self.rules.iter().enumerate() {
            if self.rules[..index].iter().any(|other| other.name == rule.name) {
                let message = format!("another rule is called {:?} already", rule.name);
                let key = format!("{}[{index}].name", table.path("rules"));
                table.document().report(&key, message);
            }
        }
        self
    }
}

impl Rule {
    fn read(table: &Table<'_>) -> Self {
        let indicator = table.required("indicator", Indicator::kind, Indicator::Asr);
        let choices = indicator.choices();
        let by = table.or("by", By::kind, choices[0]);
        if !choices.contains(&by) {
            let known: Vec<String> =
                choices.iter().map(|by| format!("{:?}", by.as_str())).collect();
            table.report("by", format!("of {indicator} must be {}", known.join(" or ")));
        }
        if table.has("chance") && indicator != Indicator::Arrivals {
            table.report("chance", "needs indicator = \"arrivals\"; others have min_attempts");
        }
        let severity = [("warning", Severity::Warning), ("critical", Severity::Critical)];
        Self {
            name: table.required("name", kind::name, String::new()),
            indicator,
            by,
            bound: Bound::read(table, indicator),
            min_attempts: table.or("min_attempts", kind::count(1..=1_000_000), 20),
            chance: table.or("chance", kind::number(0.0..=1.0), CHANCE),
            hold: table.or("for", kind::duration(Duration::ZERO), Duration::from_secs(60)),
            severity: table.or("severity", kind::choice(&severity), Severity::Warning),
            labels: table.list("labels", label),
        }
    }
}

impl Bound {
    fn read(table: &Table<'_>, indicator: Indicator) -> Self {
        let bound = |raw: Raw<'_>| indicator.bound(raw);
        let (below, above) = (table.optional("below", bound), table.optional("above", bound));
        match (table.has("below"), table.has("above")) {
            (false, false) => table.report_here("needs below or above"),
            (true, true) => table.report("above", "cannot stand beside below; write two rules"),
            _ => {}
        }
        match (below, above) {
            (Some(below), _) => Self::Below(below),
            (None, above) => Self::Above(above.unwrap_or_default()),
        }
    }

    /// Whether `value` is out of bounds.
    #[must_use]
    pub fn is_crossed_by(self, value: f64) -> bool {
        match self {
            Self::Below(bound) => value < bound,
            Self::Above(bound) => value > bound,
        }
    }

    /// The bound itself, in the unit of its indicator.
    #[must_use]
    pub fn value(self) -> f64 {
        match self {
            Self::Below(bound) | Self::Above(bound) => bound,
        }
    }
}

impl Severity {
    /// The word in files and labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// `computed`, or the name of a CSV file.
fn source(raw: Raw<'_>) -> Result<UsualSource, String> {
    match kind::text(raw)? {
        text if text == "computed" => Ok(UsualSource::Computed),
        text if text.ends_with(".csv") => Ok(UsualSource::File(text.into())),
        text => Err(format!(
            "must be \"computed\" or the name of a CSV file such as \"usual.csv\", got {text:?}"
        )),
    }
}

/// A label as text, `team=noc`. Names are those of Prometheus: letters, digits, underscores.
fn label(raw: Raw<'_>) -> Result<(String, String), String> {
    let text = kind::text(raw)?;
    let parts = text.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
    let (name, value) = parts
        .filter(|(name, value)| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            let starts = name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
            starts && name.bytes().all(allowed) && !value.is_empty()
        })
        .ok_or_else(|| format!("must be a label such as \"team=noc\", got {text:?}"))?;
    if RESERVED.contains(&name) {
        return Err(format!("the label {name:?} is set by supervision itself; take another name"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Labels that say which rule and what it measured.
const RESERVED: [&str; 7] =
    ["alertname", "severity", "number", "department", "site", "psap", "trunk_group"];

fn webhook(raw: Raw<'_>) -> Result<String, String> {
    let text = kind::text(raw)?;
    let host = text.strip_prefix("http://").unwrap_or_default();
    let plain = !text.bytes().any(|b| b.is_ascii_whitespace() || b.is_ascii_control());
    match plain && !host.is_empty() && !host.starts_with(['/', ':']) {
        true => Ok(text),
        false => {
            Err(format!("must be an address such as \"http://127.0.0.1:9093/hook\", got {text:?}"))
        }
    }
}
