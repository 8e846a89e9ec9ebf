//! One turn: so many calls a second take one way for some seconds, and the processes on it are watched in the middle.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;
use system_tests::machine;
use system_tests::process::Process;

use crate::between::{Between, Way, generator, records_of_generator};
use crate::place::CALLER;
use crate::sipp::{Caller, Calls, callee};

/// Before the processes are watched: pages and caches settle.
const WARM: Duration = Duration::from_millis(700);

/// Before the callers begin to stop.
const MARGIN: Duration = Duration::from_millis(500);

/// What one turn showed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Turn {
    /// Microseconds per call of what the way is about: all its processes, or one end.
    pub(crate) cost: f64,
    /// Those of the two ends; the second is `None` where it is what the way is about.
    pub(crate) caller: f64,
    pub(crate) callee: Option<f64>,
    /// How often what the way is about was woken, per call.
    pub(crate) wakes: f64,
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) retransmissions: u64,
}

/// On which core each side is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    pub(crate) measured: usize,
    pub(crate) ends: usize,
}

impl Cores {
    pub(crate) const ONE: Self = Self { measured: machine::MEASURED, ends: machine::MEASURED };
    pub(crate) const TWO: Self = Self { measured: machine::MEASURED, ends: machine::DRIVERS };
}

/// A way on which everybody is there but the caller.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) between: Between,
    callee: Option<Process>,
    cores: Cores,
}

impl Ready {
    pub(crate) fn new(way: Way, cores: Cores, folder: &Path) -> anyhow::Result<Self> {
        // The PSAP of ours is the callee.
        let callee = (way != Way::Psap).then(|| callee(cores.ends, folder));
        Ok(Self { between: way.start(cores.measured, folder)?, callee, cores })
    }

    /// What the kernel counts of the caller, of what is between and of the callee: microseconds on a core, and wakes.
    fn counts(&self, caller: u32) -> anyhow::Result<Counts> {
        let between: Vec<u32> = self.between.processes.iter().map(Process::id).collect();
        let callee = self.callee.as_ref().map(Process::id);
        let sum = |of: fn(u32) -> anyhow::Result<f64>| -> anyhow::Result<[f64; 3]> {
            let between = between.iter().map(|one| of(*one)).sum::<anyhow::Result<f64>>()?;
            Ok([of(caller)?, between, callee.map_or(Ok(0.0), of)?])
        };
        let sleeps = |process| Ok(machine::sleeps(process)? as f64);
        Ok(Counts { cost: sum(micros)?, wakes: sum(sleeps)? })
    }

    /// Lets SIPp place calls for so long.
    pub(crate) fn turn(&self, rate: u32, window: Duration, folder: &Path) -> anyhow::Result<Turn> {
        let length = WARM + window + MARGIN;
        let count = (f64::from(rate) * length.as_secs_f64()) as u32;
        let calls = Calls { rate, count, held_ms: 0 };
        let caller = Caller::start(self.cores.ends, folder, CALLER, self.between.to, calls);
        let watched = self.watch(caller.id(), rate, window)?;
        let counts = caller.finish()?;
        let [caller_cost, _, callee] = watched.cost;
        let about = usize::from(!self.between.processes.is_empty());
        Ok(Turn {
            cost: watched.cost[about],
            wakes: watched.wakes[about],
            caller: caller_cost,
            callee: self.callee.as_ref().map(|_| callee),
            answered: counts.successful,
            // Calls that SIPp did not get round to are none that were carried.
            failed: u64::from(count).saturating_sub(counts.successful),
            retransmissions: counts.retransmissions,
        })
    }

    /// Lets our generator place them.
    pub(crate) fn generator_turn(
        &self,
        rate: u32,
        window: Duration,
        folder: &Path,
    ) -> anyhow::Result<Turn> {
        let length = WARM + window + MARGIN;
        let (core, to) = (self.cores.measured, self.between.to);
        let mut load = generator(core, folder, to, rate, length, Duration::from_millis(1))?;
        let Counts { cost: [cost, _, callee], wakes: [wakes, ..] } =
            self.watch(load.id(), rate, window)?;
        load.finish();
        let text = fs::read_to_string(records_of_generator(folder))?;
        let answered = count_answered(&text)?;
        let offered = (f64::from(rate) * length.as_secs_f64()) as u64;
        let failed = offered.saturating_sub(answered);
        let callee = Some(callee);
        Ok(Turn { cost, wakes, caller: cost, callee, answered, failed, retransmissions: 0 })
    }

    /// What a call costs each of them.
    fn watch(&self, caller: u32, rate: u32, window: Duration) -> anyhow::Result<Counts> {
        sleep(WARM);
        let (start, before) = (Instant::now(), self.counts(caller)?);
        sleep(window);
        let calls = start.elapsed().as_secs_f64() * f64::from(rate);
        let after = self.counts(caller).context("the callers ended too soon")?;
        let per_call = |before: [f64; 3], after: [f64; 3]| {
            std::array::from_fn(|one| (after[one] - before[one]) / calls)
        };
        Ok(Counts {
            cost: per_call(before.cost, after.cost),
            wakes: per_call(before.wakes, after.wakes),
        })
    }
}

/// What the kernel counts of the caller, of what is between and of the callee.
#[derive(Debug, Clone, Copy)]
struct Counts {
    cost: [f64; 3],
    wakes: [f64; 3],
}

/// One turn on a way that nobody has used before.
pub(crate) fn turn(
    way: Way,
    cores: Cores,
    rate: u32,
    window: Duration,
    folder: &Path,
) -> anyhow::Result<Turn> {
    let ready = Ready::new(way, cores, folder)?;
    match way {
        Way::Generator => ready.generator_turn(rate, window, folder),
        _ => ready.turn(rate, window, folder),
    }
}

fn micros(process: u32) -> anyhow::Result<f64> {
    Ok(machine::core_time(process)?.as_secs_f64() * 1e6)
}

/// Records of our generator that say `answered`.
fn count_answered(records: &str) -> anyhow::Result<u64> {
    let mut answered = 0;
    for line in records.lines() {
        let record: Value = serde_json::from_str(line)?;
        answered += u64::from(record["outcome"] == "answered");
    }
    Ok(answered)
}
