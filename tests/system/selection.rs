//! Which site a trunk group chooses, under each policy.

use std::collections::BTreeMap;

use campaign::{Arrivals, Campaign};
use system_tests::network::Network;
use telemetry::BoxKind;
use world::Link;

use crate::support::{assert_idle, campaign, seconds};

/// Three sites with weights 1, 2 and 3, and one answering point with room for all.
fn three_sites(policy: &str) -> Network {
    let text = format!(
        r#"
[sites.alpha]
address = "127.0.0.11:5060"
[sites.beta]
address = "127.0.0.12:5060"
[sites.gamma]
address = "127.0.0.13:5060"
[trunk_groups.mobile]
address = "127.0.0.21:5060"
policy = "{policy}"
circuits = 1000
members.beta = {{ weight = 2 }}
members.gamma = {{ weight = 3 }}
[psaps.samu-59]
address = "127.0.0.31:5060"
number = "0353010015"
positions = 1000
ring = "uniform 1s 3s"
talk = "10s"
[[routes]]
numbers = ["15", "17", "18", "112", "urn:service:sos"]
psaps = ["samu-59"]
"#
    );
    let mut network = Network::new(&text, Link::CLEAN, 41);
    network.net.forget_packets();
    network
}

fn steady(rate: f64) -> Campaign {
    let mut campaign = campaign(rate, seconds(20), 41);
    campaign.phases[0].arrivals = Arrivals::Constant { rate };
    campaign.callers.patience = None;
    campaign
}

/// Calls that each site has been offered.
fn shares(network: &Network) -> BTreeMap<String, u64> {
    let members = network.trunk_group("mobile").members;
    members.into_iter().map(|member| (member.site, member.counts.offered)).collect()
}

fn run(policy: &str) -> (Network, Vec<u64>) {
    let mut network = three_sites(policy);
    network.start_campaign(&steady(60.0));
    network.run_for(seconds(60));
    let counts = shares(&network).into_values().collect();
    assert_idle(&mut network);
    (network, counts)
}

#[test]
fn round_robin_takes_each_site_in_turn() {
    let (_, counts) = run("round-robin");
    assert_eq!(counts, [400, 400, 400]);
}

#[test]
fn weights_share_the_calls() {
    let (_, counts) = run("weighted");
    let [alpha, beta, gamma] = counts[..] else { panic!("three sites") };
    assert_eq!(alpha + beta + gamma, 1_200);
    // Expected 200, 400 and 600; five standard deviations are about 85.
    assert!(
        alpha.abs_diff(200) < 65 && beta.abs_diff(400) < 85 && gamma.abs_diff(600) < 90,
        "{counts:?}"
    );
}

#[test]
fn least_loaded_keeps_the_sites_level() {
    let mut network = three_sites("least-loaded");
    network.start_campaign(&steady(60.0));
    let mut looked = 0;
    for _ in 0..15 {
        network.run_for(seconds(1));
        let seized: Vec<u32> =
            network.trunk_group("mobile").members.iter().map(|member| member.seized).collect();
        let (least, most) = (seized.iter().min().unwrap(), seized.iter().max().unwrap());
        // Calls end when they like; only the choice of new ones is in our hands.
        assert!(most - least <= 12, "{seized:?}");
        looked += most;
    }
    assert!(looked > 0);
    assert_idle(&mut network);
}

#[test]
fn sticky_keeps_each_caller_on_one_site() {
    let (_, counts) = run("sticky");
    assert!(counts.iter().all(|count| *count > 200), "{counts:?}");
    let mut network = network_of_one_caller();
    for _ in 0..20 {
        let leg = network.dial("15");
        network.run_for(seconds(4));
        network.hang_up("caller", leg);
        network.run_for(seconds(1));
    }
    let used: Vec<u64> = shares(&network).into_values().filter(|count| *count > 0).collect();
    assert_eq!(used, [20]);
    // When the site of this caller dies, the calls go to another one.
    let site = shares(&network).into_iter().find(|(_, count)| *count > 0).unwrap().0;
    network.kill(&site);
    network.run_for(seconds(20));
    let leg = network.dial("15");
    network.run_for(seconds(4));
    assert_eq!(network.call(leg).heard, [180, 200]);
    network.hang_up("caller", leg);
    assert_idle(&mut network);
}

fn network_of_one_caller() -> Network {
    let mut network = three_sites("sticky");
    network.run_for(seconds(1));
    network
}

#[test]
fn every_policy_passes_over_a_dead_site() {
    for policy in ["weighted", "round-robin", "least-loaded", "sticky"] {
        let mut network = three_sites(policy);
        network.run_for(seconds(1));
        network.kill("beta");
        network.start_campaign(&steady(10.0));
        assert!(network.run_until_idle(seconds(600)), "{policy}: {:?}", network.held());
        let now = network.generator();
        assert_eq!(now.answered, now.offered, "{policy}: {now:?}");
        let at_beta = network.records().iter().filter(|record| {
            record.kind == BoxKind::TrunkGroup && record.site.as_deref() == Some("beta")
        });
        assert_eq!(at_beta.count(), 0, "{policy}");
    }
}
