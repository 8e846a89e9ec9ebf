//! A campaign and its variants: what each came to, what happened in it, and all of them side by side.

mod bounds;
mod compared;
mod csv_files;
mod downtime;
mod evidence;
mod goodput;
mod harm;
mod measured;
mod operations;
mod ranking;
mod sensitivity;
mod table;
#[cfg(test)]
mod tests;
mod timeline;
mod variant;

pub use bounds::{count_variants, judge_figures};
pub use compared::{relate, tell_comparison};
pub use csv_files::{seeds_csv, sensitivity_csv};
pub use downtime::{Downtime, by_faults, site_of_loss};
pub use evidence::{Evidence, PlacedStep, STEP};
pub use goodput::{Goodput, Point};
pub use harm::{harm_sentences, harm_text, published_table, savings_table};
pub use measured::{FigureUnit, measure};
pub use operations::OperationsReport;
pub use sensitivity::{TrialRuns, key_effect, rank_effects, sensitivity_table};
pub use table::{comparison, table};
pub use timeline::{EventKind, TimelineEvent, events, timeline_json, timeline_text};
pub use variant::{BASE, RUN, VariantOutcome};
