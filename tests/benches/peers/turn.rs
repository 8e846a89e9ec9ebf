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

    /// Microseconds on a core, of what is between and of the callee.
    fn costs(&self) -> anyhow::Result<[f64; 2]> {
        let between = self.between.processes.iter().map(|one| micros(one.id()));
        let callee = self.callee.as_ref().map_or(Ok(0.0), |callee| micros(callee.id()))?;
        Ok([between.sum::<anyhow::Result<f64>>()?, callee])
    }

    /// Lets SIPp place calls for so long.
    pub(crate) fn turn(&self, rate: u32, window: Duration, folder: &Path) -> anyhow::Result<Turn> {
        let length = WARM + window + MARGIN;
        let count = (f64::from(rate) * length.as_secs_f64()) as u32;
        let calls = Calls { rate, count, held_ms: 0 };
        let caller = Caller::start(self.cores.ends, folder, CALLER, self.between.to, calls);
        let [caller_cost, between, callee] = self.watch(caller.id(), rate, window)?;
        let counts = caller.finish()?;
        let has_between = !self.between.processes.is_empty();
        Ok(Turn {
            cost: if has_between { between } else { caller_cost },
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
        let [cost, _, callee] = self.watch(load.id(), rate, window)?;
        load.finish();
        let text = fs::read_to_string(records_of_generator(folder))?;
        let answered = count_answered(&text)?;
        let offered = (f64::from(rate) * length.as_secs_f64()) as u64;
        let failed = offered.saturating_sub(answered);
        let callee = Some(callee);
        Ok(Turn { cost, caller: cost, callee, answered, failed, retransmissions: 0 })
    }

    /// Microseconds per call of the caller, of what is between and of the callee.
    fn watch(&self, caller: u32, rate: u32, window: Duration) -> anyhow::Result<[f64; 3]> {
        sleep(WARM);
        let (start, of_caller, [between, callee]) =
            (Instant::now(), micros(caller)?, self.costs()?);
        sleep(window);
        let calls = start.elapsed().as_secs_f64() * f64::from(rate);
        let [between_after, callee_after] = self.costs()?;
        let of_caller_after = micros(caller).context("the callers ended too soon")?;
        let costs = [of_caller_after - of_caller, between_after - between, callee_after - callee];
        Ok(costs.map(|cost| cost / calls))
    }
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
