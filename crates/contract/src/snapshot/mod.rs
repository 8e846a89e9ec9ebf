//! What boxes show of themselves: one file for each kind of box.

mod generator;

pub use generator::{FateCount, GeneratorSnapshot, Signalling};
