//! What calls cost that are held: memory of each box, and CPU of the calls that come meanwhile.

use std::fs;
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

/// Calls that are held, where the machine lets a process have four descriptors for each.
const HELD: u32 = 10_000;
/// How many of them begin each second, and of the calls that come meanwhile.
const RATE: u32 = 2_000;
/// Longer than a turn takes.
const HOLD: Duration = Duration::from_secs(60);
/// For all of them to be answered.
const PATIENCE: Duration = Duration::from_secs(20);

/// The call server: bytes per held call, and its cost per call with and without the others, in turn.
pub(crate) fn call_server(turns: usize, window: Duration, folder: &Path) -> anyhow::Result<Value> {
    let held = calls_to_hold()?;
    let (mut free, mut busy, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..turns {
        free.push(turn(Way::CallServer, Cores::ONE, RATE, window, folder)?.cost);
        let ready = Ready::new(Way::CallServer, Cores::ONE, folder)?;
        let before = resident(&ready.between.processes)?[0];
        let calls = Calls { rate: RATE, count: held, held_ms: HOLD.as_millis() as u32 };
        let to = ready.between.to;
        let holder = Caller::start(machine::MEASURED, folder, HOLDER, to, calls);
        wait_until_held(held, || holder.holds())?;
        bytes.push((resident(&ready.between.processes)?[0] - before) / f64::from(held));
        let during = ready.turn(RATE, window, folder)?;
        ensure!(holder.holds() == Some(u64::from(held)), "calls ended that were to be held");
        busy.push(during.cost);
    }
    Ok(json!({
        "held": held, "bytes_per_held_call": median(&bytes).map(f64::round),
        "cost_us": median(&free), "cost_us_while_held": median(&busy),
        "held_cost_ratio": ratio(&busy, &free),
    }))
}

/// Bytes per held call of each of our boxes, with all of them on the way of the calls.
pub(crate) fn all_boxes(folder: &Path) -> anyhow::Result<Value> {
    let held = calls_to_hold()?;
    let psap = Way::Psap.start(machine::MEASURED, folder)?;
    let path = Way::Path.start(machine::MEASURED, folder)?;
    let length = Duration::from_secs(u64::from(held / RATE));
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
    let each = before.iter().zip(&after).map(|(before, after)| (after - before) / f64::from(held));
    let each: Vec<f64> = each.map(f64::round).collect();
    Ok(json!({
        "held": held, "call_server": each[0], "trunk_group": each[1], "psap": each[2],
        "generator": each[3],
    }))
}

/// [`HELD`], or as many as a process may have descriptors for.
fn calls_to_hold() -> anyhow::Result<u32> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let hard = line.and_then(|line| line.split_whitespace().nth(4)?.parse::<u32>().ok());
    // Some are in use already, and the calls that come meanwhile want theirs.
    let most = hard.map_or(HELD, |hard| hard.saturating_sub(2_000) / 4);
    let held = HELD.min(most) / RATE * RATE;
    ensure!(held > 0, "no call can be held with {most} times four descriptors: see ulimit -n");
    if held < HELD {
        println!(
            "{held} calls are held instead of {HELD}: each takes four descriptors, see ulimit -n"
        );
    }
    Ok(held)
}

fn wait_until_held(wanted: u32, holds: impl Fn() -> Option<u64>) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let held = holds().unwrap_or_default();
        if held >= u64::from(wanted) {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{held} of {wanted} calls are held after {PATIENCE:?}");
        sleep(Duration::from_millis(100));
    }
}

fn resident(processes: &[Process]) -> anyhow::Result<Vec<f64>> {
    let each = processes.iter().map(|one| Ok(machine::resident(one.id())? as f64));
    each.collect()
}
