//! What operators command, as call servers carry it out while they have calls.

use contract::{EffectEnd, MemberState, Node as _, Reply};
use operations::Action;
use switch::CallServer;
use system_tests::network::Network;
use telemetry::Outcome;
use world::Link;

use crate::outage::hurried;
use crate::support::{SIX_SITES, assert_idle, campaign, ms, seconds};

/// The six sites with 30 calls a second, ten seconds in.
fn busy(seed: u64, changes: &[(&str, &str)]) -> Network {
    let mut text = SIX_SITES.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "{old:?} is not in the network");
        text = text.replace(old, new);
    }
    let mut network = Network::new(&text, Link::CLEAN, seed);
    network.start_campaign(&campaign(30.0, seconds(60), seed));
    network.run_for(seconds(10));
    network
}

/// Commands a site, in words.
pub(crate) fn command(network: &mut Network, site: &str, words: &str) -> Reply {
    let action: Action = words.parse().expect("words of an operator");
    let at = network.at(site);
    network.net.act(at, |machine: &mut CallServer, now| machine.handle_command(now, action))
}

pub(crate) fn done(network: &mut Network, site: &str, words: &str) -> String {
    match command(network, site, words) {
        Reply::Done(text) => text,
        other => panic!("{words}: {other:?}"),
    }
}

/// The ticket of a command that takes its time.
pub(crate) fn begun(network: &mut Network, site: &str, words: &str) -> u64 {
    match command(network, site, words) {
        Reply::Accepted { ticket, .. } => ticket,
        other => panic!("{words}: {other:?}"),
    }
}

/// How it ended, if it has.
pub(crate) fn end_of(network: &mut Network, site: &str, ticket: u64) -> Option<EffectEnd> {
    network.effect(site, ticket).map(|effect| effect.end)
}

fn ended(network: &mut Network, site: &str, ticket: u64) -> String {
    match end_of(network, site, ticket) {
        Some(EffectEnd::Done(text)) => text,
        other => panic!("{ticket}: {other:?}"),
    }
}

fn aborted(network: &mut Network, site: &str, ticket: u64) -> String {
    match end_of(network, site, ticket) {
        Some(EffectEnd::Aborted(why)) => why,
        other => panic!("{ticket}: {other:?}"),
    }
}

pub(crate) fn refused(network: &mut Network, site: &str, words: &str) -> String {
    match command(network, site, words) {
        Reply::Refused(text) => text,
        other => panic!("{words}: {other:?}"),
    }
}

fn end_well(mut network: Network) -> telemetry::Ledger {
    assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert_idle(&mut network);
    ledger
}

#[test]
fn a_locked_site_keeps_its_calls_and_gets_no_new_ones() {
    let mut network = busy(41, &[]);
    let before = network.call_server("alpha");
    assert!(before.calls > 0);
    done(&mut network, "alpha", "lock");
    network.run_for(seconds(5));
    let member = |network: &Network| {
        let members = network.trunk_group("mobile").members;
        members.into_iter().find(|member| member.site == "alpha").expect("a member").state
    };
    assert_eq!(member(&network), MemberState::Draining);
    let locked = network.call_server("alpha");
    network.run_for(seconds(5));
    assert_eq!(network.call_server("alpha").counts.offered, locked.counts.offered);
    done(&mut network, "alpha", "unlock");
    network.run_for(seconds(10));
    assert!(network.call_server("alpha").counts.offered > locked.counts.offered + 10);
    let ledger = end_well(network);
    assert_eq!((ledger.lost, ledger.rejected), (0, 0), "a lock costs no call: {ledger:#?}");
}

#[test]
fn a_restart_loses_the_calls_of_the_site_and_no_others() {
    let mut network = busy(42, &[]);
    let held = network.call_server("beta").calls as u64;
    let restart = begun(&mut network, "beta", "restart");
    assert_eq!(command(&mut network, "beta", "show"), Reply::Silent, "it is starting");
    let starting = network.call_server("beta");
    assert!(starting.starting && starting.calls == 0 && starting.restarts == 1);
    network.run_for(seconds(39));
    assert_eq!(command(&mut network, "beta", "show"), Reply::Silent);
    assert_eq!(end_of(&mut network, "beta", restart), None, "it is not in service yet");
    network.run_for(seconds(2));
    assert_eq!(ended(&mut network, "beta", restart), "in service with release sound");
    assert!(done(&mut network, "beta", "show").contains("release sound"));
    assert_eq!(network.restarts().len(), 1);
    let ledger = end_well(network);
    assert!(ledger.lost <= held, "{ledger:#?}");
    let at = |place: &telemetry::LostAt| (place.node.clone(), place.why.clone());
    let places: Vec<_> = ledger.lost_at.iter().map(at).collect();
    assert_eq!(places, [("beta".to_owned(), "restarted by command".to_owned())]);
}

