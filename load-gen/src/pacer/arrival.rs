//! One call that a pacer yields.

use std::time::Duration;

use campaign::Commune;

/// A call of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Intended start, from the start of the phase.
    pub at: Duration,
    /// What is known of the caller. `None`: the mix decides everything.
    pub hint: Option<Hint>,
}

/// What the arrival of a call tells of its caller; the [`Mix`](crate::Mix) decides the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Where the caller is: an incident, and a region, is a place.
    Commune(Commune),
    /// The caller is row `row` of the recording that phase number `phase` replays, both counted from 0.
    Row { phase: u32, row: u32 },
    /// Where the caller is whom a surge by hand adds. They are in no recording and no feed.
    Surge(Commune),
}

impl Arrival {
    /// A call of which nothing is known.
    #[must_use]
    pub const fn anywhere(at: Duration) -> Self {
        Self { at, hint: None }
    }
}
