//! Our boxes beside others that do the same work: `make bench-peers` prints a table of ratios and writes
//! `target/bench-peers.json`.
//!
//! ```text
//!   core 0, and nothing else on it
//!   SIPp ──► floor, Kamailio, call server, trunk group, or trunk group and call server ──► SIPp
//!   SIPp, our generator ──► SIPp          SIPp ──► SIPp, our PSAP
//! ```
//!
//! Each is a process of its own, and its CPU is what the kernel counts for all its threads while calls come at a steady
//! rate. All take turns in each round, so that a machine whose speed changes changes it for all: what counts is the
//! median of the ratios of rounds. Floor is a relay without state (`floor.rs`). No process outlives this one.

mod between;
mod capacity;
mod delay;
mod figures;
mod floor;
mod held;
mod place;
mod sipp;
mod turn;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value, json};
use system_tests::built::target_folder;
use system_tests::machine;
use system_tests::spread::ratio;

use between::Way;
use figures::{Figures, hundredths};
use turn::{Cores, turn};

/// Calls per second at which all are compared.
const RATES: [u32; 3] = [1_000, 2_000, 4_000];

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Extent {
    rounds: usize,
    window: Duration,
    /// How often the call server's cost is taken with held calls, and a relayed packet's beside rtpengine.
    turns: usize,
    /// Whether highest rates are looked for.
    capacities: bool,
    /// No round begins after so long, and no search for a highest rate after the second.
    comparison: Duration,
    searches: Duration,
}

impl Extent {
    const FULL: Self = Self {
        rounds: 5,
        window: Duration::from_secs(2),
        turns: 5,
        capacities: true,
        comparison: Duration::from_secs(540),
        searches: Duration::from_secs(720),
    };
    const QUICK: Self = Self {
        rounds: 1,
        window: Duration::from_secs(1),
        turns: 1,
        capacities: false,
        comparison: Duration::from_secs(120),
        searches: Duration::from_secs(120),
    };
}

fn main() -> anyhow::Result<()> {
    // cargo adds `--bench`.
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => compare(Extent::FULL),
        ["--quick"] => compare(Extent::QUICK),
        ["only", ref names @ ..] => only(names),
        ["floor"] => floor::run(),
        ["delay", to] => delay::run(to),
        _ => anyhow::bail!("either --quick, or only and names of ways"),
    }
}

fn compare(extent: Extent) -> anyhow::Result<()> {
    machine::check_cores()?;
    let start = Instant::now();
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let mut figures = Figures::default();
    for round in 1..=extent.rounds {
        if start.elapsed() > extent.comparison {
            println!("there was time for {} rounds", round - 1);
            break;
        }
        take_turns(extent, &Way::ALL, round, folder, &mut figures)?;
    }
    let others = &mut figures.others;
    let held = or_why("held calls", held::call_server(extent.turns.min(3), extent.window, folder));
    for name in ["bytes_per_held_call", "held_cost_ratio"] {
        others.insert(name.to_owned(), held[name].clone());
    }
    others.insert("held_by_call_server".to_owned(), held);
    let of_all = or_why("held calls of all boxes", held::all_boxes(folder));
    others.insert("bytes_per_held_call_of".to_owned(), of_all);
    others.insert("delay_us".to_owned(), or_why("delays", delays(folder)));
    let relayed = or_why("rtpengine", beside_rtpengine(extent.turns).map(|ratio| json!(ratio)));
    others.insert("relay_vs_rtpengine".to_owned(), relayed);
    if extent.capacities {
        let rates = or_why("highest rates", capacities(start, extent, folder));
        others.insert("highest_rate".to_owned(), rates);
    }
    others.insert("rounds".to_owned(), json!(extent.rounds));
    let target = target_folder()?.join("bench-peers.json");
    fs::write(&target, serde_json::to_string_pretty(&figures.to_json())?)?;
    println!(
        "{}\n{:.0} s; written to {}",
        figures.table(),
        start.elapsed().as_secs_f64(),
        target.display()
    );
    Ok(())
}

/// Some ways alone, in turn, for whoever works at one of them: nothing is written.
fn only(names: &[&str]) -> anyhow::Result<()> {
    let ways: Vec<Way> = Way::ALL.into_iter().filter(|way| names.contains(&way.name())).collect();
    ensure!(!ways.is_empty(), "no way has such a name: {names:?}");
    let folder = tempfile::tempdir()?;
    let mut figures = Figures::default();
    for round in 1..=Extent::FULL.rounds {
        take_turns(Extent::FULL, &ways, round, folder.path(), &mut figures)?;
    }
    println!("{}", figures.table());
    Ok(())
}

/// A part that could not be measured is told and is null: the others stand all the same.
fn or_why(part: &str, measured: anyhow::Result<Value>) -> Value {
    measured.unwrap_or_else(|error| {
        println!("{part}: not measured: {error:#}");
        Value::Null
    })
}

/// One round: each way at each rate.
fn take_turns(
    extent: Extent,
    ways: &[Way],
    round: usize,
    folder: &Path,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    for rate in RATES {
        for &way in ways {
            let turn = turn(way, Cores::ONE, rate, extent.window, folder)
                .with_context(|| format!("{} at {rate} calls/s", way.name()))?;
            println!(
                "round {round}, {rate} calls/s, {}: {:.1} µs and {:.2} wakes per call, {} of {} failed, {} sent again",
                way.name(),
                turn.cost,
                turn.wakes,
                turn.failed,
                turn.answered + turn.failed,
                turn.retransmissions,
            );
            figures.by_rate.entry(rate).or_default().push(way, turn);
        }
    }
    Ok(())
}

/// From INVITE to 200 without the callee, of each way and of none.
fn delays(folder: &Path) -> anyhow::Result<Value> {
    let mut delays = Map::new();
    for way in [Way::Sipp].into_iter().chain(Way::BETWEEN) {
        let delay = delay::of(way, folder).with_context(|| way.name())?;
        let name = if way == Way::Sipp { "nothing_between" } else { way.name() };
        println!("from INVITE to 200, {name}, µs: {delay}");
        delays.insert(name.to_owned(), delay);
    }
    Ok(Value::Object(delays))
}

fn capacities(start: Instant, extent: Extent, folder: &Path) -> anyhow::Result<Value> {
    let mut rates = Map::new();
    for way in [Way::Sipp].into_iter().chain(Way::BETWEEN) {
        let rate = match start.elapsed() < extent.searches {
            true => capacity::of(way, folder)?,
            false => json!("there was no time"),
        };
        rates.insert(way.name().to_owned(), rate);
    }
    Ok(Value::Object(rates))
}

/// The relay's own bench has it, in the build profile of this one.
fn beside_rtpengine(turns: usize) -> anyhow::Result<Option<f64>> {
    let profile: &[_] =
        if cfg!(debug_assertions) { &["--profile", "dev", "--workspace"] } else { &[] };
    let status = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["bench", "--quiet"])
        .args(profile)
        .args(["--bench", "relay", "--", "beside-rtpengine"])
        .arg(turns.to_string())
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the bench of the relay failed");
    let text = fs::read_to_string(target_folder()?.join("bench-relay-rtpengine.json"))?;
    let figures: Value = serde_json::from_str(&text)?;
    let costs = |name: &str| -> Vec<f64> {
        let all = figures[name].as_array().into_iter().flatten();
        all.filter_map(Value::as_f64).collect()
    };
    Ok(ratio(&costs("ours_us"), &costs("rtpengine_us")).map(hundredths))
}
