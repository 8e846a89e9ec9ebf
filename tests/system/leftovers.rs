//! Nothing is held for ever: whatever peers refuse, lose or send, both sides give everything back.

use std::time::Duration;

use proptest::prelude::*;
use system_tests::network::Network;
use system_tests::rogue::{Opening, Rogue, Whim};
use telemetry::Outcome;

use crate::support::{TWO_SITES, ms, seconds, two_sites, two_sites_with};

/// Where a peer calls from that keeps no rule.
const ROGUE: &str = "127.9.0.1:5060";

/// 64·T1.
const GIVE_UP: Duration = Duration::from_secs(32);

fn opening(contact: &str) -> Opening {
    Opening { number: "15", contact: contact.to_owned(), has_tag: true }
}

/// Puts a rogue on the network.
fn rogue(network: &mut Network, name: &str, at: &str, whims: &[Whim]) {
    let at = at.parse().unwrap();
    network.name(name, at);
    network.net.attach(at, Rogue::new(at, whims.to_vec()));
}

fn act<T>(network: &mut Network, name: &str, act: impl FnOnce(&mut Rogue) -> T) -> T {
    let at = network.at(name);
    network.net.act(at, |rogue: &mut Rogue, _| act(rogue))
}

/// A call of the rogue `rogue` through the trunk group.
fn call(network: &mut Network, opening: &Opening) -> usize {
    let mobile = network.at("mobile");
    act(network, "rogue", |rogue| rogue.call(mobile, opening))
}

/// A call that the call taker has answered and the rogue has acknowledged, with what it does from then on.
fn talking(network: &mut Network, opening: &Opening, whims: &[Whim]) -> usize {
    rogue(network, "rogue", ROGUE, &[Whim::Answer(200)]);
    let at = call(network, opening);
    network.run_for(seconds(4));
    assert_eq!(network.trunk_group("mobile").counts.answered, 1);
    act(network, "rogue", |rogue| rogue.set_whims(whims.to_vec()));
    at
}

/// Call takers never hang up.
const NEVER: (&str, &str) = ("talk = \"10s\"", "talk = \"never\"");

fn assert_nothing_held(network: &mut Network, within: Duration) {
    let idle = network.run_until_idle(within);
    assert!(idle, "still held: {:#?}", network.held());
    assert_eq!(network.unbalanced(), [""; 0]);
    network.net.drain_all();
    network.run_for(seconds(200));
    assert_eq!(network.net.not_drained(), []);
    assert_eq!(network.transactions(), [""; 0]);
}

fn contacts() -> [Opening; 4] {
    let untagged = Opening { has_tag: false, ..opening("<sip:rogue@127.9.0.1>") };
    let both = Opening { has_tag: false, ..opening("<sips:112@x>") };
    [opening("<sips:112@x>"), opening("<sips:112@127.9.0.1:5061>"), untagged, both]
}

/// What no request can be sent to.
const UNUSABLE: [&str; 4] = ["<mailto:a@x.example>", "<x-unknown:a>", "<tel:+33199001234>", ""];

#[test]
fn an_invite_whose_contact_is_of_no_use_leaves_nothing() {
    for contact in UNUSABLE {
        let mut network = two_sites();
        rogue(&mut network, "rogue", ROGUE, &[Whim::Ignore]);
        call(&mut network, &opening(contact));
        network.run_for(GIVE_UP + seconds(3));
        assert!(network.held().is_empty(), "{contact}: {:?}", network.held());
        assert_nothing_held(&mut network, GIVE_UP + seconds(1));
    }
}

// RFC 3261 §12.2: a target refresh. The Contact may become of no use later in the dialog.
#[test]
fn a_later_contact_of_no_use_holds_nothing() {
    for contact in UNUSABLE {
        let mut network = two_sites();
        let at = talking(&mut network, &opening("<sip:rogue@127.9.0.1>"), &[Whim::Answer(200)]);
        let line =
            if contact.is_empty() { String::new() } else { format!("Contact: {contact}\r\n") };
        act(&mut network, "rogue", |rogue| rogue.send(at, "INVITE", &line));
        network.run_for(seconds(10));
        assert!(network.held().is_empty(), "{contact}: {:?}", network.held());
        assert_nothing_held(&mut network, seconds(2));
    }
}

/// An INVITE needs a Contact with a SIP URI (RFC 3261 §8.1.1.8); any other is refused.
fn is_taken(opening: &Opening) -> bool {
    opening.contact.starts_with("<sip")
}

