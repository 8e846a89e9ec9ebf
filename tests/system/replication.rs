//! Answered calls in a pool that replicates: they go on at another site when theirs dies.

use bytes::Bytes;
use campaign::{Callers, Campaign};
use contract::MemberState;
use sip_proto::{Packet, Transport};
use system_tests::network::Network;
use system_tests::phone::{CallEnd, Phone, sdp};
use telemetry::{BoxKind, CallRecord, Outcome};
use topology::Distribution;
use world::Link;

use crate::machine::{begun, done};
use crate::outage::hurried;
use crate::support::{SIX_SITES, TWO_SITES, assert_idle, campaign, ms, seconds};

const REPLICATES: &str =
    "probe_interval = \"500ms\"\nprobe_timeout = \"200ms\"\nreplicate_calls = true";

/// Long enough for a partner to find a site down and to take its calls over.
const TAKEOVER: u64 = 3;

fn two_sites(changes: &[(&str, &str)]) -> Network {
    let mut text = TWO_SITES.replace("probe_interval = \"1h\"", REPLICATES);
    let usual = [("circuits = 2", "circuits = 50"), ("positions = 2", "positions = 50")];
    for (old, new) in usual.iter().chain(changes) {
        assert!(text.contains(old), "{old:?} is not in the network");
        text = text.replace(old, new);
    }
    let mut network = Network::new(&text, Link::CLEAN, 1);
    network.run_for(ms(100));
    network
}

/// A call that alpha has, answered a while ago.
fn talking(network: &mut Network) -> sip_proto::user_agent::LegId {
    let leg = network.dial("15");
    network.run_for(seconds(4));
    assert_eq!(network.call(leg).heard, [180, 200]);
    assert_eq!(network.call_server("alpha").calls, 1);
    assert_eq!(network.call_server("beta").replicas, 1);
    leg
}

fn record_of<'a>(network: &'a Network, node: &str) -> &'a CallRecord {
    network.records().iter().find(|record| record.node == node).expect("a record")
}

fn seized(network: &Network) -> Vec<u32> {
    network.trunk_group("mobile").members.iter().map(|member| member.seized).collect()
}

const TAKEN: &str = "taken over from alpha";
const LONG: (&str, &str) = ("talk = \"10s\"", "talk = \"60s\"");

// RFC 3261 §12.2.1.2: after the target refresh, the caller's BYE goes to the partner.
#[test]
fn a_caller_hangs_up_after_the_death_of_the_site() {
    let mut network = two_sites(&[LONG]);
    let leg = talking(&mut network);
    network.kill("alpha");
    network.run_for(seconds(TAKEOVER));
    assert_eq!(seized(&network), [0, 1], "the circuit has moved");
    assert_eq!(network.call_server("beta").calls, 1);
    network.hang_up("caller", leg);
    network.run_for(ms(500));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    let beta = record_of(&network, "beta");
    assert_eq!((beta.outcome, beta.reason.as_deref()), (Outcome::Answered, Some(TAKEN)));
    assert_eq!(beta.psap.as_deref(), Some("samu-59"));
    let mobile = record_of(&network, "mobile");
    assert_eq!((mobile.outcome, mobile.site.as_deref()), (Outcome::Answered, Some("beta")));
    assert_eq!(record_of(&network, "samu-59").outcome, Outcome::Answered);
    assert_idle(&mut network);
}

#[test]
fn a_call_taker_hangs_up_after_the_restart_of_the_site() {
    let mut network = two_sites(&[]);
    let leg = talking(&mut network);
    begun(&mut network, "alpha", "restart");
    network.run_for(seconds(12));
    assert_eq!(network.call(leg).ends, [CallEnd::Bye]);
    assert_eq!(record_of(&network, "alpha").outcome, Outcome::Lost);
    assert_eq!(record_of(&network, "beta").outcome, Outcome::Answered);
    let psap = record_of(&network, "samu-59");
    assert_eq!((psap.outcome, psap.ended_by), (Outcome::Answered, Some(telemetry::Party::Callee)));
    assert_idle(&mut network);
}

#[test]
fn changes_of_the_session_cross_the_partner() {
    let mut network = two_sites(&[LONG]);
    let leg = talking(&mut network);
    network.kill("alpha");
    network.run_for(seconds(TAKEOVER));
    let caller = network.at("caller");
    let hold = sdp(caller, "sendonly");
    assert!(network.net.act(caller, |phone: &mut Phone, now| phone.reinvite(now, leg, hold)));
    network.run_for(ms(500));
    assert_eq!(network.call(leg).modified, [200]);
    network.hang_up("caller", leg);
    assert_idle(&mut network);
}

