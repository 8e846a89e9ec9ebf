//! Ways that are impaired as a campaign impairs them, and a machine that gets power back with what was on its disk.

use contract::{MemberState, Reply};
use operations::{Action, Impairment, ImpairmentOrder, Share};
use system_tests::network::Network;
use telemetry::BoxKind;
use world::Link;

use crate::support::{SIX_SITES, assert_idle, campaign, ms, seconds};

fn network(seed: u64) -> Network {
    let mut network = Network::new(SIX_SITES, Link::CLEAN, seed);
    network.net.forget_packets();
    network.run_for(seconds(3));
    network
}

fn order(network: &Network, other: Option<&str>, what: Option<Impairment>) -> ImpairmentOrder {
    let peers = other.map(|other| network.topology.ips_of(other).into_iter().collect());
    ImpairmentOrder { id: 1, seed: 5, peers, what }
}

fn state_of(network: &Network, group: &str, site: &str) -> MemberState {
    let members = network.trunk_group(group).members;
    members.iter().find(|member| member.site == site).unwrap().state
}

// Between two boxes means between these two alone.
#[test]
fn a_cut_between_two_boxes_is_found_by_one_of_them_and_heals() {
    let mut network = network(71);
    let cut = Some(Impairment { cut: true, ..Impairment::default() });
    let way = order(&network, Some("alpha"), cut);
    network.impair("mobile", way.clone());
    network.run_for(seconds(12));
    assert_eq!(state_of(&network, "mobile", "alpha"), MemberState::Down);
    assert_eq!(state_of(&network, "mobile", "beta"), MemberState::Up);
    let other = network.topology.trunk_groups.iter().find(|group| group.name != "mobile").unwrap();
    let other = other.name.clone();
    assert_eq!(state_of(&network, &other, "alpha"), MemberState::Up);
    network.impair("mobile", ImpairmentOrder { what: None, ..way });
    network.run_for(seconds(8));
    assert_eq!(state_of(&network, "mobile", "alpha"), MemberState::Up);
}

#[test]
fn calls_over_impaired_ways_have_one_outcome_each_and_leave_nothing_behind() {
    let mut network = network(72);
    let bad = Impairment {
        loss: Share::of(0.05),
        delay: ms(20),
        jitter: ms(30),
        duplicate: Share::of(0.05),
        reorder: Share::of(0.05),
        cut: false,
    };
    for name in ["mobile", "alpha", "samu-59"] {
        let way = order(&network, None, Some(bad));
        network.impair(name, way);
    }
    network.start_campaign(&campaign(60.0, seconds(20), 72));
    assert!(network.run_until_idle(seconds(2 * 3_600)), "{:?}", network.held());
    let now = network.generator();
    assert_eq!((now.in_progress, now.not_started), (0, 0));
    assert!(now.answered * 10 > now.offered * 8, "{now:?}");
    let ledger = network.ledger(now.offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert_idle(&mut network);
}

// The same seed loses the same packets.
#[test]
fn an_impaired_network_can_be_repeated() {
    let run = |seed: u64| {
        let mut network = network(73);
        let loss = Some(Impairment { loss: Share::of(0.1), ..Impairment::default() });
        let way = ImpairmentOrder { seed, ..order(&network, None, loss) };
        network.impair("mobile", way);
        network.start_campaign(&campaign(20.0, seconds(10), 73));
        assert!(network.run_until_idle(seconds(2 * 3_600)), "{:?}", network.held());
        network.net.trace().hash()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_site_that_gets_power_back_boots_and_is_as_operators_left_it() {
    let mut network = network(74);
    let reply = network.command("alpha", Action::Block { number: "18".to_owned() });
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    let reply = network.command("alpha", Action::Lock);
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    let disk = network.call_server("alpha").disk;
    assert!(disk.locked && disk.blocked.contains("18"), "{disk:?}");
    network.kill("alpha");
    network.run_for(seconds(12));
    assert_eq!(state_of(&network, "mobile", "alpha"), MemberState::Down);
    network.power_on("alpha");
    assert!(network.call_server("alpha").starting);
    let boot = network.topology.call_servers().next().unwrap().equipment.boot;
    network.run_for(boot + seconds(10));
    assert_eq!(network.call_server("alpha").disk, disk);
    let reply = network.command("alpha", Action::Unlock);
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    network.start_campaign(&campaign(40.0, seconds(10), 74));
    assert!(network.run_until_idle(seconds(2 * 3_600)), "{:?}", network.held());
    let at_alpha = network
        .records()
        .iter()
        .filter(|record| record.kind == BoxKind::CallServer && record.node == "alpha");
    assert!(at_alpha.count() > 20);
}