// RFC 3261 §16.12: what is inside a dialog follows the route set, whatever the Contact of an end is.
#[test]
fn an_unacknowledged_call_leaves_nothing_whatever_its_contact() {
    for opening in contacts() {
        let mut network = two_sites();
        rogue(&mut network, "rogue", ROGUE, &[Whim::Ignore]);
        call(&mut network, &opening);
        network.run_for(seconds(3));
        let answered = u64::from(is_taken(&opening));
        assert_eq!(network.trunk_group("mobile").counts.answered, answered, "{opening:?}");
        // The call taker picks up after 2 s, waits 64·T1 for the ACK, and its BYE follows.
        network.run_for(GIVE_UP);
        let members = network.trunk_group("mobile").members;
        let seized: u32 = members.iter().map(|member| member.seized).sum();
        assert_eq!(seized, 0, "{opening:?}");
        assert_nothing_held(&mut network, GIVE_UP + seconds(1));
    }
}

// RFC 3261 §12.1.1: a caller of RFC 2543 has no tag, and the BYE to it has none in To.
#[test]
fn a_call_taker_hangs_up_whatever_the_contact_of_the_caller() {
    for opening in contacts().into_iter().filter(is_taken) {
        let mut network = two_sites();
        talking(&mut network, &opening, &[Whim::Answer(200)]);
        network.run_for(seconds(10));
        assert!(network.held().is_empty(), "{opening:?}: {:?}", network.held());
        assert_nothing_held(&mut network, seconds(2));
    }
}

#[test]
fn a_caller_without_a_tag_hangs_up() {
    let mut network = two_sites_with(&[NEVER]);
    let untagged = Opening { has_tag: false, ..opening("<sip:rogue@127.9.0.1>") };
    let at = talking(&mut network, &untagged, &[Whim::Answer(200)]);
    act(&mut network, "rogue", |rogue| rogue.send(at, "INFO", ""));
    network.run_for(ms(100));
    act(&mut network, "rogue", |rogue| rogue.send(at, "BYE", ""));
    network.run_for(ms(100));
    assert_eq!(act(&mut network, "rogue", |rogue| rogue.heard(at).to_vec()), [200, 200, 200]);
    assert_nothing_held(&mut network, seconds(1));
}

// RFC 3261 §15.1.1: whoever sends BYE has ended the call, whatever the answer.
#[test]
fn a_bye_that_is_refused_ends_the_call_all_the_same() {
    for status in [400, 416, 420, 481, 486, 500, 503, 603] {
        let mut network = two_sites();
        talking(&mut network, &opening("<sip:rogue@127.9.0.1>"), &[Whim::Answer(status)]);
        network.run_for(seconds(10));
        assert!(network.held().is_empty(), "{status}: {:?}", network.held());
        assert_nothing_held(&mut network, seconds(2));
    }
    // Asked for credentials, the call server could come again. It does not.
    let mut network = two_sites();
    talking(&mut network, &opening("<sip:rogue@127.9.0.1>"), &[Whim::Answer(407)]);
    assert_nothing_held(&mut network, seconds(10) + GIVE_UP);
}

#[test]
fn a_bye_that_the_boxes_refuse_ends_the_call_for_both_sides() {
    for line in [
        "Proxy-Require: x\r\n",
        "Require: x\r\n",
        "Content-Type: a/b\r\nContent-Encoding: gzip\r\n",
    ] {
        let mut network = two_sites_with(&[NEVER]);
        let at = talking(&mut network, &opening("<sip:rogue@127.9.0.1>"), &[Whim::Answer(200)]);
        act(&mut network, "rogue", |rogue| rogue.send(at, "BYE", line));
        network.run_for(seconds(1));
        assert!(network.held().is_empty(), "{line}: {:?}", network.held());
        assert_nothing_held(&mut network, seconds(1));
    }
}

// The sender of a BYE that nobody can read has forgotten the call, and says so when it is asked.
#[test]
fn a_malformed_bye_ends_the_call_of_whoever_has_forgotten_it() {
    for cseq in ["x BYE", "1 BYE", "9 INFO"] {
        let mut network = two_sites_with(&[NEVER]);
        let at = talking(&mut network, &opening("<sip:rogue@127.9.0.1>"), &[Whim::Answer(481)]);
        act(&mut network, "rogue", |rogue| {
            // Lower than the CSeq that comes before it.
            rogue.send(at, "INFO", "");
            rogue.send_with_cseq(at, "BYE", cseq);
        });
        network.run_for(seconds(1));
        assert!(network.held().is_empty(), "{cseq}: {:?}", network.held());
        assert_nothing_held(&mut network, seconds(1));
    }
    let mut network = two_sites_with(&[NEVER]);
    let at = talking(&mut network, &opening("<sip:rogue@127.9.0.1>"), &[Whim::Answer(200)]);
    act(&mut network, "rogue", |rogue| rogue.send_with_cseq(at, "BYE", "x BYE"));
    network.run_for(seconds(60));
    assert_eq!(network.trunk_group("mobile").calls, 1, "it still has the call");
}