#[test]
fn without_replicas_a_call_dies_with_its_site() {
    let mut network = two_sites(&[LONG, ("replicate_calls = true", "replicate_calls = false")]);
    let leg = network.dial("15");
    network.run_for(seconds(4));
    assert_eq!(network.call_server("beta").replicas, 0);
    network.kill("alpha");
    network.run_for(seconds(TAKEOVER));
    network.hang_up("caller", leg);
    network.run_for(seconds(60));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(false)]);
    assert_eq!(network.call_server("beta").counts.taken_over, 0);
    assert_idle(&mut network);
}

#[test]
fn journals_are_empty_when_the_calls_are_over() {
    let mut network = two_sites(&[]);
    let leg = talking(&mut network);
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call_server("beta").replicas, 0);
    assert_idle(&mut network);
}

// The trunk group gives the partner time before it lets the caller go.
#[test]
fn a_trunk_group_that_releases_waits_for_the_takeover() {
    let release = ("circuits = 50", "circuits = 50\nwhen_site_dies = \"release\"");
    let mut network = two_sites(&[LONG, release]);
    let leg = talking(&mut network);
    network.kill("alpha");
    network.run_for(seconds(20));
    assert_eq!(network.call(leg).ends, []);
    network.kill("beta");
    network.run_for(seconds(20));
    assert_eq!(network.call(leg).ends, [CallEnd::Bye], "nobody was left to take it over");
    assert_eq!(record_of(&network, "mobile").outcome, Outcome::Lost);
    assert!(network.run_until_idle(seconds(3 * 3_600)));
}

// It was cut off and not dead: it hears that its calls go on elsewhere, and touches them no more.
#[test]
fn a_site_that_was_only_cut_off_gives_its_calls_away() {
    let mut network = two_sites(&[LONG]);
    let leg = talking(&mut network);
    done(&mut network, "alpha", "isolate");
    network.run_for(seconds(TAKEOVER));
    assert_eq!((network.call_server("alpha").calls, network.call_server("beta").calls), (1, 1));
    done(&mut network, "alpha", "rejoin");
    network.run_for(seconds(2));
    assert_eq!((network.call_server("alpha").calls, network.call_server("beta").calls), (0, 1));
    let alpha = record_of(&network, "alpha");
    assert_eq!(
        (alpha.outcome, alpha.reason.as_deref()),
        (Outcome::Lost, Some("the site was isolated during the call; taken over by beta"))
    );
    network.hang_up("caller", leg);
    network.run_for(ms(500));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert_idle(&mut network);
}

#[test]
fn who_is_cut_off_itself_takes_nothing_over() {
    let mut network = two_sites(&[LONG]);
    let leg = talking(&mut network);
    done(&mut network, "beta", "isolate");
    network.run_for(seconds(10));
    assert_eq!(network.call_server("beta").counts.taken_over, 0);
    done(&mut network, "beta", "rejoin");
    network.run_for(seconds(5));
    assert_eq!((network.call_server("alpha").calls, network.call_server("beta").calls), (1, 0));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert_eq!(network.call_server("beta").replicas, 0);
    assert_idle(&mut network);
}

// It is back before anybody has missed it, and knows nothing: its first word tells the partner.
#[test]
fn a_site_that_is_back_at_once_has_its_calls_taken_over_once() {
    let mut network = two_sites(&[LONG]);
    let leg = talking(&mut network);
    network.kill("alpha");
    network.run_for(ms(100));
    network.revive("alpha");
    network.run_for(seconds(TAKEOVER));
    let members = network.trunk_group("mobile").members;
    assert!(members.iter().all(|member| member.state == MemberState::Up));
    assert_eq!((network.call_server("alpha").calls, network.call_server("beta").calls), (0, 1));
    assert_eq!(network.call_server("beta").counts.taken_over, 1);
    assert_eq!(network.call_server("alpha").replicas, 1, "they keep each other's calls");
    network.hang_up("caller", leg);
    network.run_for(ms(500));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert_idle(&mut network);
}

#[test]
fn a_call_outlives_one_site_after_the_other() {
    let text = SIX_SITES
        .replace("[sites.alpha]", &format!("[pool]\n{REPLICATES}\n[sites.alpha]"))
        .replace("talk = \"uniform 2s 5s\"", "talk = \"120s\"");
    let mut network = Network::new(&text, Link::CLEAN, 5);
    network.run_for(seconds(1));
    let leg = network.dial("15");
    network.run_for(seconds(4));
    for round in 1..=4 {
        let sites = network.live_call_servers();
        let holder = sites.into_iter().find(|site| network.call_server(site).calls == 1);
        network.kill(&holder.expect("one has the call"));
        network.run_for(seconds(TAKEOVER));
        assert_eq!(network.call(leg).ends, [], "round {round}");
    }
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    let taken = network.records().iter().find(|record| record.kind == BoxKind::CallServer);
    assert_eq!(taken.unwrap().reason.as_deref().unwrap().matches("taken over from").count(), 4);
    assert_idle(&mut network);
}

