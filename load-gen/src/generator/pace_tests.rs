//! Whose calls are placed when somebody holds the load back, or raises it.

use std::time::Duration;

use campaign::Arrivals;

use super::tests::{Lab, SOON, one_call};
use super::*;
use crate::fixture::phase;

/// A call a second for `seconds`.
fn steady(seconds: u64) -> Campaign {
    let phases = vec![phase(seconds, Arrivals::Constant { rate: 1.0 })];
    Campaign { phases, ..one_call(true) }
}

#[test]
fn calls_are_held_back_for_good_and_doubled_with_people_of_their_own() {
    let mut lab = Lab::new(&steady(40), &[SOON]);
    lab.generator.handle_command(lab.now, Command::Start { at: lab.now });
    lab.run(Duration::from_millis(9_500));
    let before = lab.generator.snapshot();
    lab.generator.handle_command(lab.now, Command::Pace(0));
    lab.run(Duration::from_secs(10));
    let paused = lab.generator.snapshot();
    assert_eq!((paused.offered, paused.held_back), (before.offered, 10));
    lab.generator.handle_command(lab.now, Command::Pace(2_000));
    lab.run(Duration::from_secs(10));
    let doubled = lab.generator.snapshot();
    assert_eq!((doubled.offered, doubled.held_back), (paused.offered + 20, 10));
    lab.generator.handle_command(lab.now, Command::Pace(1_000));
    lab.run(Duration::from_secs(3_600));
    let over = lab.generator.snapshot();
    assert!(over.finished, "{over:?}");
    assert_eq!(over.offered, 40 - 10 + 10);
    let mut attempts: Vec<_> = lab.records.iter().map(|record| &record.attempt).collect();
    attempts.sort();
    attempts.dedup();
    assert_eq!(attempts.len() as u64, over.offered, "each call is one of its own");
}
