//! What calls cost that are held: memory of each box, and CPU of the calls that come meanwhile.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::{Value, json};
use system_tests::machine;
use system_tests::process::Process;
use system_tests::spread::{median, ratio};

use crate::between::{Way, generator};
use crate::place::HOLDER;
use crate::sipp::{Caller, Calls};
use crate::turn::{Cores, Ready, turn};

/// Calls that are held.
const HELD: u32 = 10_000;
/// How many of them begin each second, and of the calls that come meanwhile.
const RATE: u32 = 2_000;
/// Longer than a turn takes.
const HOLD: Duration = Duration::from_secs(60);
/// For all of them to be answered.
const PATIENCE: Duration = Duration::from_secs(20);

/// The call server: bytes per held call, and its cost per call with and without the others, in turn.
pub(crate) fn call_server(turns: usize, window: Duration, folder: &Path) -> anyhow::Result<Value> {
    let (mut free, mut busy, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..turns {
        free.push(turn(Way::CallServer, Cores::ONE, RATE, window, folder)?.cost);
        let ready = Ready::new(Way::CallServer, Cores::ONE, folder)?;
        let before = resident(&ready.between.processes)?[0];
        let calls = Calls { rate: RATE, count: HELD, held_ms: HOLD.as_millis() as u32 };
        let to = ready.between.to;
        let holder = Caller::start(machine::MEASURED, folder, HOLDER, to, calls);
        wait_until_held(|| holder.holds())?;
        bytes.push((resident(&ready.between.processes)?[0] - before) / f64::from(HELD));
        let during = ready.turn(RATE, window, folder)?;
        ensure!(holder.holds() == Some(u64::from(HELD)), "calls ended that were to be held");
        busy.push(during.cost);
    }
    Ok(json!({
        "held": HELD, "bytes_per_held_call": median(&bytes).map(f64::round),
        "cost_us": median(&free), "cost_us_while_held": median(&busy),
        "held_cost_ratio": ratio(&busy, &free),
    }))
}

/// Bytes per held call of each of our boxes, with all of them on the way of the calls.
pub(crate) fn all_boxes(folder: &Path) -> anyhow::Result<Value> {
    let psap = Way::Psap.start(machine::MEASURED, folder)?;
    let path = Way::Path.start(machine::MEASURED, folder)?;
    let length = Duration::from_secs(u64::from(HELD / RATE));
    let load = generator(machine::MEASURED, folder, path.to, RATE, length, HOLD)?;
    // Before it begins to call.
    sleep(Duration::from_millis(150));
    let boxes = || -> anyhow::Result<Vec<f64>> {
        let mut boxes = resident(&path.processes)?;
        boxes.extend(resident(&psap.processes)?);
        boxes.push(machine::resident(load.id())? as f64);
        Ok(boxes)
    };
    let before = boxes()?;
    sleep(length + Duration::from_secs(2));
    let after = boxes()?;
    let each = before.iter().zip(&after).map(|(before, after)| (after - before) / f64::from(HELD));
    let each: Vec<f64> = each.map(f64::round).collect();
    Ok(json!({
        "held": HELD, "call_server": each[0], "trunk_group": each[1], "psap": each[2],
        "generator": each[3],
    }))
}

fn wait_until_held(holds: impl Fn() -> Option<u64>) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let held = holds().unwrap_or_default();
        if held >= u64::from(HELD) {
            return Ok(());
        }
        ensure!(
            Instant::now() < end,
            "{held} of {HELD} calls are held after {PATIENCE:?}; each takes four descriptors, see ulimit -n"
        );
        sleep(Duration::from_millis(100));
    }
}

fn resident(processes: &[Process]) -> anyhow::Result<Vec<f64>> {
    let each = processes.iter().map(|one| Ok(machine::resident(one.id())? as f64));
    each.collect()
}
