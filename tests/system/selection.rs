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

/// Four sites, of which two are those of the Nord and one that of Paris; callers from both, from Corsica and from nowhere.
fn regions() -> Network {
    let site = |(at, name): (usize, &str)| {
        format!("[sites.{name}]\naddress = \"127.0.0.{}:5060\"\n", 11 + at)
    };
    let sites: String =
        ["alpha", "beta", "gamma", "delta"].into_iter().enumerate().map(site).collect();
    let text = format!(
        r#"{sites}
[trunk_groups.mobile]
address = "127.0.0.21:5060"
policy = "affinity"
circuits = 1000
[regions.nord]
departments = ["59", "62"]
sites = ["alpha", "beta"]
[regions.paris]
departments = ["75"]
sites = ["gamma"]
[psaps.samu-59]
address = "127.0.0.31:5060"
number = "0353010015"
positions = 1000
ring = "uniform 1s 3s"
talk = "10s"
[[routes]]
numbers = ["15"]
psaps = ["samu-59"]
"#
    );
    let mut network = Network::new(&text, Link::CLEAN, 43);
    network.net.forget_packets();
    network
}

/// 15 is called from these communes; the empty one is none.
fn calls_from(communes: &[&str]) -> Campaign {
    let mut campaign = steady(60.0);
    campaign.mix.truncate(1);
    campaign.mix[0].communes =
        communes.iter().filter(|one| !one.is_empty()).map(ToString::to_string).collect();
    campaign
}

/// The calls from each département at each site, as the trunk group wrote them down.
fn by_department(network: &Network) -> BTreeMap<(String, String), u64> {
    let mut counts = BTreeMap::new();
    for record in network.records().iter().filter(|one| one.kind == BoxKind::TrunkGroup) {
        let department = record.commune.as_deref().unwrap_or_default().chars().take(2).collect();
        *counts.entry((department, record.site.clone().unwrap_or_default())).or_default() += 1;
    }
    counts
}

#[test]
fn callers_of_a_region_use_its_sites_and_callers_from_elsewhere_all() {
    let mut network = regions();
    network.start_campaign(&calls_from(&["59350", "75056", "2A004"]));
    network.run_for(seconds(60));
    assert_idle(&mut network);
    let counts = by_department(&network);
    let at = |department: &str, site: &str| {
        counts.get(&(department.to_owned(), site.to_owned())).copied().unwrap_or_default()
    };
    let nord = ["alpha", "beta", "gamma", "delta"].map(|site| at("59", site));
    assert!(nord[0] > 150 && nord[0].abs_diff(nord[1]) <= 1, "{counts:?}");
    assert_eq!((nord[2], nord[3]), (0, 0), "{counts:?}");
    assert!(at("75", "gamma") > 300, "{counts:?}");
    assert_eq!(["alpha", "beta", "delta"].map(|site| at("75", site)), [0; 3], "{counts:?}");
    let corsica = ["alpha", "beta", "gamma", "delta"].map(|site| at("2A", site));
    assert!(
        corsica[0] > 75 && corsica.iter().all(|count| count.abs_diff(corsica[0]) <= 1),
        "{counts:?}"
    );
    assert_eq!(network.trunk_group("mobile").counts.rerouted, 0);
}

#[test]
fn a_call_that_tells_no_place_may_go_anywhere() {
    let mut network = regions();
    network.start_campaign(&calls_from(&[""]));
    network.run_for(seconds(60));
    let counts: Vec<u64> = shares(&network).into_values().collect();
    assert_eq!(counts, [300; 4]);
}

// Dead and locked: each time the others take what the sites of the region do not, evenly.
#[test]
fn the_load_of_a_region_whose_sites_take_no_calls_goes_to_the_others_evenly() {
    for what in ["dead", "locked"] {
        let mut network = regions();
        network.run_for(seconds(1));
        for site in ["alpha", "beta"] {
            if what == "dead" {
                network.kill(site);
            } else {
                network.command(site, "lock".parse().unwrap());
            }
        }
        network.run_for(seconds(20));
        let before = shares(&network);
        network.start_campaign(&calls_from(&["59350"]));
        assert!(network.run_until_idle(seconds(600)), "{what}: {:?}", network.held());
        let now = shares(&network);
        let new = ["alpha", "beta", "gamma", "delta"].map(|site| now[site] - before[site]);
        assert_eq!(new, [0, 0, 600, 600], "{what}");
        assert_eq!(network.generator().answered, 1_200, "{what}");
    }
    // One of the two takes all of the region's.
    let mut network = regions();
    network.run_for(seconds(1));
    network.kill("alpha");
    network.run_for(seconds(20));
    network.start_campaign(&calls_from(&["59350"]));
    assert!(network.run_until_idle(seconds(600)), "{:?}", network.held());
    assert_eq!(shares(&network).into_values().collect::<Vec<_>>()[1..], [1_200, 0, 0]);
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
