//! Whatever callers, links and sites do: every call ends once, nothing leaks, the sum is right.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sip_proto::user_agent::LegId;
use system_tests::network::Network;
use system_tests::phone::{Phone, sdp};
use world::Link;

use crate::outage::hurried;

use crate::support::{SIX_SITES, TWO_SITES, ms, seconds};

/// What may happen in a schedule.
#[derive(Debug, Clone)]
enum Step {
    Dial(&'static str),
    HangUp(prop::sample::Index),
    Hold(prop::sample::Index),
    Wait(Duration),
    Links(Link),
    Kill(&'static str),
    Revive(&'static str),
    Isolate(&'static str),
    Heal(&'static str),
}

const SITES: [&str; 2] = ["alpha", "beta"];
const PSAPS: [&str; 2] = ["samu-59", "samu-75"];

fn step() -> impl Strategy<Value = Step> {
    let any_box = || prop::sample::select([SITES, PSAPS].concat());
    let number = prop::sample::select(vec!["15", "18", "112", "urn:service:sos.fire", "3949"]);
    let link = (0..30_u64, 0..60_u64, 0.0..0.3_f64, 0.0..0.2_f64).prop_map(
        |(latency, jitter, loss, duplication)| Link {
            latency: ms(latency + 1),
            jitter: ms(jitter),
            loss,
            duplication,
        },
    );
    prop_oneof![
        8 => number.prop_map(Step::Dial),
        6 => any::<prop::sample::Index>().prop_map(Step::HangUp),
        2 => any::<prop::sample::Index>().prop_map(Step::Hold),
        10 => (0..3_000_u64).prop_map(|time| Step::Wait(ms(time))),
        2 => (0..60_u64).prop_map(|time| Step::Wait(seconds(time))),
        2 => link.prop_map(Step::Links),
        1 => any_box().prop_map(Step::Kill),
        2 => any_box().prop_map(Step::Revive),
        1 => any_box().prop_map(Step::Isolate),
        2 => any_box().prop_map(Step::Heal),
    ]
}

fn carry_out(network: &mut Network, legs: &mut Vec<LegId>, step: Step) {
    match step {
        Step::Dial(number) => legs.push(network.dial(number)),
        Step::HangUp(which) if !legs.is_empty() => network.hang_up("caller", *which.get(legs)),
        Step::Hold(which) if !legs.is_empty() => {
            let (leg, caller) = (*which.get(legs), network.at("caller"));
            let held = sdp(caller, "sendonly");
            network.net.act(caller, |phone: &mut Phone, now| phone.reinvite(now, leg, held));
        }
        Step::HangUp(_) | Step::Hold(_) => {}
        Step::Wait(time) => network.run_for(time),
        Step::Links(link) => network.net.set_default_link(link),
        Step::Kill(name) if network.net.is_alive(network.at(name)) => network.kill(name),
        Step::Revive(name) if !network.net.is_alive(network.at(name)) => network.revive(name),
        Step::Kill(_) | Step::Revive(_) => {}
        Step::Isolate(name) => {
            let at = network.at(name);
            network.net.isolate(at);
        }
        Step::Heal(name) => {
            let at = network.at(name);
            network.net.heal(at);
        }
    }
}

fn seized_within_limits(network: &Network) -> bool {
    let members = network.trunk_group("mobile").members;
    members.iter().all(|member| member.seized <= member.circuits)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn every_call_ends_once_and_nothing_leaks(
        steps in prop::collection::vec(step(), 1..60),
        seed in any::<u64>(),
    ) {
        let limits = "ring_timeout = \"20s\"\nmax_call_duration = \"4m\"";
        let text = TWO_SITES
            .replace("\"1h\"", "\"2s\"")
            .replace("circuits = 2\n", "circuits = 2\nmax_call_duration = \"5m\"\n")
            .replace("ring_timeout = \"20s\"", limits);
        let mut network = Network::new(&text, Link::CLEAN, seed);
        let mut legs = Vec::new();
        for step in steps {
            carry_out(&mut network, &mut legs, step);
            prop_assert_eq!(network.unbalanced(), Vec::<String>::new());
            prop_assert!(seized_within_limits(&network));
        }
        // The callers go home; the links are what they last were.
        for leg in &legs {
            network.hang_up("caller", *leg);
        }
        // A call that lost its site while it talked is found by max_call_duration at the latest.
        prop_assert!(network.run_until_idle(seconds(900)), "{:#?}", network.held());
        prop_assert_eq!(network.unbalanced(), Vec::<String>::new());
        for leg in legs {
            prop_assert_eq!(network.call(leg).ends.len(), 1, "{:?}", network.call(leg));
        }
        network.net.drain_all();
        network.run_for(seconds(200));
        prop_assert_eq!(network.net.not_drained(), Vec::new());
    }
}

/// What each box wrote of the attempt that the first fault of a ledger names.
fn testimony(network: &Network, ledger: &telemetry::Ledger) -> String {
    let named = |record: &&telemetry::CallRecord| {
        ledger.faults.first().is_some_and(|fault| fault.contains(&record.attempt))
    };
    let records = network.records().iter().filter(named);
    records.map(|record| format!("{record:?}\n")).collect()
}

/// What an operator may do to a site at some moment.
fn any_command() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("lock"),
        Just("unlock"),
        Just("drain"),
        Just("disconnect"),
        Just("disconnect mobile"),
        Just("reconnect"),
        Just("restart"),
        Just("restart clean"),
        Just("isolate"),
        Just("rejoin"),
        Just("load r8"),
        Just("rollback"),
        Just("shed ordinary"),
        Just("shed nothing"),
    ]
}

/// How many schedules are tried; `TOCSIN_SCHEDULES=200` looks for rarer ones.
fn schedules() -> u32 {
    std::env::var("TOCSIN_SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(8)
}

/// Commands after which a site may have lost calls.
const FAULTS: [&str; 8] = [
    "disconnect",
    "disconnect mobile",
    "restart",
    "restart clean",
    "isolate",
    "load r8",
    "rollback",
    "kill",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: schedules(), max_shrink_iters: 40, rng_seed: RngSeed::Fixed(2_021), ..ProptestConfig::default() })]

    // Commands in any order, at any time, to any site, and sites that die: with no defect armed, no call is lost that no such
    // fault explains, and everything comes back.
    #[test]
    fn no_call_is_lost_without_a_fault_that_explains_it(
        seed in 0..1_000_u64,
        schedule in proptest::collection::vec((1..5_u64, 0..6_usize, any_command()), 1..24),
        killed in proptest::option::of(0..6_usize),
    ) {
        let sites = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];
        let machine = "[releases.r8]\n[equipment]\nboot = \"8s\"\ninstall = \"4s\"\ncircuit_audit = \"500ms\"\n[sites.alpha]";
        let text = SIX_SITES.replace("[sites.alpha]", machine);
        let text = text.replace("circuits = ", "when_site_dies = \"release\"\ncircuits = ");
        let mut network = Network::new(&text, Link::CLEAN, seed);
        network.start_campaign(&hurried(8.0, seconds(60), seed));
        let mut faulty = BTreeSet::new();
        for (wait, site, words) in schedule {
            network.run_for(seconds(wait));
            let site = sites[site];
            if !network.net.is_alive(network.at(site)) {
                continue;
            }
            let reply = network.command(site, words.parse().unwrap());
            let obeyed =
                matches!(reply, contract::Reply::Done(_) | contract::Reply::Accepted { .. });
            if obeyed && FAULTS.contains(&words) {
                faulty.insert(site);
            }
        }
        if let Some(site) = killed {
            network.kill(sites[site]);
            faulty.insert(sites[site]);
        }
        network.run_for(seconds(20));
        for site in sites {
            if !network.net.is_alive(network.at(site)) {
                network.revive(site);
            }
            for words in ["rejoin", "reconnect", "unlock", "shed nothing"] {
                network.command(site, words.parse().unwrap());
            }
        }
        prop_assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());
        let ledger = network.ledger(network.generator().offered, false);
        prop_assert!(ledger.balanced, "{:#?}\n{}", ledger, testimony(&network, &ledger));
        // In the site itself, or in a trunk group that names the site which it found down.
        let explained = |place: &&telemetry::LostAt| {
            faulty.iter().any(|site| place.node == *site || place.why.contains(&format!("site {site} ")))
        };
        let unexplained: Vec<_> =
            ledger.lost_at.iter().filter(|place| !explained(place)).collect();
        prop_assert!(unexplained.is_empty(), "{:#?}, faults at {:?}", unexplained, faulty);
    }
}
