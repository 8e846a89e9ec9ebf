//! The power switch and the console, which reach a site whatever its software does.

use contract::{EffectEnd, Reply};
use system_tests::network::Network;
use world::Link;

use crate::machine::{begun, command, done, end_of, refused};
use crate::outage::hurried;
use crate::support::{SIX_SITES, ms, seconds};

/// The six sites with twelve calls a second, ten seconds in; alpha leaks, and is full every half a minute or so.
fn looping(seed: u64, technician: &str) -> Network {
    let equipment = format!(
        "[releases.r7.defects.context-leak]\n[releases.r8]\n[equipment]\nrelease = \"r7\"\n\
         boot = \"10s\"\ninstall = \"60s\"\ncontexts = 40\ncircuit_audit = \"10ms\"\n\
         technician = \"{technician}\"\n[sites.alpha]"
    );
    let text = SIX_SITES.replace("[sites.alpha]", &equipment);
    let mut network = Network::new(&text, Link::CLEAN, seed);
    network.start_campaign(&hurried(12.0, seconds(900), seed));
    network.run_for(seconds(10));
    done(&mut network, "alpha", "disconnect");
    network.run_for(ms(500));
    done(&mut network, "alpha", "reconnect");
    while network.call_server("alpha").restarts < 2 {
        network.run_for(seconds(1));
    }
    assert!(network.call_server("alpha").starting);
    network
}

fn wait_for(network: &mut Network, ticket: u64) -> EffectEnd {
    for _ in 0..600 {
        if let Some(end) = end_of(network, "alpha", ticket) {
            return end;
        }
        network.run_for(seconds(1));
    }
    panic!("no end of {ticket}");
}

fn in_service(release: &str) -> EffectEnd {
    EffectEnd::Done(format!("in service with release {release}"))
}

/// It has carried calls for five minutes without a restart.
fn assert_cured(network: &mut Network) {
    let before = network.call_server("alpha");
    network.run_for(seconds(300));
    let now = network.call_server("alpha");
    assert_eq!(now.restarts, before.restarts);
    assert!(now.counts.offered > before.counts.offered + 100, "{now:?}");
}

#[test]
fn a_console_loads_a_release_that_the_loop_would_never_let_in() {
    let mut network = looping(81, "0s");
    assert_eq!(command(&mut network, "alpha", "load r8"), Reply::Silent, "it is starting");
    network.run_for(seconds(11));
    let in_band = begun(&mut network, "alpha", "load r8");
    let why = "the software ended: its memory for calls is full".to_owned();
    assert_eq!(wait_for(&mut network, in_band), EffectEnd::Aborted(why), "a minute is too long");
    let console = begun(&mut network, "alpha", "console load r8");
    assert_eq!(network.call_server("alpha").release, "r7", "it is being copied");
    network.run_for(seconds(69));
    assert!(network.call_server("alpha").starting);
    assert_eq!(wait_for(&mut network, console), in_service("r8"));
    assert_cured(&mut network);
}

#[test]
fn a_clean_restart_at_the_console_ends_the_loop() {
    let mut network = looping(82, "0s");
    assert_eq!(command(&mut network, "alpha", "restart clean"), Reply::Silent);
    done(&mut network, "alpha", "console isolate");
    assert!(done(&mut network, "alpha", "console show").contains("isolated"));
    let restart = begun(&mut network, "alpha", "console restart clean");
    assert_eq!(wait_for(&mut network, restart), in_service("r7"));
    done(&mut network, "alpha", "rejoin");
    assert_cured(&mut network);
}

#[test]
fn a_site_without_power_stays_down_until_it_gets_some() {
    let mut network = looping(83, "0s");
    let load = begun(&mut network, "alpha", "console load r8");
    done(&mut network, "alpha", "power off");
    let cut = EffectEnd::Aborted("its power was cut".to_owned());
    assert_eq!(end_of(&mut network, "alpha", load), Some(cut));
    assert_eq!(refused(&mut network, "alpha", "power off"), "it has no power");
    assert!(refused(&mut network, "alpha", "console show").contains("give power on first"));
    assert_eq!(command(&mut network, "alpha", "show"), Reply::Silent);
    network.run_for(seconds(200));
    let off = network.call_server("alpha");
    assert!(off.off && off.starting && off.release == "r7", "{off:?}");
    let on = begun(&mut network, "alpha", "power on");
    assert_eq!(refused(&mut network, "alpha", "power on"), "it has power");
    network.run_for(seconds(9));
    assert_eq!(end_of(&mut network, "alpha", on), None);
    assert_eq!(wait_for(&mut network, on), in_service("r7"));
    // A power cycle cures nothing that is on the disk.
    let cycle = begun(&mut network, "alpha", "power cycle");
    assert_eq!(wait_for(&mut network, cycle), in_service("r7"));
    assert!(network.call_server("alpha").stale_circuits);
}

#[test]
fn a_frozen_machine_is_reached_by_its_power_switch_alone() {
    let mut network = Network::new(SIX_SITES, Link::CLEAN, 84);
    network.run_for(seconds(2));
    network.freeze("alpha");
    assert_eq!(command_of_network(&mut network, "console restart"), Reply::Silent);
    let reply = command_of_network(&mut network, "power cycle");
    let Reply::Accepted { ticket, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(wait_for(&mut network, ticket), in_service("sound"));
}

/// As the stage of a run gives it.
fn command_of_network(network: &mut Network, words: &str) -> Reply {
    network.command("alpha", words.parse().expect("words of an operator"))
}

#[test]
fn a_technician_has_to_get_there_first() {
    let mut network = looping(85, "20m");
    let reply = command(&mut network, "alpha", "console load r8");
    let Reply::Accepted { ticket, text } = reply else { panic!("{reply:?}") };
    assert_eq!(text, "a technician is there within 20m");
    let wrong = begun(&mut network, "alpha", "console load r9");
    network.run_for(seconds(1_199));
    assert_eq!(network.call_server("alpha").release, "r7");
    network.run_for(seconds(2));
    let known = "refused, there is no release \"r9\"; there are r7, r8, sound".to_owned();
    assert_eq!(end_of(&mut network, "alpha", wrong), Some(EffectEnd::Aborted(known)));
    assert_eq!(wait_for(&mut network, ticket), in_service("r8"));
}
