//! Callers who call again until they are reached.

use account::summary::{CallersFigures, People};
use campaign::{Campaign, Redial};
use contract::BoxOrder;
use system_tests::network::Network;
use telemetry::{Audit, BoxKind, Rules};

use crate::support::{assert_idle, campaign, seconds, two_sites, two_sites_with};

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
    let mut tally = People::default();
    let mut audit = Audit::new(Rules::default());
    network.records().iter().for_each(|record| audit.add(record));
    audit.close(0, &[]).read(&mut [&mut tally]);
    let figures = tally.figures(&network.generator(), campaign.callers.redial.is_some());
    (network, figures)
}

// A hospital's own line is on the switched network, and needs no call server of the pool.
#[test]
fn published_numbers_go_round_a_pool_that_takes_no_calls() {
    let outside = "[sites.exchange]\naddress = \"127.0.0.17:5060\"\nin_pool = false\n\
                   [trunk_groups.rtc]\naddress = \"127.0.0.23:5060\"\nsites = [\"exchange\"]\ncircuits = 100\n[psaps.samu-59]";
    let room = ("positions = 2", "positions = 200");
    let mut campaign = crowd(Some(Redial {
        ten_digit_trunk_group: Some("rtc".to_owned()),
        ten_digit_at_once: 0.5,
        most_attempts: 1,
        ..Redial::default()
    }));
    campaign.mix.truncate(1);
    campaign.mix[0].trunk_group = Some("mobile".to_owned());
    campaign.callers.patience = None;
    let mut network = two_sites_with(&[("[psaps.samu-59]", outside), room]);
    for site in ["alpha", "beta"] {
        network.command(site, "lock".parse().unwrap());
    }
    network.start_campaign(&campaign);
    network.run_for(seconds(30));
    let before = network.generator();
    assert!(before.offered > 30 && before.answered == 0, "nobody knows the numbers: {before:?}");
    network.tell_callers(&BoxOrder::PublishTenDigits);
    network.run_for(seconds(40));
    assert!(network.run_until_idle(seconds(3_600)), "{:?}", network.held());
    let now = network.generator();
    assert!(now.ten_digit > 15 && now.ten_digit < now.offered - before.offered, "{now:?}");
    assert_eq!(now.answered, now.ten_digit, "who dials them is answered, and nobody else");
    let by_rtc = network
        .records()
        .iter()
        .filter(|record| record.kind == BoxKind::TrunkGroup && record.node == "rtc");
    assert_eq!(by_rtc.count() as u64, now.ten_digit);
    let ledger = network.ledger(now.offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert_idle(&mut network);
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
