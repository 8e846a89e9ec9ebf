//! What a relayed RTP packet costs, beside rtpengine and beside the least that a relay can do: `cargo bench -p
//! system-tests --bench relay` prints a table and writes `target/bench-relay.json`.
//!
//! ```text
//!   core 1                           core 0
//!   phones A ──172 bytes / 20 ms──►  relay under test ──►  phones B        and the same way back
//! ```
//!
//! The relays take turns at each number of calls, because the speed of shared machines changes within minutes: figures
//! of one run can be compared, figures of two runs cannot. A step in which the phones were late, or in which the relay
//! had to wait for its core, is run again, and marked when that does not help.

mod bare;
mod blast;
mod figures;
mod ours;
mod phones;
mod relay;
mod rtpengine;
mod session;
mod step;

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use system_tests::built::target_folder;
use system_tests::machine;

use figures::Figures;
use relay::{Kind, Relay};
use session::MOST_CALLS;
use step::Step;

/// Numbers of calls at which all relays are compared.
const LOADS: [usize; 3] = [250, 500, 1_000];

/// Capacity is sought between these numbers of calls, in such steps.
const LEAST_CALLS: usize = 400;
const CAPACITY_STEP: usize = 100;

/// No step is repeated after so long a comparison, and after so long a search of one relay's capacity, which then ends.
const COMPARISON: Duration = Duration::from_secs(85);
const SEARCH: Duration = Duration::from_secs(38);

/// How often a step is run before its failure counts: other work of the machine is no limit of a relay.
const ATTEMPTS: usize = 2;

/// The same when the machine or the phones are seen to be at fault.
const DISTURBED_ATTEMPTS: usize = 3;

/// A relay that takes part, what it used before its first call, and where its streams have got to.
struct Entry {
    relay: Box<dyn Relay>,
    idle: u64,
    sequence: u16,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "blast") {
        return blast::run(&arguments[1..]);
    }
    machine::check_cores()?;
    if let [first, turns, ..] = &arguments[..]
        && first == "beside-rtpengine"
    {
        return beside_rtpengine(turns.parse()?);
    }
    let mut figures = Figures::default();
    figures.datagram.push(machine::datagram_cost()?);
    compare(&mut figures);
    for kind in Kind::ALL {
        // One socket for all streams is no relay that anybody could use: its capacity says nothing.
        if kind != Kind::BareShared && !figures.is_absent(kind) {
            match capacity(kind) {
                Ok(capacity) => figures.insert(kind, figures::CAPACITY, capacity),
                Err(error) => figures.insert(kind, figures::CAPACITY, json!(format!("{error:#}"))),
            }
        }
    }
    figures.datagram.push(machine::datagram_cost()?);
    let target = target_folder()?.join("bench-relay.json");
    fs::write(&target, figures.to_json()?)?;
    println!("{}\nwritten to {}", figures.table(&LOADS), target.display());
    Ok(())
}

/// Only our relay and rtpengine, in turn, at the most calls of the comparison: writes `target/bench-relay-rtpengine.json`.
fn beside_rtpengine(turns: usize) -> anyhow::Result<()> {
    let calls = LOADS[LOADS.len() - 1];
    let end = Instant::now() + COMPARISON;
    let (mut ours, mut theirs) = (Entry::start(Kind::Ours)?, Entry::start(Kind::Rtpengine)?);
    let (mut our_costs, mut their_costs) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        our_costs.push(ours.step(calls, false, end)?.cost());
        their_costs.push(theirs.step(calls, false, end)?.cost());
    }
    ours.relay.end()?;
    theirs.relay.end()?;
    let figures = json!({ "calls": calls, "ours_us": our_costs, "rtpengine_us": their_costs });
    fs::write(target_folder()?.join("bench-relay-rtpengine.json"), figures.to_string())?;
    println!("CPU per packet at {calls} calls, µs: {figures}");
    Ok(())
}

/// CPU per packet, memory per stream and lost packets of each relay at each load.
fn compare(figures: &mut Figures) {
    let end = Instant::now() + COMPARISON;
    let mut entries: Vec<(Kind, Entry)> = Vec::new();
    for kind in Kind::ALL {
        match Entry::start(kind) {
            Ok(entry) => entries.push((kind, entry)),
            Err(error) => figures.leave_out(kind, &error),
        }
    }
    for calls in LOADS {
        entries.retain_mut(|(kind, entry)| match entry.step(calls, false, end) {
            Ok(step) => {
                println!("{}, {calls} calls: {}", kind.name(), figures::sentence(&step));
                figures.insert(
                    *kind,
                    &figures::load(calls),
                    figures::describe(&step, Some(entry.idle)),
                );
                true
            }
            Err(error) => {
                figures.leave_out(*kind, &error);
                false
            }
        });
    }
    for (kind, entry) in entries {
        if let Err(error) = entry.relay.end() {
            println!("{}: the calls did not end: {error:#}", kind.name());
        }
    }
}

/// The most calls, in steps of 100, of which every packet of 5 s arrives within 100 ms; found by halving.
fn capacity(kind: Kind) -> anyhow::Result<Value> {
    let (end, mut entry) = (Instant::now() + SEARCH, Entry::start(kind)?);
    let mut carried = LEAST_CALLS / CAPACITY_STEP - 1;
    let mut refused = MOST_CALLS / CAPACITY_STEP + 1;
    let (mut best, mut limit) = (None, None);
    while refused - carried > 1 && Instant::now() < end {
        let middle = usize::midpoint(carried, refused);
        let step = entry.step(middle * CAPACITY_STEP, true, end)?;
        let sentence = figures::sentence(&step);
        println!("{}, {} calls, search: {sentence}", kind.name(), step.calls);
        if step.carries() {
            carried = middle;
            best = Some(figures::describe(&step, None));
        } else {
            refused = middle;
            let at_fault = if step.disturbance().is_some() { "machine or phones" } else { "relay" };
            limit = Some(json!({ "calls": step.calls, "what": sentence, "at_fault": at_fault }));
        }
    }
    let complete = refused - carried == 1;
    entry.relay.end()?;
    let calls = best.is_some().then_some(carried * CAPACITY_STEP);
    Ok(json!({ "calls": calls, "searched_to_the_end": complete, "at_it": best, "too_many": limit }))
}

impl Entry {
    fn start(kind: Kind) -> anyhow::Result<Self> {
        let relay = kind.start()?;
        let idle = machine::resident(relay.process())?;
        Ok(Self { relay, idle, sequence: 1 })
    }

    /// A step that counts, or the last of those that do not. A strict one counts when it carries.
    fn step(&mut self, calls: usize, strict: bool, end: Instant) -> anyhow::Result<Step> {
        let mut attempt = 1;
        loop {
            let step = Step::run(&mut *self.relay, calls, &mut self.sequence, strict)?;
            let disturbed = step.disturbance().is_some();
            let counts = if strict { step.carries() } else { !disturbed };
            let most = if disturbed { DISTURBED_ATTEMPTS } else { ATTEMPTS };
            if counts || attempt >= most || Instant::now() >= end {
                return Ok(step);
            }
            attempt += 1;
        }
    }
}
