//! What evenly spaced phases leave of a call to the next of them.
//!
//! ```text
//!   phases   │ 0.4 calls │ 0.4 │ 0.4 │ 0.4 │ …     one call each would be one hundred
//!   area     0          0.4   0.8   1.2   1.6
//!   calls    ▲                    ▲                whenever the area has grown by one
//! ```
//!
//! Phases whose calls come by chance need none of this: their mean is right however short they are.

use campaign::Phase;

use super::nearly::NEARLY;
use super::{Pacer, evenly};

/// How many calls the evenly spaced phases so far have come to.
#[derive(Debug, Default)]
pub(super) struct Carry {
    calls: f64,
}

impl Carry {
    /// The pacer of an evenly spaced phase. `None` of another one.
    pub(super) fn begin(&mut self, phase: &Phase) -> Option<Box<dyn Pacer>> {
        let wait = self.calls.ceil() - self.calls;
        let pacer = evenly(phase, wait)?;
        let calls = self.calls + phase.expected_attempts();
        let whole = calls.round();
        self.calls = if (calls - whole).abs() < NEARLY { whole } else { calls };
        // The number itself is of no use, and would cost precision.
        self.calls -= self.calls.floor();
        Some(pacer)
    }
}
