//! Watches how busy the machine is during a run, and how much of that is the run itself.

use std::collections::VecDeque;
use std::fs;
use std::time::{Duration, Instant};

use account::summary::MachineFigures;

/// Shorter spells say more of the scheduler than of the machine.
const SPELL: Duration = Duration::from_secs(2);

/// Ticks of `/proc/stat` in a second: `USER_HZ`, which Linux has fixed for programs.
const TICKS: f64 = 100.0;

/// The machine over a run.
#[derive(Debug)]
pub(super) struct MachineWatch {
    begun: Instant,
    /// Looks of the last spell and one before.
    looks: VecDeque<Look>,
    busiest: Option<MachineFigures>,
}

/// Times since some start.
#[derive(Debug, Clone, Copy, Default)]
struct Look {
    at: Duration,
    /// Of all cores together.
    busy: Duration,
    /// What the processes of this run have used.
    ours: Duration,
    cores: u64,
}

impl MachineWatch {
    pub(super) fn start() -> Self {
        Self { begun: Instant::now(), looks: VecDeque::new(), busiest: None }
    }

    /// Looks at the machine, when the processes of this run have used `ours` of it.
    pub(super) fn look(&mut self, ours: Duration) {
        let Some((busy, cores)) = fs::read_to_string("/proc/stat").ok().and_then(|it| busy(&it))
        else {
            return;
        };
        self.take(Look { at: self.begun.elapsed(), busy, ours, cores });
    }

    fn take(&mut self, look: Look) {
        // Processes tell late and by turns: a look that goes back in time is none.
        if self.looks.back().is_some_and(|last| look.busy < last.busy || look.ours < last.ours) {
            return;
        }
        self.looks.push_back(look);
        while self.looks.get(1).is_some_and(|second| second.at + SPELL <= look.at) {
            self.looks.pop_front();
        }
        let Some(first) = self.looks.front().filter(|first| first.at + SPELL <= look.at) else {
            return;
        };
        let whole = (look.at - first.at).as_secs_f64() * look.cores as f64;
        let share = |used: Duration| (used.as_secs_f64() / whole).clamp(0.0, 1.0);
        let busy_share = share(look.busy - first.busy);
        if self.busiest.is_none_or(|busiest| busy_share >= busiest.busy_share) {
            let others_share = (busy_share - share(look.ours - first.ours)).max(0.0);
            self.busiest = Some(MachineFigures { cores: look.cores, busy_share, others_share });
        }
    }

    /// The machine at its busiest; `None` where the system does not tell, or before two seconds.
    pub(super) const fn busiest(&self) -> Option<MachineFigures> {
        self.busiest
    }
}

/// How long all cores together have been busy, and how many they are. Time that the host of a virtual machine took away
/// counts as busy: nobody here had it.
fn busy(stat: &str) -> Option<(Duration, u64)> {
    let cores = stat.lines().filter(|line| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    let cores = cores.count() as u64;
    // user nice system idle iowait irq softirq steal: proc(5).
    let ticks = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks: Vec<u64> = ticks.take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
    let idle: u64 = ticks.get(3..5)?.iter().sum();
    let busy = ticks.iter().sum::<u64>() - idle;
    (cores > 0).then(|| (Duration::from_secs_f64(busy as f64 / TICKS), cores))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_took_at_the_busiest_is_told_apart() {
        let s = Duration::from_secs;
        let look = |at, busy, ours| Look { at: s(at), busy: s(busy), ours: s(ours), cores: 2 };
        let mut watch = MachineWatch::start();
        watch.take(look(0, 100, 10));
        assert_eq!(watch.busiest(), None);
        for (at, busy, ours) in [(2, 101, 11), (4, 105, 12), (5, 104, 12), (9, 106, 14)] {
            watch.take(look(at, busy, ours));
        }
        let busiest = watch.busiest().expect("two seconds are over");
        assert_eq!((busiest.cores, busiest.busy_share, busiest.others_share), (2, 1.0, 0.75));
    }

    #[test]
    fn the_lines_of_the_system_are_understood() {
        let stat = "cpu  100 20 30 4000 50 1 2 3 7 0\ncpu0 1 2\ncpu1 1 2\nintr 5\n";
        assert_eq!(busy(stat), Some((Duration::from_millis(1_560), 2)));
        assert_eq!(busy("nothing"), None);
        if let Ok(stat) = fs::read_to_string("/proc/stat") {
            assert!(busy(&stat).is_some_and(|(busy, cores)| !busy.is_zero() && cores > 0));
        }
    }
}
