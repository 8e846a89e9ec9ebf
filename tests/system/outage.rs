//! Sites that die, are cut off and come back while calls flow.

use std::collections::BTreeSet;
use std::time::Duration;

use campaign::{Arrivals, Campaign};
use contract::MemberState;
use system_tests::network::Network;
use telemetry::{BoxKind, Outcome};
use topology::Distribution;
use world::Link;

use crate::support::{SIX_SITES, TWO_SITES, assert_idle, campaign, ms, seconds};

fn network(seed: u64) -> Network {
    let mut network = Network::new(SIX_SITES, Link::CLEAN, seed);
    network.net.forget_packets();
    network.run_for(seconds(1));
    network
}

/// Callers who end every call themselves: none waits an hour for a call taker whom the network lost.
pub(crate) fn hurried(rate: f64, length: Duration, seed: u64) -> Campaign {
    let mut campaign = campaign(rate, length, seed);
    campaign.callers.caller_hangs_up = 1.0;
    campaign
}

/// Attempts that a trunk group had offered to `site` last.
fn attempts_at(network: &Network, site: &str) -> BTreeSet<String> {
    let records = network.records().iter();
    let there = records.filter(|record| {
        record.kind == BoxKind::TrunkGroup && record.site.as_deref() == Some(site)
    });
    there.map(|record| record.attempt.clone()).collect()
}

#[test]
fn a_site_that_dies_takes_only_its_own_calls() {
    let mut network = network(21);
    network.start_campaign(&campaign(80.0, seconds(25), 21));
    network.run_for(seconds(10));
    assert!(network.call_server("gamma").calls > 0);
    network.kill("gamma");
    assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());

    let now = network.generator();
    assert!(now.offered > 1_700, "{now:?}");
    let ledger = network.ledger(now.offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert!(ledger.lost > 0, "{ledger:#?}");
    let places: Vec<&str> = ledger.lost_at.iter().map(|place| place.node.as_str()).collect();
    assert_eq!(places, ["gamma"], "{ledger:#?}");

    let at_gamma = attempts_at(&network, "gamma");
    let lost = network.records().iter().filter(|record| {
        record.kind == BoxKind::Generator
            && matches!(record.outcome, Outcome::Lost | Outcome::TimedOut)
    });
    for record in lost {
        assert!(at_gamma.contains(&record.attempt), "{record:?} was not at the dead site");
    }
    assert_idle(&mut network);
}

#[test]
fn calls_find_another_site_while_one_is_cut_off_and_use_it_again_afterwards() {
    let mut network = network(22);
    network.start_campaign(&campaign(40.0, seconds(60), 22));
    network.run_for(seconds(10));
    let delta = network.at("delta");
    network.net.isolate(delta);
    network.run_for(seconds(20));
    let before = network.call_server("delta").counts.offered;
    network.run_for(seconds(5));
    assert_eq!(network.call_server("delta").counts.offered, before);
    network.net.heal(delta);
    network.run_for(seconds(20));
    assert!(network.call_server("delta").counts.offered > before, "delta gets no calls any more");
    assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());
    let now = network.generator();
    assert_eq!(now.offered, now.answered + now.rejected + now.abandoned + now.timed_out + now.lost);
    assert!(now.answered * 10 > now.offered * 8, "{now:?}");
    assert_idle(&mut network);
}

// The answering point that the dead site had rung still answers it, and nobody tells it to stop.
#[test]
fn a_call_that_moved_on_and_was_then_given_up_is_no_fault() {
    let text = TWO_SITES.replace("\"1h\"", "\"2s\"").replace("ring = \"2s\"", "ring = \"15s\"");
    let mut network = Network::new(&text, Link::CLEAN, 28);
    network.run_for(ms(100));
    let mut one_call = campaign(1.0, seconds(1), 28);
    one_call.phases[0].arrivals = Arrivals::Constant { rate: 1.0 };
    one_call.mix.truncate(1);
    one_call.callers.patience = Some(Distribution::Fixed(seconds(10)));
    network.start_campaign(&one_call);
    network.run_for(seconds(3));
    network.kill("alpha");
    assert!(network.run_until_idle(seconds(120)), "{:?}", network.held());
    let trunk = network.records().iter().find(|one| one.kind == BoxKind::TrunkGroup).unwrap();
    assert_eq!(
        (&trunk.tried[..], trunk.outcome),
        (&["alpha", "beta"].map(String::from)[..], Outcome::Abandoned)
    );
    let ledger = network.ledger(1, false);
    assert!(ledger.balanced, "{ledger:#?}");
}

