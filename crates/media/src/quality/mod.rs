//! How good a call sounds: losses counted as they fall, and the opinion score that follows from them.

mod bursts;
mod e_model;

pub use bursts::Bursts;
pub use e_model::{Connection, Impairment, Parameters, mos, r_factor};
