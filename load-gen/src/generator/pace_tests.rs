//! Whose calls are placed when somebody holds the load back, or raises it.

use std::time::Duration;

use campaign::Arrivals;
use contract::{SurgeOrder, SurgeSize};

use super::tests::{Lab, SOON, one_call};
use super::*;
use crate::fixture::{entry, phase};

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

/// Calls from Lille and from Ajaccio, as many from each, one after the other.
fn two_places(seconds: u64) -> Campaign {
    let mix = vec![entry("15", &["59350"], 1.0, None), entry("15", &["2A004"], 1.0, None)];
    let phases = vec![phase(seconds, Arrivals::Constant { rate: 4.0 })];
    Campaign { phases, mix, max_in_progress: 10_000, ..one_call(true) }
}

/// Calls of each department so far.
fn from(snapshot: &GeneratorSnapshot, department: &str) -> u64 {
    let there = snapshot.fates.iter().filter(|fate| fate.department == department);
    there.map(|fate| fate.answered + fate.unanswered).sum()
}

#[test]
fn a_surge_comes_from_its_commune_alone_and_is_over_in_time() {
    let surge = |more, from_us| {
        let communes = vec!["59350".to_owned()];
        Command::Surge(SurgeOrder { number: 1, from_us, lasts_us: 50_000_000, communes, more })
    };
    let end = |order: Option<Command>| {
        let mut lab = Lab::new(&two_places(200), &[SOON]);
        lab.generator.handle_command(lab.now, Command::Start { at: lab.now });
        if let Some(order) = order {
            lab.generator.handle_command(lab.now, order);
        }
        lab.run(Duration::from_secs(3_600));
        let over = lab.generator.snapshot();
        assert!(over.finished, "{over:?}");
        assert_eq!(over.offered, over.surged + 800);
        over
    };
    let usual = end(None);
    let (lille, ajaccio) = (from(&usual, "59"), from(&usual, "2A"));
    assert_eq!((usual.surged, lille + ajaccio), (0, 800));
    // Of 200 calls in that time, about half are from there; two more beside each of them.
    let tripled = end(Some(surge(SurgeSize::PerMille(2_000), 100_000_000)));
    assert_eq!(from(&tripled, "2A"), ajaccio);
    assert_eq!(from(&tripled, "59"), lille + tripled.surged);
    assert!((150..=250).contains(&tripled.surged), "{}", tripled.surged);
    // By chance, ten a second.
    let more = SurgeSize::PerThousandSeconds(10_000);
    let storm = end(Some(surge(more, 100_000_000)));
    assert_eq!((from(&storm, "2A"), from(&storm, "59")), (ajaccio, lille + storm.surged));
    assert!((400..=600).contains(&storm.surged), "{}", storm.surged);
    // The same order brings the same calls.
    assert_eq!(end(Some(surge(more, 100_000_000))).surged, storm.surged);
    // Nobody calls after the campaign.
    let late = end(Some(surge(more, 190_000_000)));
    assert!((50..=150).contains(&late.surged), "{}", late.surged);
}

#[test]
fn a_surge_is_held_back_with_the_rest_and_can_be_ended() {
    let mut lab = Lab::new(&two_places(100), &[SOON]);
    lab.generator.handle_command(lab.now, Command::Start { at: lab.now });
    let order = SurgeOrder {
        number: 1,
        from_us: 0,
        lasts_us: 100_000_000,
        communes: vec!["59350".to_owned()],
        more: SurgeSize::PerThousandSeconds(50_000),
    };
    lab.generator.handle_command(lab.now, Command::Surge(order));
    lab.run(Duration::from_secs(10));
    let before = lab.generator.snapshot();
    assert!((400..600).contains(&before.surged), "{}", before.surged);
    lab.generator.handle_command(lab.now, Command::Pace(0));
    lab.run(Duration::from_secs(10));
    let paused = lab.generator.snapshot();
    assert_eq!(paused.offered, before.offered);
    assert!((440..640).contains(&paused.held_back), "{}", paused.held_back);
    lab.generator.handle_command(lab.now, Command::Pace(1_000));
    lab.generator.handle_command(lab.now, Command::EndSurges);
    lab.run(Duration::from_secs(3_600));
    let over = lab.generator.snapshot();
    assert_eq!((over.surged, over.offered), (before.surged, before.surged + 400 - 40));
}
