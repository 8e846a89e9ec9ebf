//! Each latent defect: its trigger, its effect, its cure, and a near miss that does not trigger it.

use system_tests::network::Network;
use world::Link;

use crate::machine::{begun, command, done, end_of, refused};
use crate::outage::hurried;
use crate::support::{SIX_SITES, ms, seconds};

const SITES: [&str; 6] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];

/// The six sites with `release` on all of them, and a machine that is quick to start.
fn with_release(release: &str, equipment: &str, seed: u64) -> Network {
    let text = SIX_SITES.replace(
        "[sites.alpha]",
        &format!("{release}\n[releases.r8]\n[equipment]\nrelease = \"r7\"\nboot = \"10s\"\ninstall = \"5s\"\n{equipment}\n[sites.alpha]"),
    );
    Network::new(&text, Link::CLEAN, seed)
}

fn flood(network: &mut Network, rate: f64, length: u64) {
    network.start_campaign(&hurried(rate, seconds(length), 7));
    network.run_for(seconds(10));
}

fn restarts(network: &Network) -> Vec<u32> {
    SITES.iter().map(|site| network.call_server(site).restarts).collect()
}

/// Reconnects the links of a site as on the evening of the outage: without locking it before.
fn reconnect_unlocked(network: &mut Network, site: &str) {
    done(network, site, "disconnect");
    network.run_for(ms(500));
    done(network, site, "reconnect");
}

fn leaking(seed: u64) -> Network {
    let equipment = "contexts = 60\ncircuit_audit = \"100ms\"";
    with_release("[releases.r7.defects.context-leak]", equipment, seed)
}

#[test]
fn contexts_leak_until_the_memory_is_full_again_and_again() {
    let mut network = leaking(61);
    flood(&mut network, 30.0, 240);
    reconnect_unlocked(&mut network, "alpha");
    network.run_for(seconds(5));
    let used = network.call_server("alpha").contexts_used;
    network.run_for(seconds(4));
    assert!(network.call_server("alpha").contexts_used > used, "calls leave contexts behind");
    network.run_for(seconds(200));
    let restarts = restarts(&network);
    assert!(restarts[0] >= 3, "{restarts:?}: the poisoned configuration is loaded again");
    let full = "its memory for calls is full";
    assert!(network.restarts().iter().all(|(_, _, why)| *why == full), "{:?}", network.restarts());
    assert_eq!(restarts[1..], [0; 5]);
}

#[test]
fn the_documented_order_leaves_no_stale_circuit() {
    let mut network = leaking(62);
    flood(&mut network, 30.0, 120);
    done(&mut network, "alpha", "lock");
    reconnect_unlocked(&mut network, "alpha");
    done(&mut network, "alpha", "unlock");
    network.run_for(seconds(100));
    assert_eq!(restarts(&network), [0; 6]);
}

#[test]
fn a_leak_shows_only_when_traffic_comes() {
    let mut network = leaking(63);
    network.run_for(seconds(5));
    reconnect_unlocked(&mut network, "alpha");
    network.run_for(seconds(600));
    assert_eq!(restarts(&network), [0; 6], "no traffic, no symptom");
    flood(&mut network, 30.0, 60);
    network.run_for(seconds(60));
    assert!(network.call_server("alpha").restarts > 0);
}

#[test]
fn a_sound_release_is_not_harmed_by_the_same_commands() {
    let mut network = with_release("[releases.r7]", "contexts = 60", 64);
    flood(&mut network, 30.0, 120);
    reconnect_unlocked(&mut network, "alpha");
    network.run_for(seconds(100));
    assert_eq!(restarts(&network), [0; 6]);
}

#[test]
fn where_sites_share_their_configuration_a_clean_restart_cures_only_away_from_the_pool() {
    let release = "[pool]\nsync_configuration = true\n[releases.r7.defects.context-leak]";
    let mut network = with_release(release, "contexts = 60\ncircuit_audit = \"100ms\"", 65);
    flood(&mut network, 12.0, 600);
    reconnect_unlocked(&mut network, "alpha");
    reconnect_unlocked(&mut network, "beta");
    begun(&mut network, "alpha", "restart clean");
    network.run_for(seconds(15));
    assert!(network.call_server("alpha").stale_circuits, "beta has handed it back");
    done(&mut network, "alpha", "isolate");
    begun(&mut network, "alpha", "restart clean");
    network.run_for(seconds(15));
    done(&mut network, "alpha", "rejoin");
    assert!(!network.call_server("alpha").stale_circuits);
    let before = network.call_server("alpha").restarts;
    network.run_for(seconds(120));
    assert_eq!(network.call_server("alpha").restarts, before, "it is cured");
    assert!(network.call_server("alpha").counts.offered > 0);
}