// RFC 3261 §12.2.1.2: 481 and 408 inside a dialog end it.
#[test]
fn a_caller_who_has_forgotten_the_call_is_found_by_any_request() {
    for whim in [Whim::Answer(481), Whim::Answer(408), Whim::Ignore] {
        let mut network = two_sites_with(&[NEVER]);
        talking(&mut network, &opening("<sip:rogue@127.9.0.1>"), &[whim]);
        // A minute without a sign of life; then the call server asks, and waits for 64·T1.
        assert_nothing_held(&mut network, seconds(60) + GIVE_UP * 2);
        assert_eq!(network.count(telemetry::BoxKind::CallServer, Outcome::Lost), 1);
    }
}

/// The places of a call at the two answering points, of which `samu-59` is the rogue `callee`.
fn answered_by_rogue(whims: &[Whim]) -> (Network, sip_proto::user_agent::LegId) {
    let mut network = two_sites_with(&[NEVER]);
    let at = network.at("samu-59").to_string();
    rogue(&mut network, "samu-59", &at, &[Whim::Answer(200)]);
    let leg = network.dial("15");
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).heard, [200]);
    act(&mut network, "samu-59", |rogue| rogue.set_whims(whims.to_vec()));
    (network, leg)
}

#[test]
fn an_answering_point_that_has_forgotten_the_call_is_found() {
    for whim in [Whim::Answer(481), Whim::Ignore] {
        let (mut network, leg) = answered_by_rogue(&[whim]);
        network.run_for(seconds(62) + GIVE_UP);
        assert_eq!(network.call(leg).ends, [system_tests::phone::CallEnd::Bye], "{whim:?}");
        assert_eq!(network.trunk_group("mobile").calls, 0);
    }
    let (mut network, leg) = answered_by_rogue(&[Whim::Answer(200)]);
    network.run_for(seconds(300));
    assert!(network.call(leg).ends.is_empty(), "it is there, and says so");
}

// The BYE of the call server is lost for longer than it is repeated: the trunk group asks whether the site has the call.
#[test]
fn a_trunk_group_finds_that_the_site_has_no_call_any_more() {
    let mut network = two_sites();
    let leg = network.dial("15");
    network.run_for(seconds(3));
    let (alpha, mobile) = (network.at("alpha"), network.at("mobile"));
    network.net.lose(alpha, mobile, "BYE", 100);
    network.run_for(seconds(10) + GIVE_UP + seconds(2));
    assert_eq!((network.call_server("alpha").calls, network.trunk_group("mobile").calls), (0, 1));
    network.run_for(seconds(120));
    assert_eq!(network.trunk_group("mobile").calls, 0);
    assert_eq!(network.call(leg).ends.len(), 1);
}

/// The network with machines that start in a tenth of a second: nobody finds them down.
fn fast() -> [(&'static str, &'static str); 3] {
    let machine = "[equipment]\nboot = \"100ms\"\n[sites.alpha]";
    [("\"1h\"", "\"2s\""), ("[sites.alpha]", machine), NEVER]
}

#[test]
fn a_site_that_restarts_faster_than_it_is_found_down_holds_no_circuit() {
    let mut network = two_sites_with(&fast());
    let leg = network.dial("15");
    network.run_for(seconds(4));
    let ringing = network.dial("15");
    network.run_for(seconds(1));
    let on = |network: &Network| network.trunk_group("mobile").members[0].seized;
    assert_eq!(on(&network), 1);
    network.command("alpha", "restart".parse().unwrap());
    network.run_for(seconds(3));
    assert_eq!(on(&network), 0);
    assert_eq!(network.call(leg).ends, [system_tests::phone::CallEnd::Bye]);
    assert!(network.changes().is_empty(), "{:?}", network.changes());
    let lost: Vec<_> = network.records().iter().filter(|record| record.node == "mobile").collect();
    let why = lost[0].reason.as_deref();
    assert_eq!((lost.len(), why), (1, Some("site alpha has started again")));
    network.hang_up("caller", ringing);
    // The call taker of the lost call finds that nobody knows it.
    assert_nothing_held(&mut network, seconds(90) + GIVE_UP);
}

