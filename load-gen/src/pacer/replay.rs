//! Calls as they were recorded.

use std::time::Duration;

use super::arrival::{Arrival, Hint};
use campaign::Replay;

/// One call for each row of a recording.
#[derive(Debug)]
pub struct Replayed {
    replay: Replay,
    /// Which phase replays it.
    phase: u32,
    duration: Duration,
    row: u32,
}

impl Replayed {
    #[must_use]
    pub const fn new(replay: Replay, phase: u32, duration: Duration) -> Self {
        Self { replay, phase, duration, row: 0 }
    }
}

impl Iterator for Replayed {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let at = self.replay.rows.at(self.row as usize)?.div_f64(self.replay.speed);
        if at >= self.duration {
            return None;
        }
        let hint = Some(Hint::Row { phase: self.phase, row: self.row });
        self.row += 1;
        Some(Arrival { at, hint })
    }
}
