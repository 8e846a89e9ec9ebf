//! The ladder of calls that were written by hand, so that each line can be checked.
#![allow(clippy::unwrap_used, reason = "tests")]

mod calls;
mod capturing;
mod drawing;
mod hep;
mod joining;
mod watching;