#[test]
fn sites_die_and_return_while_links_are_bad() {
    let mut network = Network::new(SIX_SITES, Link::BAD, 27);
    network.net.forget_packets();
    network.start_campaign(&hurried(60.0, seconds(40), 27));
    for site in ["alpha", "epsilon", "beta"] {
        network.run_for(seconds(6));
        network.kill(site);
        network.run_for(seconds(6));
        network.revive(site);
        assert_eq!(network.unbalanced(), [""; 0]);
    }
    assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert!(ledger.answered > 1_500, "{ledger:#?}");
    assert_idle(&mut network);
}

#[test]
fn one_trunk_group_loses_one_site_and_the_others_keep_it() {
    let mut network = network(26);
    network.start_campaign(&campaign(60.0, seconds(30), 26));
    let (mobile, alpha) = (network.at("mobile"), network.at("alpha"));
    network.net.cut(mobile, alpha);
    network.run_for(seconds(15));
    let towards_alpha = |network: &Network, group: &str| {
        let members = network.trunk_group(group).members;
        let alpha = members.into_iter().find(|member| member.site == "alpha").unwrap();
        (alpha.state, alpha.counts.answered)
    };
    assert_eq!(towards_alpha(&network, "mobile"), (MemberState::Down, 0));
    let (state, answered) = towards_alpha(&network, "fixe");
    assert_eq!(state, MemberState::Up);
    assert!(answered > 10, "{answered}");
    network.net.heal(mobile);
    network.run_for(seconds(15));
    assert!(towards_alpha(&network, "mobile").1 > 5);
    assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced && ledger.lost == 0, "{ledger:#?}");
    assert_idle(&mut network);
}

#[test]
fn a_site_that_starts_again_knows_nothing_and_carries_calls() {
    let mut network = network(23);
    network.start_campaign(&hurried(40.0, seconds(40), 23));
    network.run_for(seconds(8));
    network.kill("zeta");
    network.run_for(seconds(10));
    network.revive("zeta");
    network.run_for(seconds(15));
    assert!(network.call_server("zeta").counts.offered > 0, "zeta gets no calls any more");
    assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert_idle(&mut network);
}

#[test]
fn five_of_six_sites_die_and_the_last_one_carries_on() {
    let mut network = network(24);
    network.start_campaign(&hurried(20.0, seconds(60), 24));
    network.run_for(seconds(5));
    for site in ["alpha", "beta", "gamma", "delta", "epsilon"] {
        network.kill(site);
        network.run_for(seconds(1));
    }
    network.run_for(seconds(15));
    let before = network.generator().answered;
    network.run_for(seconds(15));
    assert!(network.generator().answered > before + 100, "zeta alone carries no calls");
    assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert_idle(&mut network);
}

#[test]
fn all_sites_dead_means_every_caller_is_told() {
    let mut network = network(25);
    for site in ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"] {
        network.kill(site);
    }
    network.start_campaign(&campaign(10.0, seconds(20), 25));
    network.run_for(seconds(20));
    assert!(network.run_until_idle(seconds(600)), "{:?}", network.held());
    let now = network.generator();
    assert_eq!((now.answered, now.lost, now.timed_out), (0, 0, 0), "{now:?}");
    assert_eq!(now.offered, now.rejected + now.abandoned);
    assert!(now.rejected > now.abandoned, "{now:?}");
    assert_idle(&mut network);
}

/// Two sites, and a PSAP with one position and one place in its queue.
const ONE_POSITION: &str = r#"
[sites.alpha]
address = "127.0.0.11:5060"

[sites.beta]
address = "127.0.0.12:5060"

[trunk_groups.mobile]
address = "127.0.0.21:5060"
policy = "round-robin"
circuits = 2

