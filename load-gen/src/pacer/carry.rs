//! What evenly spaced phases leave of a call to the next of them.
//!
//! ```text
//!   phases   │ 0.4 calls │ 0.4 │ 0.4 │ 0.4 │ …     one call each would be one hundred
//!   area     0          0.4   0.8   1.2   1.6
//!   calls    ▲                    ▲                whenever the area has grown by one
//! ```
//!
//! Phases whose calls come by chance need none of this: their mean is right however short they are.

use std::time::Duration;

use campaign::{Arrivals, Phase};

use super::{Constant, Pacer, Ramp, Steps, anywhere};

/// Sums of decimal fractions are off by less than this part of a call.
pub(super) const NEARLY: f64 = 1e-6;

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

/// The pacer of a phase with evenly spaced calls, the first of which has to wait for this part of a call. `None` where calls
/// come by chance or by the book.
pub(super) fn evenly(phase: &Phase, wait: f64) -> Option<Box<dyn Pacer>> {
    let duration: Duration = phase.duration;
    Some(match phase.arrivals {
        Arrivals::Constant { rate } => anywhere(Constant::new(rate, duration).after(wait)),
        Arrivals::Ramp { from, to } => anywhere(Ramp::new(from, to, duration).after(wait)),
        Arrivals::Steps { from, to, steps } => {
            anywhere(Steps::new(from, to, steps, duration).after(wait))
        }
        _ => return None,
    })
}