#[test]
fn a_call_that_rings_at_a_site_that_starts_again_goes_to_the_next_one() {
    let mut network = two_sites_with(&[fast()[0], fast()[1], ("ring = \"2s\"", "ring = \"15s\"")]);
    let leg = network.dial("15");
    network.run_for(seconds(1));
    network.command("alpha", "restart".parse().unwrap());
    network.run_for(seconds(3));
    assert_eq!(network.call_server("beta").calls, 1);
    let members = network.trunk_group("mobile").members;
    assert_eq!((members[0].seized, members[1].seized), (0, 1));
    network.run_for(seconds(10));
    assert!(network.call(leg).ends.is_empty());
    network.hang_up("caller", leg);
    assert_nothing_held(&mut network, GIVE_UP * 2);
}

#[test]
fn a_call_of_the_present_start_survives_the_news_of_it() {
    let mut network = two_sites_with(&fast());
    network.command("alpha", "restart".parse().unwrap());
    network.run_for(ms(200));
    // Answered before the next probe tells of the restart.
    let leg = network.dial("15");
    network.run_for(seconds(30));
    assert!(network.call(leg).ends.is_empty(), "{:?}", network.call(leg));
    network.hang_up("caller", leg);
    assert_nothing_held(&mut network, seconds(2));
}

#[test]
fn an_answering_point_that_starts_again_is_found() {
    let mut network = two_sites_with(&fast());
    let leg = network.dial("15");
    network.run_for(seconds(4));
    network.kill("samu-59");
    network.revive("samu-59");
    network.run_for(seconds(65));
    assert_eq!(network.call(leg).ends, [system_tests::phone::CallEnd::Bye]);
    assert_nothing_held(&mut network, seconds(2));
}

/// Neither end hears of it: the site finds out when it asks for a quiet call, and the caller when it hangs up.
#[test]
fn a_trunk_group_that_starts_again_leaves_nothing_with_its_neighbours() {
    let mut network = two_sites_with(&fast());
    let leg = network.dial("15");
    network.run_for(seconds(4));
    let calls = |network: &Network| network.call_server("alpha").calls;
    assert_eq!((calls(&network), network.trunk_group("mobile").calls), (1, 1));
    network.kill("mobile");
    network.revive("mobile");
    network.run_for(seconds(65));
    assert_eq!(calls(&network), 0);
    // A new call finds its way.
    let next = network.dial("15");
    network.run_for(seconds(4));
    assert!(network.call(next).heard.contains(&200), "{:?}", network.call(next));
    network.hang_up("caller", next);
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends.len(), 1, "{:?}", network.call(leg));
    assert_nothing_held(&mut network, GIVE_UP * 2);
}

