//! Which messages of a run are kept: `[trace]`.

use serde::{Deserialize, Serialize};
use topology::reader::{Raw, Table, kind};
use trace::{Keep, USUAL_MEMORY};

/// Which calls are kept with their messages, and how much memory each box has to remember messages until that is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TraceSettings {
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub keep: Keep,
    /// MiB for each box.
    pub memory: u32,
    /// Whether the RTP and RTCP of kept calls is kept too.
    #[serde(default)]
    pub media: bool,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self { keep: Keep::default(), memory: USUAL_MEMORY, media: false }
    }
}

impl TraceSettings {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let usual = Self::default();
        Self {
            keep: table.or("keep", keep, usual.keep),
            memory: table.or("memory", kind::count(1..=4_096), usual.memory),
            media: table.or("media", kind::flag, usual.media),
        }
    }
}

/// A word or a share: a number may stand without quotes.
fn keep(raw: Raw<'_>) -> Result<Keep, String> {
    let text = kind::text(raw).or_else(|_| kind::share(raw).map(|share| share.to_string()));
    text.unwrap_or_default().parse().map_err(|error: trace::KeepError| error.to_string())
}