// The caller hangs up before the partner knows: it is gone by then, and the call taker is let go.
#[test]
fn a_takeover_that_fails_loses_the_call_with_a_reason() {
    let mut network = two_sites(&[LONG]);
    let leg = talking(&mut network);
    network.kill("alpha");
    network.hang_up("caller", leg);
    network.run_for(seconds(40));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(false)]);
    let beta = record_of(&network, "beta");
    assert_eq!(beta.outcome, Outcome::Lost);
    let why = beta.reason.as_deref().unwrap();
    assert!(why.starts_with("taken over from alpha; the caller's side no longer knew"), "{why}");
    assert_eq!(network.psap("samu-59").positions.talking, 0);
    assert_idle(&mut network);
}

/// Calls that last, whose callers hang up.
fn lasting(rate: f64, length: u64, seed: u64) -> Campaign {
    let base = hurried(rate, seconds(length), seed);
    let talk = Distribution::Uniform { from: seconds(15), to: seconds(30) };
    Campaign { callers: Callers { talk, ..base.callers.clone() }, ..base }
}

#[test]
fn hundreds_of_calls_outlive_a_site() {
    let text = SIX_SITES
        .replace("[sites.alpha]", &format!("[pool]\n{REPLICATES}\n[sites.alpha]"))
        .replace("talk = \"uniform 2s 5s\"", "talk = \"60s\"");
    let mut network = Network::new(&text, Link::CLEAN, 81);
    network.net.forget_packets();
    network.run_for(seconds(1));
    network.start_campaign(&lasting(20.0, 60, 81));
    network.run_for(seconds(30));
    let held = network.call_server("gamma").calls;
    let all: usize =
        network.live_call_servers().iter().map(|site| network.call_server(site).calls).sum();
    assert!(held > 30 && all > 300, "{held} of {all}");
    network.kill("gamma");
    assert!(network.run_until_idle(seconds(3_600)), "{:?}", network.held());
    let taken = network.call_server("delta").counts.taken_over;
    assert!(taken > 30, "{taken} of {held}");
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    // Who hung up before the partner knew.
    let window = held as u64 / 5;
    assert!(ledger.lost <= window, "{ledger:#?}");
    let failed = network
        .records()
        .iter()
        .filter(|record| record.node == "delta" && record.outcome == Outcome::Lost);
    assert!(failed.count() as u64 <= window);
    assert_idle(&mut network);
}

#[test]
fn a_restart_loses_no_call_that_goes_on_elsewhere() {
    let text = SIX_SITES
        .replace("[sites.alpha]", &format!("[pool]\n{REPLICATES}\n[sites.alpha]"))
        .replace("talk = \"uniform 2s 5s\"", "talk = \"60s\"");
    let mut network = Network::new(&text, Link::CLEAN, 82);
    network.net.forget_packets();
    network.run_for(seconds(1));
    network.start_campaign(&lasting(10.0, 20, 82));
    // Nobody hangs up, and nobody is ringing, when it restarts.
    network.run_for(seconds(12));
    begun(&mut network, "beta", "restart");
    assert!(network.run_until_idle(seconds(3_600)), "{:?}", network.held());
    assert!(network.call_server("gamma").counts.taken_over > 10);
    let lost = network.count(BoxKind::CallServer, Outcome::Lost);
    assert!(lost > 10, "the restart has records of what it lost");
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert_eq!(ledger.lost, 0, "{ledger:#?}");
    assert_idle(&mut network);
}

#[test]
fn both_sides_hear_each_other_again() {
    let at_once = ("ring = \"2s\"", "ring = \"100ms\"");
    let mut network =
        two_sites(&[LONG, at_once, ("policy = \"round-robin\"", "policy = \"weighted\"")]);
    let base = campaign(2.0, seconds(4), 3);
    let entry = base.mix.iter().find(|entry| entry.number == "15").unwrap().clone();
    network.start_campaign(&Campaign {
        mix: vec![entry],
        callers: Callers {
            talk: Distribution::Fixed(seconds(30)),
            patience: None,
            caller_hangs_up: 1.0,
            media: 1.0,
            ..base.callers
        },
        ..base
    });
    network.run_for(seconds(8));
    let held = network.call_server("alpha").calls as u64;
    assert!(held > 1, "{held}");
    network.kill("alpha");
    network.run_for(seconds(TAKEOVER));
    let beta = network.call_server("beta");
    assert_eq!(beta.counts.taken_over, held);
    assert_eq!(beta.media.streams, 2 * beta.calls);
    assert!(network.run_until_idle(seconds(600)), "{:?}", network.held());
    let records = network.records().iter();
    let ends = records.filter(|one| matches!(one.kind, BoxKind::Generator | BoxKind::Psap));
    for record in ends {
        let [heard] = &record.media[..] else { panic!("{record:?}") };
        assert_eq!(heard.verdict, Some(media::SoundVerdict::Heard), "{record:?}");
        assert_eq!(heard.stopped_us, None, "it was heard to the end: {record:?}");
        // 30 s without what was lost until the take-over.
        assert!(heard.received > 1_300, "{record:?}");
    }
    let taken = network.records().iter().filter(|one| one.reason.as_deref() == Some(TAKEN));
    for record in taken {
        assert_eq!(record.media.len(), 2, "{record:?}");
    }
    assert_idle(&mut network);
}