#[test]
fn a_clean_restart_cures_the_leak_amid_a_poisoned_pool() {
    let mut network = leaking(73);
    flood(&mut network, 12.0, 300);
    for site in ["alpha", "beta"] {
        reconnect_unlocked(&mut network, site);
    }
    begun(&mut network, "alpha", "restart clean");
    network.run_for(seconds(150));
    let alpha = network.call_server("alpha");
    assert!(!alpha.stale_circuits && alpha.restarts == 1 && alpha.counts.offered > 0, "{alpha:?}");
    assert!(network.call_server("beta").restarts > 0, "the other one is as it was");
}

#[test]
fn a_patched_release_bears_the_poisoned_configuration() {
    let mut network = leaking(66);
    flood(&mut network, 12.0, 400);
    reconnect_unlocked(&mut network, "alpha");
    begun(&mut network, "alpha", "load r8");
    network.run_for(seconds(20));
    let before = network.call_server("alpha").restarts;
    network.run_for(seconds(120));
    let alpha = network.call_server("alpha");
    assert!(alpha.stale_circuits && alpha.restarts == before && alpha.release == "r8", "{alpha:?}");
}

/// As it is armed if nothing is said of its window: 10 ms.
const RECOVERY_CRASH: &str = "[releases.r7.defects.recovery-crash]";

// With some traffic messages of a recovered site come close to each other; with little they do not.
#[test]
fn a_recovery_makes_the_neighbours_fall_under_load_and_not_without() {
    let mut network = with_release(RECOVERY_CRASH, "", 67);
    flood(&mut network, 30.0, 200);
    begun(&mut network, "alpha", "restart");
    network.run_for(seconds(120));
    let fallen = restarts(&network);
    assert!(fallen.iter().sum::<u32>() > 6, "{fallen:?}: restarts go from neighbour to neighbour");
    let mut network = with_release(RECOVERY_CRASH, "", 68);
    flood(&mut network, 0.5, 200);
    begun(&mut network, "alpha", "restart");
    network.run_for(seconds(120));
    assert_eq!(restarts(&network), [1, 0, 0, 0, 0, 0]);
}

#[test]
fn the_wave_of_restarts_ends_with_less_load() {
    let mut network = with_release(RECOVERY_CRASH, "", 74);
    let mut campaign = hurried(30.0, seconds(120), 7);
    let quiet = campaign::Arrivals::Poisson { rate: 0.3 };
    let quiet =
        campaign::Phase { name: "quiet".to_owned(), duration: seconds(400), arrivals: quiet };
    campaign.phases.push(quiet);
    network.start_campaign(&campaign);
    network.run_for(seconds(10));
    begun(&mut network, "alpha", "restart");
    network.run_for(seconds(110));
    let waves = restarts(&network).iter().sum::<u32>();
    assert!(waves > 6, "{waves}");
    network.run_for(seconds(120));
    let ebbed = restarts(&network);
    network.run_for(seconds(240));
    assert_eq!(restarts(&network), ebbed, "less load is the cure");
    assert!(SITES.iter().all(|site| !network.call_server(site).starting));
}

#[test]
fn a_poison_call_fells_the_whole_pool_one_site_after_the_other() {
    let release = "[releases.r7.defects.poison-call]\nnumber = \"196\"\nbusy = 3";
    let mut network = with_release(release, "", 69);
    network.run_for(seconds(1));
    let leg = network.dial("196");
    network.run_for(seconds(5));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(restarts(&network), [0; 6], "a quiet site bears the call");
    flood(&mut network, 40.0, 60);
    network.dial("196");
    network.run_for(seconds(15));
    assert_eq!(restarts(&network), [1; 6], "each site that is offered the call falls");
    network.run_for(seconds(20));
    let answered = network.generator().answered;
    network.run_for(seconds(10));
    assert!(network.generator().answered > answered + 100, "all have started again");
}