/// What may happen in a schedule.
#[derive(Debug, Clone)]
enum Step {
    Call(usize, bool),
    Send(prop::sample::Index, &'static str, &'static str),
    Broken(prop::sample::Index, &'static str),
    Cancel(prop::sample::Index),
    CalleeEnds,
    Whims(bool, Vec<Whim>),
    Lose(&'static str, &'static str, &'static str, u32),
    Restart(&'static str),
    /// A call that fells the software of a site, which hangs.
    Fell,
    Wait(u64),
}

fn whims() -> impl Strategy<Value = Vec<Whim>> {
    let statuses =
        [200, 200, 200, 202, 302, 400, 407, 408, 416, 420, 481, 486, 488, 491, 500, 503, 603];
    let whim = prop_oneof![
        6 => prop::sample::select(statuses.to_vec()).prop_map(Whim::Answer),
        2 => Just(Whim::Ignore),
        1 => Just(Whim::Ring),
    ];
    prop::collection::vec(whim, 1..12)
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    let methods = vec![
        "BYE", "BYE", "INVITE", "UPDATE", "INFO", "MESSAGE", "OPTIONS", "ACK", "PRACK", "REFER",
    ];
    let lines = vec!["", "", "Proxy-Require: x\r\n", "Require: x\r\n", "Contact: <sips:a@b>\r\n"];
    let broken = vec!["x BYE", "0 BYE", "1 BYE", "99999999999 BYE", "5 INFO"];
    let boxes =
        || prop::sample::select(vec!["rogue", "mobile", "alpha", "beta", "samu-59", "samu-75"]);
    let labels = vec!["BYE", "ACK", "200", "CANCEL", "487", "200 BYE", "OPTIONS"];
    prop_oneof![
        6 => (0..8_usize, any::<bool>()).prop_map(|(which, fire)| Step::Call(which, fire)),
        6 => (index(), prop::sample::select(methods), prop::sample::select(lines))
            .prop_map(|(at, method, lines)| Step::Send(at, method, lines)),
        1 => (index(), prop::sample::select(broken)).prop_map(|(at, cseq)| Step::Broken(at, cseq)),
        2 => index().prop_map(Step::Cancel),
        1 => Just(Step::CalleeEnds),
        4 => (any::<bool>(), whims()).prop_map(|(caller, whims)| Step::Whims(caller, whims)),
        2 => (boxes(), boxes(), prop::sample::select(labels), 1..12_u32)
            .prop_map(|(from, to, label, times)| Step::Lose(from, to, label, times)),
        1 => prop::sample::select(vec!["alpha", "beta"]).prop_map(Step::Restart),
        1 => Just(Step::Fell),
        10 => (0..4_000_u64).prop_map(Step::Wait),
        1 => (0..40_000_u64).prop_map(Step::Wait),
    ]
}

fn carry_out(network: &mut Network, step: Step) {
    let calls = act(network, "rogue", |rogue| rogue.calls());
    let place = |index: prop::sample::Index| (calls > 0).then(|| index.index(calls.max(1)));
    match step {
        Step::Call(which, fire) => {
            let number = if fire { "18" } else { "15" };
            let useless = || opening(UNUSABLE[which % UNUSABLE.len()]);
            let opening = contacts().get(which).cloned().unwrap_or_else(useless);
            call(network, &Opening { number, ..opening });
        }
        Step::Send(index, method, lines) => {
            let Some(at) = place(index) else { return };
            act(network, "rogue", |rogue| rogue.send(at, method, lines));
        }
        Step::Broken(index, cseq) => {
            let Some(at) = place(index) else { return };
            act(network, "rogue", |rogue| rogue.send_with_cseq(at, "BYE", cseq));
        }
        Step::Cancel(index) => {
            let Some(at) = place(index) else { return };
            act(network, "rogue", |rogue| rogue.cancel(at));
        }
        Step::CalleeEnds => act(network, "samu-75", |rogue| rogue.end_last_offer()),
        Step::Whims(caller, whims) => {
            let name = if caller { "rogue" } else { "samu-75" };
            act(network, name, |rogue| rogue.set_whims(whims));
        }
        Step::Lose(from, to, label, times) => {
            let (from, to) = (network.at(from), network.at(to));
            network.net.lose(from, to, label, times);
        }
        Step::Restart(site) => {
            network.command(site, "restart".parse().unwrap());
        }
        Step::Fell => {
            let leg = network.dial("112");
            network.run_for(ms(200));
            network.hang_up("caller", leg);
        }
        Step::Wait(time) => network.run_for(ms(time)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    // Whatever the two ends say, refuse and lose, and then fall silent: everything comes back without max_call_duration.
    #[test]
    fn nothing_is_left_of_calls_whose_ends_keep_no_rule(
        steps in prop::collection::vec(step(), 1..60),
        (caller, callee) in (whims(), whims()),
    ) {
        let defect = "[releases.r7.defects.poison-call]\nnumber = \"112\"";
        let machine = format!(
            "[timers]\naudit = \"16s\"\n{defect}\n[equipment]\nrelease = \"r7\"\nboot = \"100ms\"\nwatchdog = \"3s\"\n[sites.alpha]"
        );
        let text = TWO_SITES
            .replace("\"1h\"", "\"2s\"")
            .replace("[sites.alpha]", &machine)
            .replace("talk = \"10s\"", "talk = \"never\"");
        let mut network = Network::new(&text, world::Link::CLEAN, 1);
        rogue(&mut network, "rogue", ROGUE, &caller);
        let at = network.at("samu-75").to_string();
        rogue(&mut network, "samu-75", &at, &callee);
        for step in steps {
            carry_out(&mut network, step);
        }
        for name in ["rogue", "samu-75"] {
            act(&mut network, name, |rogue| rogue.set_whims(vec![Whim::Ignore]));
        }
        // Two answering points that ring for 20 s, and again from the other site each time that one was taken for dead, for its
        // answers were lost; then the audits, and whatever the last packet losses cost.
        let idle = network.run_until_idle(seconds(60) * 4 + seconds(16) * 2 + GIVE_UP * 4 + seconds(4));
        prop_assert!(idle, "{:#?}", network.held());
        prop_assert_eq!(network.unbalanced(), Vec::<String>::new());
        network.net.drain_all();
        network.run_for(seconds(200));
        prop_assert_eq!(network.transactions(), Vec::<String>::new());
        prop_assert_eq!(network.net.not_drained(), Vec::new());
    }
}
