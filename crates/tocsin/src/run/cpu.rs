//! How busy a process was at its busiest, from what it says of itself each second.

use std::collections::VecDeque;
use std::time::Duration;

/// Shorter spells say more of the scheduler than of the process.
const SPELL: Duration = Duration::from_secs(5);

/// The CPU time of a process over its life.
#[derive(Debug, Default)]
pub(crate) struct CpuTrack {
    /// Looks of the last spell and one before: since the start of the process, and CPU time until then.
    looks: VecDeque<(Duration, Duration)>,
    busiest: Option<f64>,
}

impl CpuTrack {
    /// The process has used `cpu` by `at` of its life. Looks that go back in time are left out.
    pub(crate) fn look(&mut self, at: Duration, cpu: Duration) {
        if self.looks.back().is_some_and(|(last, before)| at <= *last || cpu < *before) {
            return;
        }
        self.looks.push_back((at, cpu));
        while self.looks.get(1).is_some_and(|(second, _)| *second + SPELL <= at) {
            self.looks.pop_front();
        }
        if let Some((from, before)) = self.looks.front().filter(|(from, _)| *from + SPELL <= at) {
            let share = (cpu - *before).div_duration_f64(at - *from);
            self.busiest = Some(self.busiest.unwrap_or_default().max(share));
        }
    }

    /// CPU time until the last look.
    pub(crate) fn last(&self) -> Duration {
        self.looks.back().map(|(_, cpu)| *cpu).unwrap_or_default()
    }

    /// Share of a core in the busiest five seconds; `None` for a process that lived no longer.
    pub(crate) const fn busiest(&self) -> Option<f64> {
        self.busiest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_five_seconds_count_and_nothing_shorter() {
        let ms = Duration::from_millis;
        let mut track = CpuTrack::default();
        // One busy second at the start, then four idle ones.
        for second in 0..=4 {
            track.look(ms(second * 1_000), ms(1_000.min(second * 1_000)));
        }
        assert_eq!(track.busiest(), None);
        track.look(ms(5_000), ms(1_000));
        assert_eq!(track.busiest(), Some(0.2));
        // Five seconds at full load.
        for second in 6..=10 {
            track.look(ms(second * 1_000), ms(1_000 + (second - 5) * 1_000));
        }
        assert_eq!(track.busiest(), Some(1.0));
        // A look out of turn, and idle time: nothing changes.
        track.look(ms(9_000), ms(9_000));
        track.look(ms(20_000), ms(6_000));
        assert_eq!(track.busiest(), Some(1.0));
    }
}
