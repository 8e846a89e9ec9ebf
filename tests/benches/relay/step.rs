//! One step of the measurement: so many calls talk through a relay for some seconds.

use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use system_tests::machine;
use system_tests::process::Process;

use crate::blast::Plan;
use crate::relay::Relay;

/// Rounds of 20 ms.
const PER_SECOND: u64 = 50;
pub(crate) const MEASURED: u64 = 5 * PER_SECOND;

/// Before the figures are taken: pages, caches and the clock of the core settle.
const WARM_UP: u64 = 2 * PER_SECOND;
const SHORT_WARM_UP: u64 = PER_SECOND;

/// The longest share of a step that counts in which the relay may have had to wait for its core.
const WAITED: f64 = 0.05;

/// Behind by more than 1 % of the measured time, the phones did not offer the load.
const LAG_MS: f64 = 50.0;

/// What one step showed.
#[derive(Debug)]
pub(crate) struct Step {
    pub calls: usize,
    /// CPU of the relay in the measured seconds.
    pub cpu: Duration,
    /// Memory of the relay after them.
    pub resident: u64,
    /// Packets that waited for the relay and were dropped.
    pub relay_drops: u64,
    /// For which share of the time the relay could have run while something else had its core.
    pub waited: f64,
    /// What the phones counted: see `blast.rs`.
    pub heard: Value,
}

impl Step {
    /// Runs a step. The strict kind is shorter, and over at the first lost packet.
    pub(crate) fn run(
        relay: &mut dyn Relay,
        calls: usize,
        sequence: &mut u16,
        strict: bool,
    ) -> anyhow::Result<Self> {
        let (process, host) = (relay.process(), relay.host());
        let ports = relay.grow(calls)?.iter().map(|[a, b]| format!("{a} {b}\n"));
        let ports: String = ports.collect();
        let warm_up = if strict { SHORT_WARM_UP } else { WARM_UP };
        let plan = Plan { warm_up, measured: MEASURED, first: *sequence, strict };
        *sequence = sequence.wrapping_add(u16::try_from(warm_up + MEASURED)?);
        settle(process)?;
        let dropped = machine::drops(host)?;
        let own = std::env::current_exe()?;
        let mut command = machine::pinned(machine::DRIVERS, &own);
        let mut phones = Process::start("phones", command.args(plan.arguments()));
        // The lines of all calls, and an empty one: `write` adds the last line end.
        phones.write(&ports);
        phones.until("measuring");
        let before = (machine::cpu_time(process)?, machine::waiting_time(process)?);
        phones.until("measured");
        let cpu = machine::cpu_time(process)? - before.0;
        let waited = machine::waiting_time(process)?.saturating_sub(before.1);
        let heard = serde_json::from_str(&phones.until("\"sent\"")).context("phones' report")?;
        phones.finish();
        Ok(Self {
            calls,
            cpu,
            resident: machine::resident(process)?,
            relay_drops: machine::drops(host)?.saturating_sub(dropped),
            waited: waited.as_secs_f64() * PER_SECOND as f64 / MEASURED as f64,
            heard,
        })
    }

    /// One counter of the phones.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.heard[name].as_u64().unwrap_or(u64::MAX)
    }

    /// Microseconds of CPU per packet that came through.
    pub(crate) fn cost(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.count("received") as f64
    }

    /// Share of a core that the relay used.
    pub(crate) fn cores(&self) -> f64 {
        self.cpu.as_secs_f64() * PER_SECOND as f64 / MEASURED as f64
    }

    /// Share of their core that the phones used.
    pub(crate) fn cores_of_phones(&self) -> f64 {
        self.heard["cpu_s"].as_f64().unwrap_or(f64::NAN) * PER_SECOND as f64 / MEASURED as f64
    }

    /// Packets that did not come, or not in time to be heard.
    pub(crate) fn missing(&self) -> u64 {
        let missing = ["lost", "too_old", "unsent"].map(|name| self.count(name));
        missing.iter().sum()
    }

    /// Whether every packet came, in time and once, and nothing else.
    pub(crate) fn is_clean(&self) -> bool {
        self.missing() == 0 && self.count("strange") + self.count("repeated") == 0
    }

    /// Whether it is proven that the relay carries these calls.
    pub(crate) fn carries(&self) -> bool {
        self.is_clean() && self.fault_of_phones().is_none()
    }

    /// Why this step says nothing of the relay, good or bad, if it does not: the phones did not keep up.
    pub(crate) fn fault_of_phones(&self) -> Option<String> {
        let lag = self.heard["latest_tick_ms"].as_f64().unwrap_or(f64::INFINITY);
        if lag > LAG_MS {
            return Some(format!("the phones were {lag:.0} ms behind"));
        }
        let drops = self.count("own_drops");
        (drops > 0).then(|| format!("the phones did not read {drops} packets in time"))
    }

    /// Why losses and costs of this step are not the relay's, if they are not.
    pub(crate) fn disturbance(&self) -> Option<String> {
        let waited = self.waited * 100.0;
        let of_core = || format!("the relay waited for its core in {waited:.0} % of the time");
        self.fault_of_phones().or_else(|| (self.waited > WAITED).then(of_core))
    }
}

/// Waits until a relay has done what the last step, or its calls, left to do.
fn settle(process: u32) -> anyhow::Result<()> {
    for _ in 0..20 {
        let before = machine::cpu_time(process)?;
        thread::sleep(Duration::from_millis(100));
        if machine::cpu_time(process)? - before <= Duration::from_millis(10) {
            break;
        }
    }
    Ok(())
}