#[test]
fn a_poison_call_is_kept_out_by_a_block_at_each_site_or_borne_by_a_sound_release() {
    let release = "[releases.r7.defects.poison-call]\nnumber = \"196\"\nbusy = 3";
    let dial_under_load = |cure: &str, wait: u64| {
        let mut network = with_release(release, "", 75);
        flood(&mut network, 40.0, 200);
        for site in SITES {
            command(&mut network, site, cure);
            network.run_for(seconds(wait));
        }
        network.run_for(seconds(20));
        let before = restarts(&network);
        assert!(SITES.iter().all(|site| network.call_server(site).calls > 3));
        let leg = network.dial("196");
        network.run_for(seconds(5));
        assert_eq!(restarts(&network), before, "{cure}");
        let heard = network.call(leg).heard.clone();
        network.hang_up("caller", leg);
        (network, heard)
    };
    let (mut network, heard) = dial_under_load("block 196", 0);
    assert_eq!(heard, [403], "no site is asked after the first");
    assert!(done(&mut network, "beta", "show").contains("refuses calls for 196"));
    assert_eq!(refused(&mut network, "beta", "unblock 15"), "15 is not blocked");
    done(&mut network, "beta", "unblock 196");
    let (_, heard) = dial_under_load("load r8", 15);
    assert!(heard.contains(&200), "{heard:?}");
}

#[test]
fn a_counter_that_is_used_up_fails_one_class_of_calls_while_all_is_green() {
    let release = "[releases.r7.defects.counter-ceiling]\nnumbers = [\"15\"]\nceiling = 2";
    let mut network = with_release(release, "", 70);
    network.run_for(seconds(1));
    let mut heard = Vec::new();
    // Sticky to one site: the others would still have numbers left.
    for site in &SITES[1..] {
        done(&mut network, site, "lock");
    }
    network.run_for(seconds(3));
    for number in ["15", "15", "15", "18"] {
        let leg = network.dial(number);
        network.run_for(seconds(4));
        heard.push(network.call(leg).heard.last().copied());
        network.hang_up("caller", leg);
        network.run_for(seconds(1));
    }
    assert_eq!(heard, [Some(200), Some(200), Some(480), Some(200)]);
    let members = network.trunk_group("mobile").members;
    assert_eq!(members[0].state, contract::MemberState::Up, "health checks stay green");
    // The cure: another site carries its calls.
    done(&mut network, "beta", "unlock");
    done(&mut network, "alpha", "lock");
    network.run_for(seconds(5));
    let leg = network.dial("15");
    network.run_for(seconds(4));
    assert_eq!(network.call(leg).heard.last(), Some(&200));
    network.hang_up("caller", leg);
    // Or a release that has numbers enough.
    done(&mut network, "beta", "lock");
    begun(&mut network, "alpha", "load r8");
    network.run_for(seconds(20));
    done(&mut network, "alpha", "unlock");
    network.run_for(seconds(5));
    let leg = network.dial("15");
    network.run_for(seconds(4));
    assert_eq!(network.call(leg).heard.last(), Some(&200));
    assert_eq!(network.call_server("beta").calls, 0);
}

#[test]
fn a_lock_before_the_diversion_swallows_emergency_calls_alone() {
    let release = "[releases.r7.defects.silent-lock]";
    let mut network = with_release(release, "", 71);
    network.run_for(seconds(1));
    for site in &SITES[1..] {
        done(&mut network, site, "isolate");
    }
    network.run_for(seconds(10));
    done(&mut network, "alpha", "lock");
    network.run_for(seconds(5));
    let members = network.trunk_group("mobile").members;
    assert_eq!(members[0].state, contract::MemberState::Up, "health checks stay green");
    let (emergency, ordinary) = (network.dial("15"), network.dial("0353010015"));
    network.run_for(seconds(30));
    assert_eq!(network.call(emergency).heard, [0_u16; 0], "silence");
    assert_eq!(network.call(ordinary).heard, [503], "refused, so that it could go elsewhere");
    // The cure.
    done(&mut network, "alpha", "unlock");
    let emergency = network.dial("15");
    network.run_for(seconds(5));
    assert!(network.call(emergency).heard.contains(&200));
    network.hang_up("caller", emergency);
    // The near miss: traffic is led away first.
    network.run_for(seconds(1));
    done(&mut network, "alpha", "drain");
    done(&mut network, "alpha", "lock");
    network.run_for(seconds(5));
    assert_eq!(network.trunk_group("mobile").members[0].state, contract::MemberState::Draining);
    let emergency = network.dial("15");
    network.run_for(seconds(5));
    assert_eq!(network.call(emergency).heard, [503]);
}

