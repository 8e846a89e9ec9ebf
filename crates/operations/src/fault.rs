//! Faults on the timeline: what happens to the machines of a network, and to the ways between them, without anybody's command.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use topology::reader::{Document, Layers, Table, kind, nearest};
use topology::{Problems, format_duration};

use crate::impairment::Impairment;

/// A table of `[[faults]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Of the campaign.
    pub at: Duration,
    pub what: FaultKind,
    /// A site, with all of its call servers, or a PSAP; of an impairment also a trunk group.
    pub target: String,
}

/// What happens to a machine, or to its ways to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// It loses power. Its calls die with it.
    Kill,
    /// One that has lost power gets it back: it boots, with what was on its disk.
    Restart,
    /// It does nothing for so long: nothing is answered and no timer goes off. What was sent to it waits.
    Freeze { lasts: Duration },
    /// Packets between it and `other`, or all others, suffer; for so long, or until the campaign ends.
    Impair { other: Option<String>, what: Impairment, lasts: Option<Duration> },
}

/// What is done to a machine, or to its ways, when a fault begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultAction {
    /// It loses power.
    Kill,
    /// It gets power back.
    Restart,
    /// It does nothing until it is thawed.
    Freeze,
    /// It goes on.
    Thaw,
    /// Its packets suffer until the way is healed.
    Impair,
    /// They do not any more.
    Heal,
}

impl FaultAction {
    /// Whether it takes something away, and does not give it back.
    #[must_use]
    pub const fn harms(self) -> bool {
        matches!(self, Self::Kill | Self::Freeze | Self::Impair)
    }
}

impl fmt::Display for FaultAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill",
            Self::Restart => "restart",
            Self::Freeze => "freeze",
            Self::Thaw => "thaw",
            Self::Impair => "impair",
            Self::Heal => "heal",
        })
    }
}

/// Something that was done to a machine or to its ways, and how that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultEntry {
    #[serde(rename = "at_s", with = "crate::log::seconds")]
    pub at: Duration,
    pub target: String,
    pub what: FaultAction,
    /// Who did it by hand; none if the campaign says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Of a way between two: the other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// How packets suffer, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impairment: Option<String>,
    /// Why it was not done, if so.
    pub failed: Option<String>,
}