#[test]
fn a_dead_site_is_left_by_its_callers_when_the_trunk_group_releases() {
    let mut network = busy(43, &[("circuits = ", "when_site_dies = \"release\"\ncircuits = ")]);
    let held = network.call_server("gamma").calls as u64;
    begun(&mut network, "gamma", "restart");
    network.run_for(seconds(8));
    let at_once = network.generator().lost;
    assert!(at_once > 0 && at_once <= held, "{at_once} of {held}");
    let causes: Vec<_> = network
        .records()
        .iter()
        .filter(|record| record.node == "generator" && record.outcome == Outcome::Lost)
        .map(|record| record.cause)
        .collect();
    assert!(causes.iter().all(|cause| *cause == Some(27)), "{causes:?}");
    end_well(network);
}

#[test]
fn links_in_the_documented_order_cost_nothing() {
    let mut network = busy(44, &[]);
    done(&mut network, "delta", "lock");
    network.run_for(seconds(12));
    assert_eq!(network.call_server("delta").calls, 0);
    assert!(done(&mut network, "delta", "disconnect").contains("0 calls were cut"));
    network.run_for(seconds(5));
    assert!(done(&mut network, "delta", "reconnect").contains("within 2s"));
    network.run_for(seconds(5));
    done(&mut network, "delta", "unlock");
    network.run_for(seconds(10));
    assert!(network.call_server("delta").calls > 0);
    assert!(!network.call_server("delta").stale_circuits);
    let ledger = end_well(network);
    assert_eq!((ledger.lost, ledger.rejected), (0, 0), "{ledger:#?}");
}

#[test]
fn links_that_are_cut_lose_their_calls_and_get_their_circuits_back_one_by_one() {
    let mut network =
        busy(45, &[("[sites.alpha]", "[equipment]\ncircuit_audit = \"2s\"\n[sites.alpha]")]);
    let held = network.call_server("alpha").calls;
    assert!(held > 5, "{held}");
    let said = done(&mut network, "alpha", "disconnect");
    assert!(said.contains(&format!("{held} calls were cut")), "{said}");
    assert_eq!(network.call_server("alpha").calls, 0);
    assert_eq!(refused(&mut network, "alpha", "disconnect"), "the links are disconnected already");
    network.run_for(seconds(8));
    done(&mut network, "alpha", "reconnect");
    assert!(network.call_server("alpha").stale_circuits, "it was not locked before");
    // Found up again after two probes; then as many calls as circuits were audited.
    network.run_for(seconds(5));
    assert!(network.call_server("alpha").calls <= 3 * 3);
    assert!(network.call_server("alpha").counts.shed > 0, "{:?}", network.call_server("alpha"));
    let ledger = end_well(network);
    assert!(ledger.lost > 0 && ledger.lost <= held as u64 + 5, "{ledger:#?}");
}

#[test]
fn an_isolated_site_obeys_and_hears_nothing() {
    let mut network = busy(46, &[]);
    done(&mut network, "zeta", "isolate");
    network.run_for(seconds(10));
    assert!(done(&mut network, "zeta", "show").contains("isolated"));
    let before = network.call_server("zeta").counts.offered;
    network.run_for(seconds(5));
    assert_eq!(network.call_server("zeta").counts.offered, before);
    assert_eq!(refused(&mut network, "alpha", "rejoin"), "it is not isolated");
    done(&mut network, "zeta", "rejoin");
    network.run_for(seconds(12));
    assert!(network.call_server("zeta").counts.offered > before);
    end_well(network);
}

#[test]
fn ordinary_calls_are_shed_and_emergency_calls_are_not() {
    let mut network = Network::new(SIX_SITES, Link::CLEAN, 47);
    for site in ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"] {
        done(&mut network, site, "shed ordinary");
    }
    network.run_for(ms(100));
    let ordinary = network.dial("0353010015");
    let emergency = network.dial("15");
    network.run_for(seconds(4));
    assert_eq!(network.call(ordinary).heard, [480]);
    assert!(network.call(emergency).heard.contains(&200));
    done(&mut network, "alpha", "shed nothing");
    network.hang_up("caller", emergency);
    network.run_for(seconds(1));
}

