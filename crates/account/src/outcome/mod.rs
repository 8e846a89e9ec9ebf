//! A campaign and its variants: what each came to, what happened in it, and all of them side by side.

mod bounds;
mod downtime;
mod figure_value;
mod figures;
mod goodput;
mod operations;
mod table;
mod timeline;
mod variant;

pub use bounds::{count_variants, judge_figures};
pub use downtime::{Downtime, by_faults, site_of_loss};
pub use figures::{AttemptsByStep, PlacedStep, STEP};
pub use goodput::{Goodput, Point};
pub use operations::OperationsReport;
pub use table::{comparison, table};
pub use timeline::{EventKind, TimelineEvent, events, timeline_json, timeline_text};
pub use variant::{BASE, RUN, VariantOutcome};
