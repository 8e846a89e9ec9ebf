//! Faults on the timeline: what happens to the machines of a network without anybody's command.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use topology::reader::{Table, kind, nearest};

/// A table of `[[faults]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Of the campaign.
    pub at: Duration,
    pub what: FaultKind,
    /// A site, with all of its call servers, or a PSAP.
    pub target: String,
}

/// What happens to a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It loses power, and does not come back. Its calls die with it.
    Kill,
    /// It does nothing for so long: nothing is answered and no timer goes off. What was sent to it waits.
    Freeze { lasts: Duration },
}

/// What is done to a machine when a fault begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultAction {
    /// It loses power.
    Kill,
    /// It does nothing until it is thawed.
    Freeze,
    /// It goes on.
    Thaw,
}

impl fmt::Display for FaultAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill",
            Self::Freeze => "freeze",
            Self::Thaw => "thaw",
        })
    }
}

/// Something that was done to a machine, and how that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultEntry {
    #[serde(rename = "at_s", with = "crate::log::seconds")]
    pub at: Duration,
    pub target: String,
    pub what: FaultAction,
    /// Why it was not done, if so.
    pub failed: Option<String>,
}

impl Fault {
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let shortest = Duration::from_millis(100);
        let (kill, freeze) = (table.has("kill"), table.has("freeze"));
        let target = |key| table.optional(key, kind::name).unwrap_or_default();
        let (what, target) = match (kill, freeze) {
            (true, false) => (FaultKind::Kill, target("kill")),
            (false, true) => {
                let lasts = table.required("for", kind::duration(shortest), shortest);
                (FaultKind::Freeze { lasts }, target("freeze"))
            }
            _ => {
                table.report_here(
                    "needs kill or freeze, and one of them only: the name of a site or PSAP",
                );
                (FaultKind::Kill, target("kill"))
            }
        };
        if kill && table.has("for") {
            table.report("for", "belongs to freeze: a machine that is killed does not come back");
        }
        Self {
            at: table.required("at", kind::duration(Duration::ZERO), Duration::ZERO),
            what,
            target,
        }
    }

    /// The key that names the target.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self.what {
            FaultKind::Kill => "kill",
            FaultKind::Freeze { .. } => "freeze",
        }
    }

    /// The sentence about a target that the network does not have.
    #[must_use]
    pub fn check(&self, sites: &[String], psaps: &[String]) -> Option<String> {
        let mut known = sites.iter().chain(psaps).map(String::as_str);
        if self.target.is_empty() || known.clone().any(|name| name == self.target) {
            return None;
        }
        let hint = match nearest(&self.target, known.clone()) {
            Some(meant) => format!("did you mean {meant:?}?"),
            None => {
                let known: Vec<&str> = known.by_ref().collect();
                format!("there are {}", known.join(", "))
            }
        };
        Some(format!("no site or PSAP is called {:?}; {hint}", self.target))
    }
}

impl fmt::Display for FaultEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, what, failed, .. } = self;
        match failed {
            None => write!(f, "{what} {target}"),
            Some(why) => write!(f, "{what} {target}: NOT DONE, {why}"),
        }
    }
}