#[test]
fn a_release_is_installed_run_and_rolled_back() {
    let releases = "[releases.r7.defects.context-leak]\n[releases.r8]\n[equipment]\nrelease = \"r7\"\n[sites.alpha]";
    let mut network = busy(48, &[("[sites.alpha]", releases)]);
    assert_eq!(network.call_server("alpha").release, "r7");
    let said = refused(&mut network, "alpha", "load r9");
    assert_eq!(said, "there is no release \"r9\"; there are r7, r8, sound");
    assert_eq!(refused(&mut network, "alpha", "load r7"), "release r7 runs already");
    assert_eq!(refused(&mut network, "alpha", "rollback"), "there is no earlier release on it");
    let load = begun(&mut network, "alpha", "load r8");
    // It goes on whether the site is in the pool or not.
    done(&mut network, "alpha", "isolate");
    network.run_for(seconds(10));
    done(&mut network, "alpha", "rejoin");
    network.run_for(seconds(49));
    assert_eq!(network.call_server("alpha").release, "r7", "it serves while it is being loaded");
    network.run_for(seconds(2));
    assert!(network.call_server("alpha").starting);
    network.run_for(seconds(35));
    assert_eq!(end_of(&mut network, "alpha", load), None);
    network.run_for(seconds(6));
    assert_eq!(ended(&mut network, "alpha", load), "in service with release r8");
    assert_eq!(network.call_server("alpha").release, "r8");
    let rollback = begun(&mut network, "alpha", "rollback");
    network.run_for(seconds(41));
    assert_eq!(ended(&mut network, "alpha", rollback), "in service with release r7");
    assert_eq!(network.call_server("alpha").release, "r7");
    end_well(network);
}

#[test]
fn what_cuts_an_installation_short_is_told() {
    let releases = "[releases.r8]\n[releases.r9]\n[sites.alpha]";
    let mut network = busy(49, &[("[sites.alpha]", releases)]);
    let first = begun(&mut network, "alpha", "load r9");
    network.run_for(seconds(5));
    let load = begun(&mut network, "alpha", "load r8");
    assert_eq!(aborted(&mut network, "alpha", first), "load r8 took its place");
    network.run_for(seconds(30));
    let restart = begun(&mut network, "alpha", "restart");
    let why = "the software ended: restarted by command";
    assert_eq!(aborted(&mut network, "alpha", load), why);
    network.run_for(seconds(120));
    assert_eq!(network.call_server("alpha").release, "sound");
    assert_eq!(ended(&mut network, "alpha", restart), "in service with release sound");
    let load = begun(&mut network, "alpha", "load r8");
    network.kill("alpha");
    assert_eq!(aborted(&mut network, "alpha", load), "the machine was lost");
}

// A load that takes longer than the memory lasts never gets there, and says so.
#[test]
fn a_defect_that_restarts_the_site_aborts_what_it_was_loading() {
    let equipment = "[releases.r7.defects.context-leak]\n[releases.r8]\n[equipment]\nrelease = \"r7\"\n\
                     contexts = 60\ncircuit_audit = \"10ms\"\n[sites.alpha]";
    let mut network = busy(52, &[("[sites.alpha]", equipment)]);
    done(&mut network, "alpha", "disconnect");
    network.run_for(ms(500));
    done(&mut network, "alpha", "reconnect");
    let load = begun(&mut network, "alpha", "load r8");
    network.run_for(seconds(45));
    let why = "the software ended: its memory for calls is full";
    assert_eq!(aborted(&mut network, "alpha", load), why);
    assert_eq!(network.call_server("alpha").release, "r7");
}

#[test]
fn a_site_that_returns_is_readmitted_gradually() {
    let slow = [("[sites.alpha]", "[pool]\nreadmit_over = \"40s\"\n[sites.alpha]")];
    let mut network = Network::new(&SIX_SITES.replace(slow[0].0, slow[0].1), Link::CLEAN, 50);
    network.start_campaign(&hurried(60.0, seconds(150), 50));
    network.run_for(seconds(10));
    begun(&mut network, "epsilon", "restart");
    network.run_for(seconds(45));
    let offered = |network: &Network| network.call_server("epsilon").counts.offered;
    let start = offered(&network);
    network.run_for(seconds(10));
    let early = offered(&network) - start;
    network.run_for(seconds(30));
    let middle = offered(&network);
    network.run_for(seconds(10));
    let late = offered(&network) - middle;
    // A trunk group that prefers the least loaded site would rather give it more.
    assert!(early * 2 < late, "{early} calls in the first ten seconds, {late} later");
}

#[test]
fn an_unknown_link_is_named() {
    let mut network = busy(51, &[]);
    let said = refused(&mut network, "alpha", "disconnect mobil");
    assert_eq!(said, "no link leads to \"mobil\"; the links are mobile, fixe, rtc");
    assert!(done(&mut network, "alpha", "disconnect mobile").starts_with("1 links"));
    network.run_for(seconds(10));
    assert!(network.call_server("alpha").calls > 0, "the other links carry calls");
}
