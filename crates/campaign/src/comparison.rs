//! What a campaign is compared with, variants of itself, and how that is shown.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use topology::reader::{Raw, Table, kind};

/// Sections of which each part is a thing of its own.
const NAMED: [&str; 8] =
    ["operations", "phases", "faults", "sites", "trunk_groups", "psaps", "releases", "mix"];

/// The campaign with something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub name: String,
    /// What is other than in the campaign, in words.
    pub title: String,
    /// Keys and values as `--set` takes them.
    pub set: Vec<(String, String)>,
}

/// In which time a campaign runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Time {
    /// On real sockets.
    #[default]
    Real,
    /// On the simulated network, as fast as it goes.
    Virtual,
}

impl Time {
    pub(super) const WORDS: [(&'static str, Self); 2] =
        [("real", Self::Real), ("virtual", Self::Virtual)];
}

/// A picture of a run and its variants, written into the run folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlotKind {
    /// Emergency attempts and their share that was routed, over time.
    Timeline,
    /// Answered calls over offered calls, phase by phase.
    Goodput,
}

impl PlotKind {
    pub(super) const WORDS: [(&'static str, Self); 2] =
        [("timeline", Self::Timeline), ("goodput", Self::Goodput)];
}

impl Variant {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let variant = Self {
            name: table.required("name", kind::name, String::new()),
            title: table.required("title", kind::text, String::new()),
            set: table.required_list("set", key_and_value),
        };
        if !variant.set.is_empty() && variant.things().is_empty() {
            let message =
                "changes nothing but figures; set a key of the campaign or of its network too";
            table.report("set", message);
        }
        variant
    }

    /// What it changes, each once, in the order of its keys: an operation, a phase, a site …, or a section as a whole. What a
    /// figure may come to changes nothing.
    #[must_use]
    pub fn things(&self) -> Vec<String> {
        let mut things: Vec<String> = Vec::new();
        for (key, _) in &self.set {
            let mut parts = key.split('.');
            let section = parts.next().unwrap_or_default();
            let thing = match (section, parts.next()) {
                ("figures", _) => continue,
                (section, Some(name)) if NAMED.contains(&section) => format!("{section}.{name}"),
                (section, _) => section.to_owned(),
            };
            if !things.contains(&thing) {
                things.push(thing);
            }
        }
        things
    }

    /// Its title, with what it changes if that is more than one thing: a comparison with several changes does not tell which of them
    /// mattered.
    #[must_use]
    pub fn full_title(&self) -> String {
        let (title, things) = (&self.title, self.things());
        match things.len() {
            0 | 1 => title.clone(),
            count => format!("{title} ({count} things changed: {})", things.join(", ")),
        }
    }
}

fn key_and_value(raw: Raw<'_>) -> Result<(String, String), String> {
    let text = kind::text(raw)?;
    let (key, value) =
        text.split_once('=').ok_or_else(|| format!("must be \"KEY=VALUE\", got {raw}"))?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

/// `16:40` since midnight.
pub(super) fn time_of_day(text: &str) -> Option<Duration> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, limit: u64| text.parse::<u64>().ok().filter(|number| *number < limit);
    let (hours, minutes) = (number(hours, 24)?, number(minutes, 60)?);
    Some(Duration::from_secs(hours * 3_600 + minutes * 60))
}

/// A value that is a [`time_of_day`].
pub(super) fn begins(raw: Raw<'_>) -> Result<Duration, String> {
    let time = kind::text(raw).ok().and_then(|text| time_of_day(&text));
    time.ok_or_else(|| format!("must be a time of day such as \"16:40\", got {raw}"))
}
