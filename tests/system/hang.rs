//! Software that hangs before its machine restarts it: what callers hear, what trunk groups and operators see, what is left.

use campaign::{Arrivals, Redial};
use contract::{EffectEnd, MemberState, Reply};
use system_tests::network::Network;
use system_tests::phone::CallEnd;
use telemetry::{BoxKind, CallRecord, Entry, Outcome, Unreached};
use topology::Distribution;

use crate::machine::{begun, command, done, end_of};
use crate::support::{TWO_SITES, assert_idle, campaign, ms, seconds, two_sites_with};

/// Alpha falls at a call for 112 and hangs for 20 s; trunk groups probe it. Call takers leave the end to the caller.
fn fragile(equipment: &str) -> [(&'static str, String); 4] {
    let machine = format!(
        "[releases.r7.defects.poison-call]\nnumber = \"112\"\n[releases.r8]\n[sites.alpha]\nrelease = \"r7\"\nboot = \"2s\"\n{equipment}"
    );
    [
        ("\"1h\"", "\"2s\"".to_owned()),
        ("[sites.alpha]", machine),
        ("circuits = 2", "circuits = 20".to_owned()),
        ("talk = \"10s\"", "talk = \"never\"".to_owned()),
    ]
}

fn network(equipment: &str) -> Network {
    let changes = fragile(equipment);
    let changes: Vec<(&str, &str)> = changes.iter().map(|(old, new)| (*old, &new[..])).collect();
    two_sites_with(&changes)
}

const HANGS: &str = "watchdog = \"20s\"";

/// The records of alpha, in the order of their end.
fn of_alpha(network: &Network) -> Vec<&CallRecord> {
    network.records().iter().filter(|record| record.node == "alpha").collect()
}

/// A call that talks on alpha, and then, on the same site, the one that fells it. Returns both.
fn fell_alpha(
    network: &mut Network,
) -> (sip_proto::user_agent::LegId, sip_proto::user_agent::LegId) {
    let talking = network.dial("15");
    network.run_for(seconds(3));
    assert_eq!(network.call_server("alpha").calls, 1);
    let other = network.dial("15");
    network.run_for(seconds(3));
    network.hang_up("caller", other);
    let felling = network.dial("112");
    network.run_for(ms(700));
    (talking, felling)
}

#[test]
fn callers_meet_silence_until_the_watchdog_restarts_the_machine() {
    let mut network = network(HANGS);
    let (talking, felling) = fell_alpha(&mut network);
    let hung = network.call_server("alpha");
    assert!(hung.hung && !hung.starting && hung.restarts == 0, "{hung:?}");
    assert_eq!(network.command("alpha", "show".parse().unwrap()), Reply::Silent);
    let other = network.dial("15");
    let waiting = network.dial("15");
    network.run_for(seconds(10));
    // It is probed every 2 s, and its 200 is as good as ever.
    assert_eq!(network.trunk_group("mobile").members[0].state, MemberState::Up);
    assert_eq!(network.call(felling).heard, [0_u16; 0], "silence");
    assert_eq!(network.call(other).heard, [180, 200], "beta is well");
    assert_eq!(network.call(waiting).heard, [0_u16; 0], "silence");
    assert_eq!(network.call_server("alpha").calls, 1, "the call that came later");
    assert!(network.restarts().is_empty());
    // The caller of the call that talks hangs up, and nobody answers.
    network.hang_up("caller", talking);
    network.run_for(seconds(15));
    let why = "a call that the software cannot bear; its watchdog restarts it after 20s";
    let restarts = network.restarts();
    assert_eq!(
        restarts.iter().map(|(_, site, why)| (*site, *why)).collect::<Vec<_>>(),
        [("alpha", why)]
    );
    let alpha = network.call_server("alpha");
    assert!(!alpha.hung && !alpha.starting && alpha.restarts == 1, "{alpha:?}");
    // The probes tell that it has started again: calls that waited there go to the next site.
    network.run_for(seconds(3));
    for leg in [felling, waiting] {
        assert_eq!(network.call(leg).heard, [180, 200]);
        network.hang_up("caller", leg);
    }
    network.hang_up("caller", other);
    network.run_for(seconds(40));
    let lost = of_alpha(&network);
    let reason = "a call that the software cannot bear; the software hangs";
    assert_eq!(lost.len(), 3, "each call has one record there: {lost:#?}");
    for record in lost {
        assert_eq!((record.outcome, record.reason.as_deref()), (Outcome::Lost, Some(reason)));
    }
    assert_eq!(network.call_server("alpha").counts.lost, 3);
    assert_idle(&mut network);
}

#[test]
fn a_hang_that_answers_no_probe_is_found_down_and_its_calls_go_elsewhere() {
    let mut network = network(&format!("{HANGS}\nhang_answers_probes = false"));
    let (talking, felling) = fell_alpha(&mut network);
    assert!(network.call_server("alpha").hung);
    network.run_for(seconds(10));
    assert_eq!(network.trunk_group("mobile").members[0].state, MemberState::Down);
    assert_eq!(network.call(felling).heard, [180, 200]);
    assert!(network.call_server("alpha").hung, "the watchdog has not noticed yet");
    for leg in [talking, felling] {
        network.hang_up("caller", leg);
    }
    assert_idle(&mut network);
}

/// Alpha has memory for three calls and gives none back: the last of the calls found none there.
fn starving(watchdog: &str) -> (Network, Vec<sip_proto::user_agent::LegId>) {
    let machine = format!(
        "[releases.r7.defects.context-leak]\n[sites.alpha]\nrelease = \"r7\"\nboot = \"2s\"\ncontexts = 3\nwatchdog = \"{watchdog}\""
    );
    let mut network = two_sites_with(&[
        ("\"1h\"", "\"2s\""),
        ("[sites.alpha]", &machine),
        ("circuits = 2", "circuits = 20"),
        ("talk = \"10s\"", "talk = \"never\""),
    ]);
    for word in ["disconnect", "reconnect"] {
        let reply = network.command("alpha", word.parse().unwrap());
        assert!(matches!(reply, Reply::Done(_)), "{word}: {reply:?}");
        network.run_for(seconds(5));
    }
    let mut calls = Vec::new();
    while !network.call_server("alpha").hung {
        assert!(calls.len() < 20, "{:?}", network.call_server("alpha"));
        calls.push(network.dial("15"));
        network.run_for(seconds(1));
    }
    (network, calls)
}

#[test]
fn who_talks_goes_on_while_a_site_without_memory_hangs() {
    let (mut network, mut calls) = starving("20s");
    // The first one of equals is alpha.
    let (talks, gives_up) = (calls[0], calls.pop().unwrap());
    let hears_nothing = |network: &Network, leg| network.call(leg).heard.is_empty();
    let waits = loop {
        assert!(calls.len() < 40, "nobody else hears nothing");
        let next = network.dial("15");
        network.run_for(seconds(1));
        if hears_nothing(&network, next) {
            break next;
        }
        calls.push(next);
    };
    assert!(hears_nothing(&network, gives_up));
    assert_eq!(network.command("alpha", "show".parse().unwrap()), Reply::Silent);
    assert_eq!(network.trunk_group("mobile").members[0].state, MemberState::Up);
    assert_eq!(network.call_server("alpha").hangs, 1);
    // A caller who gives up is let go, and one who talks on alpha hangs up as ever.
    network.hang_up("caller", gives_up);
    network.hang_up("caller", talks);
    network.run_for(seconds(1));
    assert_eq!(network.call(gives_up).heard, [487]);
    assert_eq!(network.call(talks).ends, [CallEnd::HungUp(true)]);
    let of_talk =
        of_alpha(&network).into_iter().rfind(|record| record.outcome == Outcome::Answered);
    assert!(of_talk.is_some(), "{:#?}", of_alpha(&network));
    assert_eq!(network.call_server("alpha").restarts, 0);
    network.run_for(seconds(20));
    let restarts = network.restarts();
    let why = "its memory for calls is full; its watchdog restarts it after 20s";
    assert_eq!(
        restarts.iter().map(|(_, site, why)| (*site, *why)).collect::<Vec<_>>(),
        [("alpha", why)]
    );
    network.run_for(seconds(5));
    assert_eq!(network.call(waits).heard, [180, 200], "it was led to the next site");
    network.hang_up("caller", waits);
    calls.into_iter().filter(|leg| *leg != talks).for_each(|leg| network.hang_up("caller", leg));
    network.run_for(seconds(60));
    assert_eq!(network.unbalanced(), [""; 0]);
}

#[test]
fn a_drain_ends_what_a_site_without_memory_holds() {
    let (mut network, calls) = starving("10m");
    network.run_for(seconds(1));
    assert!(network.call_server("alpha").hung);
    calls.into_iter().for_each(|leg| network.hang_up("caller", leg));
    network.run_for(seconds(40));
    network.net.drain_all();
    network.run_for(seconds(40));
    assert_eq!(network.call_server("alpha").calls, 0);
    assert_eq!(network.unbalanced(), [""; 0]);
}

// RFC 3261 §9.1, and the trunk group's own limit: a site that answers no CANCEL is dead, whatever it said before.
#[test]
fn a_caller_who_gives_up_on_a_hung_site_is_answered_by_the_trunk_group() {
    let mut network = network(HANGS);
    let (talking, felling) = fell_alpha(&mut network);
    let seized = |network: &Network| network.trunk_group("mobile").members[0].seized;
    assert_eq!(seized(&network), 2);
    network.hang_up("caller", felling);
    network.run_for(ms(2_100));
    assert_eq!((network.call(felling).heard.last(), seized(&network)), (Some(&487), 1));
    let group =
        network.records().iter().rfind(|record| record.kind == BoxKind::TrunkGroup).unwrap();
    let told = (group.outcome, group.reason.as_deref());
    assert_eq!(told, (Outcome::Abandoned, Some("the site sent no final response to the CANCEL")));
    network.hang_up("caller", talking);
    assert_idle(&mut network);
}

#[test]
fn what_ends_a_hang_early_ends_its_books_too() {
    // A drain.
    let mut drained = network("watchdog = \"10m\"");
    let (talking, felling) = fell_alpha(&mut drained);
    let later = [drained.dial("15"), drained.dial("15")];
    drained.run_for(seconds(1));
    assert_eq!(drained.call_server("alpha").calls, 1);
    for leg in [talking, felling].into_iter().chain(later) {
        drained.hang_up("caller", leg);
    }
    drained.run_for(seconds(40));
    drained.net.drain_all();
    drained.run_for(seconds(1));
    assert_eq!((drained.call_server("alpha").calls, of_alpha(&drained).len()), (0, 3));
    assert_eq!(drained.unbalanced(), [""; 0]);
}

// What reaches the machine from outside ends the hang, writes its records, and holds nothing.
#[test]
fn the_power_switch_and_the_console_end_a_hang_and_its_books() {
    for (words, release) in
        [("power cycle", "r7"), ("console restart clean", "r7"), ("console load r8", "r8")]
    {
        let mut network = network("watchdog = \"10m\"");
        let (talking, felling) = fell_alpha(&mut network);
        let later = [network.dial("15"), network.dial("15")];
        network.run_for(seconds(1));
        let hung = network.call_server("alpha");
        assert!(hung.hung && hung.calls == 1, "{hung:?}");
        assert_eq!(command(&mut network, "alpha", "restart clean"), Reply::Silent);
        assert!(done(&mut network, "alpha", "console show").contains("release r7"));
        done(&mut network, "alpha", "console block 112");
        let ticket = begun(&mut network, "alpha", words);
        let alpha = network.call_server("alpha");
        assert!(!alpha.hung && alpha.starting && alpha.calls == 0, "{words}: {alpha:?}");
        let lost = |network: &Network| {
            of_alpha(network).iter().filter(|record| record.outcome == Outcome::Lost).count()
        };
        assert_eq!(lost(&network), 3, "{words}: {:#?}", of_alpha(&network));
        network.run_for(seconds(63));
        let end = EffectEnd::Done(format!("in service with release {release}"));
        assert_eq!(end_of(&mut network, "alpha", ticket), Some(end), "{words}");
        assert_eq!(network.call_server("alpha").restarts, 1, "{words}");
        let blocks = done(&mut network, "alpha", "show").contains("refuses calls for 112");
        assert_eq!(blocks, words != "console restart clean", "{words}: as the disk is");
        for leg in [talking, felling].into_iter().chain(later) {
            network.hang_up("caller", leg);
        }
        network.run_for(seconds(40));
        assert_eq!(lost(&network), 3, "{words}");
        assert_idle(&mut network);
    }
}

#[test]
fn a_hung_site_without_power_stays_down() {
    let mut network = network(HANGS);
    let (talking, felling) = fell_alpha(&mut network);
    done(&mut network, "alpha", "power off");
    network.run_for(seconds(100));
    let alpha = network.call_server("alpha");
    assert!(alpha.off && !alpha.hung && alpha.restarts == 1, "{alpha:?}");
    assert_eq!(network.trunk_group("mobile").members[0].state, MemberState::Down);
    begun(&mut network, "alpha", "power on");
    network.run_for(seconds(10));
    assert_eq!(network.trunk_group("mobile").members[0].state, MemberState::Up);
    [talking, felling].into_iter().for_each(|leg| network.hang_up("caller", leg));
    assert_idle(&mut network);
}

#[test]
fn a_site_without_memory_is_reached_from_outside() {
    let (mut network, calls) = starving("10m");
    assert_eq!(command(&mut network, "alpha", "show"), Reply::Silent);
    assert!(done(&mut network, "alpha", "console show").contains("release r7"));
    let ticket = begun(&mut network, "alpha", "power cycle");
    let alpha = network.call_server("alpha");
    assert!(!alpha.hung && alpha.starting && alpha.calls == 0, "{alpha:?}");
    network.run_for(seconds(3));
    let end = EffectEnd::Done("in service with release r7".to_owned());
    assert_eq!(end_of(&mut network, "alpha", ticket), Some(end));
    let restarts = network.restarts();
    assert_eq!(restarts.iter().map(|(_, _, why)| *why).collect::<Vec<_>>(), ["its power was cut"]);
    calls.into_iter().for_each(|leg| network.hang_up("caller", leg));
    network.run_for(seconds(40));
    assert_idle(&mut network);
}

// The site answers probes, so that nobody takes it for down; and nothing that belongs to a call.
#[test]
fn who_hangs_up_while_the_site_hangs_gets_no_answer_and_holds_nothing() {
    let mut network = network("watchdog = \"10m\"");
    let (talking, felling) = fell_alpha(&mut network);
    network.run_for(seconds(100));
    assert_eq!(network.call(talking).ends, [], "nobody tells the caller");
    network.hang_up("caller", felling);
    network.hang_up("caller", talking);
    network.run_for(seconds(40));
    assert_eq!(network.call(talking).ends, [CallEnd::HungUp(false)]);
    assert!(network.call_server("alpha").hung);
    let members = network.trunk_group("mobile").members;
    assert_eq!((members[0].state, members[0].seized), (MemberState::Up, 0));
}

// "Some incoming calls could not be picked up": it rings on both sides, and the answer does not get through.
#[test]
fn an_answer_that_meets_a_hung_site_reaches_nobody() {
    let mut network = network(HANGS);
    let mut one_call = campaign(1.0, seconds(1), 5);
    one_call.phases[0].arrivals = Arrivals::Constant { rate: 1.0 };
    one_call.mix.truncate(1);
    one_call.callers.patience = Some(Distribution::Fixed(seconds(12)));
    network.start_campaign(&one_call);
    network.run_for(ms(600));
    assert_eq!(network.call_server("alpha").calls, 1);
    let others = [network.dial("15"), network.dial("112")];
    network.run_for(ms(700));
    assert!(network.call_server("alpha").hung);
    network.run_for(seconds(13));
    others.into_iter().for_each(|leg| network.hang_up("caller", leg));
    assert!(network.run_until_idle(seconds(100)), "{:?}", network.held());
    // The caller has heard it ring, and nothing else.
    let caller = network.records().iter().find(|one| one.kind == BoxKind::Generator).unwrap();
    assert!(caller.ring_us.is_some() && caller.answer_us.is_none(), "{caller:?}");
    assert_eq!(caller.outcome, Outcome::Abandoned);
    assert_eq!(Unreached::of(&Entry::from(caller)), Some(Unreached::NoAnswer));
    // The call taker has picked up and heard nobody, for 64·T1.
    let of_call = |one: &&CallRecord| one.kind == BoxKind::Psap && one.attempt == caller.attempt;
    let taker = network.records().iter().find(of_call).unwrap();
    let waited = taker.end_us - taker.answer_us.unwrap();
    assert_eq!((taker.outcome, taker.ack_us), (Outcome::Lost, None));
    assert!((31_900_000..32_200_000).contains(&waited), "{waited} us");
    let ledger = network.ledger(1, true);
    assert_eq!((ledger.fault_count, ledger.abandoned), (0, 1), "{ledger:#?}");
}

#[test]
fn who_hears_nothing_gives_up_after_the_patience_for_silence() {
    let text = TWO_SITES.replace("\"1h\"", "\"2s\"").replace("circuits = 2", "circuits = 80");
    let text = text.replace(
        "[sites.alpha]",
        "[releases.r7.defects.poison-call]\nnumber = \"112\"\n[equipment]\nrelease = \"r7\"\nwatchdog = \"10m\"\n[sites.alpha]",
    );
    let mut network = Network::new(&text, world::Link::CLEAN, 5);
    network.run_for(seconds(1));
    let mut campaign = campaign(2.0, seconds(60), 5);
    campaign.mix.retain(|entry| entry.number == "15" || entry.number == "112");
    campaign.callers.patience = Some(Distribution::Fixed(seconds(90)));
    campaign.callers.redial = Some(Redial {
        silence_patience: Some(Distribution::Fixed(seconds(12))),
        most_attempts: 1,
        ..Redial::default()
    });
    network.start_campaign(&campaign);
    network.run_for(seconds(90));
    let sites = ["alpha", "beta"].map(|site| network.call_server(site));
    assert!(sites.iter().all(|site| site.hung && site.restarts == 0), "{sites:?}");
    let callers = network.records().iter().filter(|record| record.kind == BoxKind::Generator);
    let silent: Vec<&CallRecord> = callers
        .filter(|record| Unreached::of(&Entry::from(*record)) == Some(Unreached::Silence))
        .collect();
    assert!(silent.len() > 20, "{silent:?}");
    for record in silent {
        let waited = record.end_us - record.start_us;
        assert_eq!(record.outcome, Outcome::Abandoned);
        // The trunk group waits for two seconds more before it answers in the place of the site.
        assert!((13_900_000..14_100_000).contains(&waited), "{waited} us: {record:?}");
    }
    assert_eq!(network.count(BoxKind::Generator, Outcome::Rejected), 0, "nobody hears a refusal");
}
