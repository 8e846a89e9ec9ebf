//! A campaign and its variants: what each came to, what happened in it, and all of them side by side.

mod chronicle;
mod figures;
mod goodput;
mod operations;
mod table;
mod variant;

pub use chronicle::{Event, Happening, chronicle, events, story};
pub use figures::{Evidence, PlacedStep, STEP};
pub use goodput::{Goodput, Point};
pub use operations::OperationsReport;
pub use table::{comparison, table};
pub use variant::{BASE, RUN, VariantOutcome};
