//! `report.html`: one page that tells what a run was worth, why, and what happened in it.
//!
//! It is one file: style, script and pictures are inside, and its policy forbids every request, so that it can be mailed,
//! archived and opened without a network. Nothing needs the script to be read; it only adds values under the pointer and
//! sorts tables. Whatever comes from a run is text: names, reasons and ids may hold anything.
//!
//! ```text
//!   Outage    harm.rs: of an outage first who was not reached, published figures beside its own, what variants would have saved
//!   Summary   verdict.rs: the verdict and why; thresholds.rs; key_figures.rs: five large ones
//!   Series    charts.rs: lines over time, with overlay.rs: phases and events; sites.rs: a strip for each site
//!             figure.rs: a chart with its title and legend, for wide and for narrow windows; variants.rs: variants
//!   Summary   key_figures.rs: all of them; tables.rs: sites, trunk groups, numbers, PSAPs; calls.rs: ledger, failures, worst calls
//!             quality.rs: media; validity.rs: the generator's own part, processes
//!   Event     events.rs: everything that happened; folded: what was run, the receipt
//! ```

mod calls;
#[cfg(test)]
mod chart_tests;
mod charts;
mod content;
mod content_security_policy;
#[cfg(test)]
mod contrast_tests;
mod events;
mod figure;
mod figures;
mod harm;
mod html;
mod key_figures;
mod overlay;
mod pictures;
mod plot;
mod quality;
mod run_charts;
mod sites;
mod tables;
#[cfg(test)]
mod tests;
mod thresholds;
mod validity;
mod variants;
mod verdict;

pub use html::page;
pub use pictures::pictures;