#[test]
fn a_poison_replica_fells_the_partner_again_and_again() {
    let release =
        "[pool]\nreplicate_calls = true\n[releases.r7.defects.poison-replica]\nnumber = \"196\"";
    let mut network = with_release(release, "", 72);
    network.run_for(seconds(1));
    let leg = network.dial("15");
    network.run_for(seconds(5));
    network.hang_up("caller", leg);
    assert_eq!(restarts(&network), [0; 6]);
    let leg = network.dial("196");
    network.run_for(seconds(60));
    network.hang_up("caller", leg);
    let fallen = restarts(&network);
    assert_eq!(fallen.iter().filter(|count| **count > 0).count(), 1, "{fallen:?}");
    assert!(
        fallen.iter().any(|count| *count >= 4),
        "{fallen:?}: the journal is read at every start"
    );
    // It falls at once when it starts; nobody can command it but at the console.
    let fallen = SITES[fallen.iter().position(|count| *count > 0).unwrap()];
    assert!(network.call_server(fallen).starting);
    assert_eq!(command(&mut network, fallen, "restart clean"), contract::Reply::Silent);
}

#[test]
fn a_poison_replica_is_left_behind_at_the_console() {
    let release =
        "[pool]\nreplicate_calls = true\n[releases.r7.defects.poison-replica]\nnumber = \"196\"";
    for cure in ["console restart clean", "console load r8"] {
        let mut network = with_release(release, "", 76);
        flood(&mut network, 12.0, 400);
        let leg = network.dial("196");
        network.run_for(seconds(40));
        network.hang_up("caller", leg);
        network.run_for(seconds(2));
        let fallen = restarts(&network).iter().position(|count| *count > 1);
        let fallen = SITES[fallen.expect("the partner falls again and again")];
        let ticket = begun(&mut network, fallen, cure);
        network.run_for(seconds(20));
        let end = end_of(&mut network, fallen, ticket);
        assert!(matches!(end, Some(contract::EffectEnd::Done(_))), "{cure}: {end:?}");
        let before = network.call_server(fallen);
        network.run_for(seconds(120));
        let now = network.call_server(fallen);
        assert_eq!(now.restarts, before.restarts, "{cure}");
        assert!(now.counts.offered > before.counts.offered + 50, "{cure}: {now:?}");
    }
}

// Armed directly, in the software that runs: it acts as one of a release does, outlives a restart, and goes with the software.
#[test]
fn a_defect_that_is_armed_by_hand_acts_until_it_is_taken_out_or_other_software_is_loaded() {
    let mut network = with_release("[releases.r7]", "", 76);
    flood(&mut network, 40.0, 300);
    let armed = |network: &Network, site| network.call_server(site).defects;
    assert_eq!(
        refused(&mut network, "alpha", "disarm poison-call"),
        "poison-call is not in its software"
    );
    for site in SITES {
        assert_eq!(
            done(&mut network, site, "arm poison-call number=196 busy=3"),
            "poison-call sleeps in its software"
        );
    }
    network.run_for(seconds(10));
    assert_eq!(restarts(&network), [0; 6], "it sleeps");
    network.dial("196");
    network.run_for(seconds(15));
    assert_eq!(restarts(&network), [1; 6], "each site that is offered the call falls");
    network.run_for(seconds(20));
    assert_eq!(armed(&network, "alpha"), ["poison-call"], "it was not in the memory alone");
    // Armed again, with other keys, it is the same one.
    done(&mut network, "alpha", "arm poison-call number=191");
    assert_eq!(armed(&network, "alpha"), ["poison-call"]);
    for site in &SITES[..5] {
        done(&mut network, site, "disarm poison-call");
    }
    begun(&mut network, "zeta", "console load r8");
    network.run_for(seconds(30));
    assert_eq!(armed(&network, "zeta"), [""; 0]);
    let before = restarts(&network);
    network.dial("196");
    network.run_for(seconds(15));
    assert_eq!(restarts(&network), before);
    // One that starts has a disk too.
    begun(&mut network, "beta", "restart");
    done(&mut network, "beta", "arm silent-lock");
    network.run_for(seconds(15));
    assert_eq!(armed(&network, "beta"), ["silent-lock"]);
}