impl Fault {
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let at = table.required("at", kind::duration(Duration::ZERO), Duration::ZERO);
        let keys = ["kill", "restart", "freeze", "of", "between"];
        let mut given = keys.into_iter().filter(|key| table.has(key));
        let (key, second) = (given.next(), given.next());
        if key.is_none() || second.is_some() {
            table.report_here(
                "needs kill, restart, freeze, of or between, and one of them only: the name of a site or PSAP, or of two for between",
            );
        }
        if !matches!(key, Some("of" | "between")) {
            for key in Impairment::KEYS.into_iter().filter(|key| table.has(key)) {
                table
                    .report(key, "impairs the ways of a box; name it with of, or two with between");
            }
        }
        let target = |key| table.optional(key, kind::name).unwrap_or_default();
        let (what, target) = match key {
            Some("freeze") => {
                let lasts = table.required("for", kind::duration(SHORTEST), SHORTEST);
                (FaultKind::Freeze { lasts }, target("freeze"))
            }
            Some("of") => (impair(table, None), target("of")),
            Some("between") => match <[String; 2]>::try_from(table.list("between", kind::name)) {
                Ok([one, other]) if one != other => (impair(table, Some(other)), one),
                _ => {
                    table.report("between", "must name two boxes, such as [\"mobile\", \"alpha\"]");
                    (impair(table, None), String::new())
                }
            },
            Some("restart") => (FaultKind::Restart, target("restart")),
            _ => (FaultKind::Kill, target("kill")),
        };
        if table.has("for") && matches!(key, Some("kill" | "restart")) {
            table.report(
                "for",
                "belongs to freeze, of and between: a machine that is killed comes back by a fault with restart",
            );
        }
        Self { at, what, target }
    }

    /// Reads one row of `[[faults]]` without `at`, in lines of TOML: a fault that happens now.
    ///
    /// # Errors
    /// Every mistake in it, in one sentence.
    pub fn parse(row: &str) -> Result<Self, String> {
        let text = format!("[[faults]]\nat = \"0s\"\n{row}");
        let said = |problems: Problems| {
            let told = problems.0.into_iter().map(|problem| {
                let key = problem.key.split_once('.').map_or("", |(_, key)| key);
                if key.is_empty() { problem.message } else { format!("{key}: {}", problem.message) }
            });
            told.collect::<Vec<_>>().join("; ")
        };
        let document = Document::parse("the fault", &text, &Layers::none()).map_err(said)?;
        let mut faults = document.read(|root| root.tables("faults", Self::read));
        let fault = faults.pop().filter(|_| faults.is_empty());
        let fault = document.finish(fault).map_err(said)?;
        fault.ok_or_else(|| "one fault at a time".to_owned())
    }

    /// What happens, as a sentence.
    #[must_use]
    pub fn deed(&self) -> String {
        let told = self.to_string();
        told.split_once(": ").map_or_else(String::new, |(_, deed)| deed.to_owned())
    }

    /// The key that names the target.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self.what {
            FaultKind::Kill => "kill",
            FaultKind::Restart => "restart",
            FaultKind::Freeze { .. } => "freeze",
            FaultKind::Impair { other: None, .. } => "of",
            FaultKind::Impair { other: Some(_), .. } => "between",
        }
    }

    /// What it impairs, and with whom, if it does.
    #[must_use]
    pub const fn impairment(&self) -> Option<(Option<&String>, Impairment)> {
        match &self.what {
            FaultKind::Impair { other, what, .. } => Some((other.as_ref(), *what)),
            _ => None,
        }
    }

    /// The sentence about a target that the network does not have.
    #[must_use]
    pub fn check(&self, sites: &[String], groups: &[String], psaps: &[String]) -> Option<String> {
        let (groups, words) = match self.what {
            FaultKind::Impair { .. } => (groups, "site, trunk group or PSAP"),
            _ => (&[][..], "site or PSAP"),
        };
        let known = || sites.iter().chain(groups).chain(psaps).map(String::as_str);
        let other = self.impairment().and_then(|(other, _)| other);
        let named = [Some(&self.target), other].into_iter().flatten();
        let unknown =
            named.filter(|name| !name.is_empty()).find(|name| known().all(|it| it != **name))?;
        let hint = match nearest(unknown, known()) {
            Some(meant) => format!("did you mean {meant:?}?"),
            None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
        };
        Some(format!("no {words} is called {unknown:?}; {hint}"))
    }
}

/// The shortest time that a fault may last.
const SHORTEST: Duration = Duration::from_millis(100);

fn impair(table: &Table<'_>, other: Option<String>) -> FaultKind {
    let lasts = table.optional("for", kind::duration(SHORTEST));
    FaultKind::Impair { other, what: Impairment::read(table), lasts }
}

/// As `tocsin check` tells it.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, what, target } = self;
        write!(f, "at {}: ", format_duration(*at))?;
        match what {
            FaultKind::Kill => write!(f, "{target} loses power"),
            FaultKind::Restart => write!(f, "{target} gets power back, and boots from its disk"),
            FaultKind::Freeze { lasts } => {
                write!(f, "{target} does nothing for {}", format_duration(*lasts))
            }
            FaultKind::Impair { other, what, lasts } => {
                let ways = match other {
                    Some(other) => format!("between {target} and {other}"),
                    None => format!("between {target} and everybody else"),
                };
                let until = match lasts {
                    Some(lasts) => format!("for {}", format_duration(*lasts)),
                    None => "until the end".to_owned(),
                };
                write!(f, "{ways}, each way, {until}: {what}")
            }
        }
    }
}

impl FaultEntry {
    /// What was done to what: `heal mobile and alpha`.
    #[must_use]
    pub fn deed(&self) -> String {
        let Self { target, what, other, impairment, .. } = self;
        let other = other.as_ref().map(|other| format!(" and {other}")).unwrap_or_default();
        let how = impairment.as_ref().map(|how| format!(" ({how})")).unwrap_or_default();
        format!("{what} {target}{other}{how}")
    }
}

impl fmt::Display for FaultEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(by) = &self.by {
            write!(f, "{by}: ")?;
        }
        f.write_str(&self.deed())?;
        match &self.failed {
            None => Ok(()),
            Some(why) => write!(f, ": NOT DONE, {why}"),
        }
    }
}