fn message(from: &str, body: &str, number: u32) -> Packet {
    let length = body.len();
    let text = format!(
        "MESSAGE sip:127.0.0.12:5060 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKh{number}\r\n\
         From: <sip:{from}>;tag=h{number}\r\nTo: <sip:127.0.0.12:5060>\r\nCall-ID: h{number}\r\n\
         CSeq: 1 MESSAGE\r\nMax-Forwards: 1\r\nContent-Type: application/vnd.tocsin.pool+json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    let peer = "127.0.0.12:5060".parse().unwrap();
    Packet { transport: Transport::Udp, peer, bytes: Bytes::from(text) }
}

/// The body of the last replica that alpha has sent.
fn sent_replica(network: &Network) -> String {
    let beta = network.at("beta");
    let packets = network.net.trace().sent_to(beta, "MESSAGE");
    let texts = packets.map(|packet| String::from_utf8_lossy(&packet.bytes).into_owned());
    let replicas = texts.filter_map(|text| {
        let (_, body) = text.split_once("\r\n\r\n")?;
        body.contains("\"pool\":\"replica\"").then(|| body.to_owned())
    });
    replicas.last().expect("a replica")
}

#[test]
fn hostile_replicas_are_refused() {
    let mut network = two_sites(&[]);
    let leg = talking(&mut network);
    let sound = sent_replica(&network);
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call_server("beta").replicas, 0);
    let changes = [
        ("\"local_seq\":0", "\"local_seq\":4294967295"),
        ("\"local_seq\":0", "\"local_seq\":-1"),
        (";tag=", ";gat="),
        ("\"call_id\":\"", "\"call_id\":\"\\r\\nRoute: <sip:evil>\\r\\n"),
        ("\"kind\":\"call_server\"", "\"kind\":\"psap\""),
        ("\"answer_us\":", "\"answered\":"),
        ("\"start_us\":", "\"start_us\":9"),
        ("\"id\":\"", "\"id\":\"x"),
        ("\"attempt\":\"", "\"attempt\":\"g"),
        ("\"remote_target\":\"sip:", "\"remote_target\":\"<"),
        ("\"session\":[\"", "\"session\":[\"\\u0000"),
        ("\"pool\":\"replica\"", "\"pool\":\"relic\""),
    ];
    let (alpha, stranger) = (network.at("alpha"), "127.0.0.99:5060".parse().unwrap());
    let mut bodies =
        vec!["{}".to_owned(), "[".repeat(10_000), String::new(), sound[..900].to_owned()];
    for (old, new) in changes {
        assert!(sound.contains(old), "{old:?} is not in {sound}");
        bodies.push(sound.replace(old, new));
    }
    for (number, body) in (0..).zip(&bodies) {
        network.net.inject(alpha, message("127.0.0.11:5060", body, number));
    }
    network.net.inject(stranger, message("127.0.0.99:5060", &sound, 900));
    network.net.inject(stranger, message("127.0.0.11:5060", &sound, 901));
    network.run_for(seconds(1));
    assert_eq!(network.call_server("beta").replicas, 0);
    assert_eq!(network.net.trace().sent_to(alpha, "400 MESSAGE").count(), bodies.len());
    // Sound in itself, but of a call that is over: found out when it is to go on, and then nobody has lost it.
    // It comes by TCP, from any port: Via says who it is.
    let connection = "127.0.0.11:43210".parse().unwrap();
    let packet = message("127.0.0.11:5060", &sound, 902);
    network.net.inject(connection, Packet { transport: Transport::Tcp, ..packet });
    network.run_for(seconds(1));
    assert_eq!(network.call_server("beta").replicas, 1);
    network.kill("alpha");
    network.run_for(seconds(10));
    assert_eq!(
        (network.call_server("beta").calls, network.call_server("beta").counts.taken_over),
        (0, 0)
    );
    assert!(!network.records().iter().any(|record| record.node == "beta"));
    assert_idle(&mut network);
}
