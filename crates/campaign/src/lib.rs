//! The campaign: what load to put on which network, and what counts as a pass.
//!
//! ```text
//!   campaign.toml ─► Campaign ── network ──► six-sites.toml ─► Topology
//!     phases      how many calls per second, for how long
//!     feed        callers from a CSV file
//!     mix         which numbers, from which communes, over which trunk group
//!     callers     how long they talk and wait, and whether they call again
//!     trace       which calls are kept with their messages
//!     validity    how far the generator may fall behind
//!     ledger      whose calls and records are not the campaign's own
//!     thresholds  what the run must measure to pass
//!     operations, supervision, crisis
//!                 what operators do to the network and see of it
//! ```
//!
//! Read with the same decoder as a network, so every mistake of both files is reported at once.

mod arrivals;
mod assumed;
mod callers;
mod campaign;
mod comparison;
mod consistency;
mod feed;
mod figure;
mod figure_check;
mod load;
mod load_change;
mod measure;
mod mix;
mod network_check;
mod place;
mod redial;
mod rows;
mod scaled;
#[cfg(test)]
mod tests;
mod threshold;
mod trace;
mod usual;
#[cfg(test)]
mod usual_tests;
pub mod utc;
mod validity;

pub use self::arrivals::{Arrivals, Clusters, Diurnal, Level, Mmpp, Phase, Replay, Surge};
pub use self::assumed::Assumed;
pub use self::callers::{CallerAudio, Callers};
pub use self::campaign::Campaign;
pub use self::comparison::{PlotKind, Time, Variant};
pub use self::feed::{Feed, FeedOrder};
pub use self::figure::{ComparedFigure, Selection, Window};
pub use self::load::ENVIRONMENT_PREFIX;
pub use self::load_change::LoadChange;
pub use self::measure::Measure;
pub use self::mix::MixEntry;
pub use self::place::{Commune, ParseCommuneError, Places};
pub use self::redial::Redial;
pub use self::rows::{CallRow, CallRows};
pub use self::scaled::scaled;
pub use self::threshold::{Scope, ScopeKind, Threshold};
pub use self::trace::TraceSettings;
pub use self::validity::Validity;
