//! Callers who call again until they are reached.

use account::summary::{CallerTally, CallersFigures};
use campaign::{Campaign, Redial};
use system_tests::network::Network;
use telemetry::{Audit, Rules};

use crate::support::{assert_idle, campaign, seconds, two_sites};

/// More calls than two circuits to each site and four positions can carry.
fn crowd(redial: Option<Redial>) -> Campaign {
    let mut campaign = campaign(2.0, seconds(60), 41);
    campaign.callers.redial = redial;
    campaign
}

/// The network after all calls of `campaign`, and what became of its people.
fn after(campaign: &Campaign) -> (Network, CallersFigures) {
    let mut network = two_sites();
    network.start_campaign(campaign);
    assert!(network.run_until_idle(seconds(3_600)), "{:?}", network.held());
    let mut tally = CallerTally::default();
    let mut audit = Audit::new(Rules::default());
    network.records().iter().for_each(|record| audit.add(record));
    audit.close(0, &[]).1.read(&mut [&mut tally]);
    let figures = tally.figures(&network.generator(), campaign.callers.redial.is_some());
    (network, figures)
}

#[test]
fn people_who_redial_are_reached_although_most_of_their_calls_fail() {
    let (mut network, people) = after(&crowd(Some(Redial::default())));
    let now = network.generator();
    assert!(now.finished, "{now:?}");
    let ledger = network.ledger(now.offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert_eq!(people.emergency.callers, now.callers);
    assert_eq!(people.emergency.attempts, now.offered);
    assert_eq!(people.emergency.stopped, now.gave_up);
    assert_eq!(people.ordinary.callers, 0);
    assert!(people.redials > 100 && people.switched_number > 0, "{people:?}");
    assert_eq!((people.switched_network, people.ten_digit), (0, 0), "there is no other way here");
    assert_idle(&mut network);

    let (_, alone) = after(&crowd(None));
    assert_eq!(alone.emergency.callers, people.emergency.callers, "the same people call first");
    assert_eq!((alone.redials, alone.emergency.attempts_per_caller), (0, Some(1.0)));
    assert!(alone.emergency.reached < people.emergency.reached, "{alone:?} {people:?}");
    let answered_share = now.answered as f64 / now.offered as f64;
    assert!(people.emergency.success_share > Some(answered_share), "{people:?}");
}
