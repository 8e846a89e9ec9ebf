//! The catalogue of metrics: what each is called, which standard defines it, its unit, what it is made of, and whether it
//! is known while the calls run. Thresholds, the summary, the page, comparisons, the screen, schemas and documents take it
//! from here.
//!
//! ```text
//!  records, counters ──► AttemptCounts ──► Metric::ratio        ratio.rs: one formula for each ratio
//!                                          Metric::definition   definition.rs: one row for each metric
//! ```

mod definition;
mod name;
mod ratio;
#[cfg(test)]
mod tests;

pub use definition::{Better, Definition, Unit};
pub use name::{Metric, MosQuantile, NAMES, Quantile};
pub use ratio::{AttemptCounts, share};
