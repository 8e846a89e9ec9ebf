//! A soak: calls, bursts beyond capacity, faults, operators' commands, malformed messages and half-open connections at once on real
//! sockets, for as long as one likes. Nothing grows once everything has been used, and everything is given back in the end.
//!
//! `make soak MINUTES=60` for an hour with its curve; without a length it lasts a minute and a quarter. `SOAK_SECONDS` and `SOAK_RATE` (calls in a second)
//! say otherwise.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests")]

mod campaign;
mod curve;
mod disturbers;
mod probe;

use std::time::{Duration, Instant};

use serde_json::Value;
use system_tests::process::Process;
use system_tests::program::tocsin;

use campaign::Plan;
use curve::Curve;
use disturbers::Disturbers;
use probe::Probe;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// How long everything may take to be given back once nobody calls any more: the calls in progress end, and so do all that a
/// stranger has begun.
const GIVEN_BACK: Duration = Duration::from_secs(60);

fn from_environment(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().expect("a number"))
}

#[test]
#[ignore = "it takes the machine for more than a minute: make soak"]
fn nothing_grows_and_everything_is_given_back() {
    let plan = Plan {
        length: Duration::from_secs(from_environment("SOAK_SECONDS", 45)),
        rate: from_environment("SOAK_RATE", 15),
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("network.toml"), campaign::NETWORK).unwrap();
    std::fs::write(folder.path().join("campaign.toml"), plan.campaign()).unwrap();
    let mut command = std::process::Command::new(tocsin());
    command.current_dir(folder.path()).args(["run", "campaign.toml"]);
    let mut run = Process::start("tocsin run", &mut command);
    // A line of progress for each second.
    for _ in 0..campaign::BEFORE - 1 {
        run.until(" s ");
    }

    let probe = Probe::new(folder.path(), run.id());
    let mut curve = Curve::default();
    let begun = Instant::now();
    let before = probe.look(begun.elapsed());
    let disturbers = Disturbers::start(&before, folder.path());
    while begun.elapsed() < plan.length {
        std::thread::park_timeout(LOOK);
        curve.add(probe.look(begun.elapsed()));
    }
    let disturbed = disturbers.stop();
    println!("{}", curve.table());
    println!("meanwhile: {disturbed}");
    let growth = curve.growth();
    println!("{}", growth.told());

    // Hardly anybody calls any more. Everything that is held goes back.
    let end = Instant::now() + GIVEN_BACK;
    let after = loop {
        let now = probe.look(begun.elapsed());
        let held = now.held(&before);
        if held.is_empty() {
            break now;
        }
        assert!(Instant::now() < end, "still held: {held:#?}");
        std::thread::park_timeout(LOOK);
    };
    println!("all given back {:.0} s after the last call", (after.at - plan.length).as_secs_f64());
    run.interrupt();
    let status = run.finish();
    assert!(
        status.code().is_some_and(|code| [0, 4, 130].contains(&code)),
        "{status}; {}",
        run.words()
    );
    let summary = std::fs::read_to_string(folder.path().join("runs/latest/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let ledger = &summary["ledger"];
    println!(
        "ledger: offered {}, answered {}, rejected {}, abandoned {}, timed out {}, lost {}; foreign {}",
        ledger["offered"],
        ledger["answered"],
        ledger["rejected"],
        ledger["abandoned"],
        ledger["timed_out"],
        ledger["lost"],
        ledger["foreign"]
    );
    assert_eq!(ledger["balanced"], true, "{ledger:#}");
    assert_eq!(ledger["in_progress"], 0, "{ledger:#}");
    assert!(
        ledger["answered"].as_u64() > Some(plan.length.as_secs() * plan.rate / 3),
        "{ledger:#}"
    );
    assert!(growth.is_flat(), "{}", growth.told());
    disturbed.assert_busy();
    println!("SOAK PASSED");
}
