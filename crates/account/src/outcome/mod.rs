//! A campaign and its variants: what each came to, what happened in it, and all of them side by side.

mod downtime;
mod figures;
mod goodput;
mod operations;
mod table;
mod timeline;
mod variant;

pub use downtime::{Downtime, by_faults, site_of_loss};
pub use figures::{AttemptsByStep, PlacedStep, STEP};
pub use goodput::{Goodput, Point};
pub use operations::OperationsReport;
pub use table::{comparison, table};
pub use timeline::{EventKind, TimelineEvent, events, timeline_json, timeline_text};
pub use variant::{BASE, RUN, VariantOutcome};
