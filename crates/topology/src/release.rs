//! Software releases of call servers, and the latent defects in them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::number::{is_dialled_number, refusal};
use crate::reader::{Raw, Table, kind};

/// The release of a call server whose site names none: it has no defect.
pub const SOUND: &str = "sound";

/// A version of the call servers' software.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    pub name: String,
    /// What sleeps in it until its trigger.
    pub defects: Vec<Defect>,
}

/// A latent defect, armed by being in a release. What triggers it and which public incident it copies is told by
/// `tocsin defects --why`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Defect {
    /// Orange, 2 June 2021: a link that is reconnected without having been locked leaves stale circuits in the stored
    /// configuration; from then on no call gives its context back.
    ContextLeak,
    /// AT&T, 15 January 1990: two messages of a recovered neighbour within `window` restart the receiver.
    RecoveryCrash { window: Duration },
    /// KPN, 24 June 2019: a call for `number`, while at least `busy` calls are in progress, restarts the site; the trunk
    /// group then offers it to the next one.
    PoisonCall { number: String, busy: u32 },
    /// Intrado, 9 April 2014: after `ceiling` calls for `numbers` no more get a trunk member; the health check stays
    /// green.
    CounterCeiling { numbers: Vec<String>, ceiling: u32 },
    /// Optus, 18 September 2025: a site that is locked while links still lead calls to it swallows emergency calls, and
    /// refuses the others as it should; the health check stays green.
    SilentLock,
    /// A replicated record of a call for `number` restarts the site that reads it, and is read again after the start.
    PoisonReplica { number: String },
}

impl Release {
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let defects = table.named("defects", Defect::read);
        Self { name: table.name().to_owned(), defects: defects.into_iter().flatten().collect() }
    }

    /// The release without defects.
    #[must_use]
    pub fn sound() -> Self {
        Self { name: SOUND.to_owned(), defects: Vec::new() }
    }
}

impl Defect {
    /// All names, as a file writes them.
    pub const NAMES: [&'static str; 6] = [
        "context-leak",
        "recovery-crash",
        "poison-call",
        "counter-ceiling",
        "silent-lock",
        "poison-replica",
    ];

    /// Its name in files and commands.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ContextLeak => "context-leak",
            Self::RecoveryCrash { .. } => "recovery-crash",
            Self::PoisonCall { .. } => "poison-call",
            Self::CounterCeiling { .. } => "counter-ceiling",
            Self::SilentLock => "silent-lock",
            Self::PoisonReplica { .. } => "poison-replica",
        }
    }

    fn read(table: &Table<'_>) -> Option<Self> {
        Some(match table.name() {
            "context-leak" => Self::ContextLeak,
            "recovery-crash" => Self::RecoveryCrash {
                window: table.or(
                    "window",
                    kind::duration(Duration::from_millis(1)),
                    Duration::from_millis(10),
                ),
            },
            "poison-call" => Self::PoisonCall {
                number: table.required("number", dialled, String::new()),
                busy: table.or("busy", kind::count(0..=1_000_000), 0),
            },
            "counter-ceiling" => Self::CounterCeiling {
                numbers: table.required_list("numbers", dialled),
                ceiling: table.required("ceiling", kind::count(0..=u32::MAX), 0),
            },
            "silent-lock" => Self::SilentLock,
            "poison-replica" => {
                Self::PoisonReplica { number: table.required("number", dialled, String::new()) }
            }
            other => {
                table.report_here(format!(
                    "there is no defect {other:?}; the defects are {}; `tocsin defects --why` explains them",
                    Self::NAMES.join(", ")
                ));
                return None;
            }
        })
    }
}

fn dialled(raw: Raw<'_>) -> Result<String, String> {
    let number = kind::text(raw)?;
    if is_dialled_number(&number) { Ok(number) } else { Err(refusal(&number)) }
}