[psaps.samu-59]
address = "127.0.0.31:5060"
number = "0353010015"
positions = 1
queue = 1
ring = "11s"
talk = "600s"

[[routes]]
numbers = ["15"]
psaps = ["samu-59"]
"#;

// RFC 3261 §16.7 item 10: the first 2xx is the call; the other branches are cancelled.
#[test]
fn a_site_that_was_given_up_may_still_answer() {
    let mut network = Network::new(ONE_POSITION, Link::CLEAN, 1);
    network.run_for(seconds(1));
    let leg = network.dial("15");
    network.run_for(seconds(5));
    let alpha = network.at("alpha");
    network.net.isolate(alpha);
    // Long enough for the probes to find it down and for the call to move to beta.
    network.run_for(ms(7_200));
    assert_eq!(network.trunk_group("mobile").counts.rerouted, 1);
    network.net.heal(alpha);
    network.run_for(seconds(100));
    let group = network.trunk_group("mobile");
    assert_eq!((group.calls, group.counts.answered), (1, 1));
    let seized: Vec<_> = group.members.iter().map(|member| member.seized).collect();
    assert_eq!(seized, [1, 0], "the circuit is the one towards the site that answered");
    network.hang_up("caller", leg);
    assert!(network.run_until_idle(seconds(100)), "{:?}", network.held());
    assert_idle(&mut network);
    let of_group = |record: &&telemetry::CallRecord| record.kind == BoxKind::TrunkGroup;
    let outcomes: Vec<_> =
        network.records().iter().filter(of_group).map(|record| record.outcome).collect();
    assert_eq!(outcomes, [Outcome::Answered]);
}

// Calls that get no answer bring a site down before the probes do; the calls that ring there must move all the same.
#[test]
fn ringing_calls_move_when_new_calls_find_their_site_down() {
    let text =
        ONE_POSITION.replace("queue = 1", "queue = 9").replace("circuits = 2", "circuits = 9");
    let mut network = Network::new(&text, Link::CLEAN, 3);
    network.run_for(seconds(1));
    let ringing = network.dial("15");
    network.run_for(seconds(1));
    network.kill("alpha");
    let others: Vec<_> = (0..5).map(|_| network.dial("15")).collect();
    network.run_for(seconds(8));
    let group = network.trunk_group("mobile");
    assert_eq!(group.members[0].state, MemberState::Down);
    let seized: u32 = group.members[0].seized;
    assert_eq!(seized, 0, "no call may wait for a site that is down: {group:?}");
    for leg in others.into_iter().chain([ringing]) {
        network.hang_up("caller", leg);
    }
    assert!(network.run_until_idle(seconds(200)), "{:?}", network.held());
    assert_idle(&mut network);
}

/// One site that is slower than the trunk group is patient, and a PSAP that answers at once.
const SLOW_SITE: &str = r#"
[sites.alpha]
address = "127.0.0.11:5060"

[trunk_groups.mobile]
address = "127.0.0.21:5060"
next_site_after = "2s"

[psaps.samu-59]
address = "127.0.0.31:5060"
number = "0353010015"
positions = 1
ring = "0s"
talk = "600s"

[[routes]]
numbers = ["15"]
psaps = ["samu-59"]
"#;

// RFC 3261 §9.1: a CANCEL may cross the 200; here the caller has had its refusal by then.
#[test]
fn an_answer_that_comes_after_the_refusal_is_ended() {
    let mut network = Network::new(SLOW_SITE, Link::CLEAN, 4);
    network.run_for(seconds(1));
    let (mobile, alpha) = (network.at("mobile"), network.at("alpha"));
    network.net.set_link(mobile, alpha, Link { latency: seconds(3), ..Link::CLEAN });
    let leg = network.dial("15");
    network.run_for(seconds(3));
    assert_eq!(network.call(leg).heard, [503]);
    network.run_for(seconds(17));
    assert_eq!(network.psap("samu-59").positions.talking, 0, "nobody is on the line");
    let mut of_alpha = network.records().iter().filter(|record| record.node == "alpha");
    assert_eq!(of_alpha.next().map(|record| record.outcome), Some(Outcome::Answered));
    assert_idle(&mut network);
}
