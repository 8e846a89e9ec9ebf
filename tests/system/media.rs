//! What is heard: media through the boxes, over links that lose, delay and reorder it.

use std::time::Duration;

use campaign::{Arrivals, CallerAudio, Callers, Campaign, Phase};
use media::{SoundVerdict, StreamReport};
use sip_proto::message::Payload;
use switch::CallServer;
use system_tests::network::Network;
use system_tests::phone::Phone;
use telemetry::{BoxKind, CallRecord, Outcome};
use topology::Distribution;
use world::Link;

use crate::support::{assert_idle, campaign, ms, seconds, two_sites_with};

const MANY: (&str, &str) = ("circuits = 2", "circuits = 50");
const AT_ONCE: (&str, &str) = ("ring = \"2s\"", "ring = \"100ms\"");
const STAFFED: (&str, &str) = ("positions = 2", "positions = 50");

/// `calls` calls, one each half second, whose callers speak and hang up after `talk`.
fn speaking(calls: u64, talk: Duration) -> Campaign {
    let length = ms(500 * calls);
    let base = campaign(1.0, length, 3);
    let entry = base.mix.iter().find(|entry| entry.number == "15").unwrap().clone();
    Campaign {
        phases: vec![Phase {
            name: "calls".to_owned(),
            duration: length,
            arrivals: Arrivals::Constant { rate: 2.0 },
        }],
        mix: vec![entry],
        callers: Callers {
            talk: Distribution::Fixed(talk),
            patience: None,
            caller_hangs_up: 1.0,
            media: 1.0,
            ..base.callers
        },
        ..base
    }
}

fn network(changes: &[(&str, &str)]) -> Network {
    two_sites_with(&[&[MANY, AT_ONCE, STAFFED], changes].concat())
}

/// The network after all calls of `campaign`.
fn after(campaign: &Campaign, changes: &[(&str, &str)]) -> Network {
    let mut network = network(changes);
    network.start_campaign(campaign);
    assert!(network.run_until_idle(seconds(600)), "{:?}", network.held());
    network
}

fn records(network: &Network, kind: BoxKind) -> Vec<&CallRecord> {
    network.records().iter().filter(|record| record.kind == kind).collect()
}

/// What each box of a kind received, call by call.
fn received(network: &Network, kind: BoxKind) -> Vec<&StreamReport> {
    records(network, kind).into_iter().flat_map(|record| &record.media).collect()
}

fn verdicts(network: &Network, kind: BoxKind) -> Vec<Option<SoundVerdict>> {
    received(network, kind).iter().map(|report| report.verdict).collect()
}

#[test]
fn both_ends_of_every_call_hear_each_other_through_the_relay() {
    let mut network = after(&speaking(10, seconds(4)), &[]);
    assert_eq!(verdicts(&network, BoxKind::Generator), [Some(SoundVerdict::Heard); 10]);
    assert_eq!(verdicts(&network, BoxKind::Psap), [Some(SoundVerdict::Heard); 10]);
    for record in records(&network, BoxKind::CallServer) {
        let [from_caller, from_psap] = &record.media[..] else { panic!("{record:?}") };
        assert_eq!(
            (from_caller.from.as_deref(), from_psap.from.as_deref()),
            (Some("caller"), Some("psap"))
        );
        // 4 s of packets each 20 ms, and what was on its way when the call ended.
        assert!((195..=202).contains(&from_caller.received), "{from_caller:?}");
        assert!((195..=202).contains(&from_psap.received), "{from_psap:?}");
        assert_eq!((from_caller.lost, from_psap.lost), (0, 0));
    }
    for report in received(&network, BoxKind::Generator) {
        assert!(report.mos.is_some_and(|mos| mos > 4.3), "{report:?}");
        assert_eq!(report.stopped_us, None);
        // Four hops of 1 ms, there and back through the relay.
        let round_trip = report.round_trip_us.unwrap_or(4_000);
        assert!((3_000..=5_000).contains(&round_trip), "{round_trip}");
    }
    assert_idle(&mut network);
}

#[test]
fn direct_media_passes_the_call_servers_by() {
    let network =
        after(&speaking(4, seconds(2)), &[("circuits = 50", "circuits = 50\nmedia = \"direct\"")]);
    assert_eq!(verdicts(&network, BoxKind::Generator), [Some(SoundVerdict::Heard); 4]);
    assert_eq!(verdicts(&network, BoxKind::Psap), [Some(SoundVerdict::Heard); 4]);
    assert!(received(&network, BoxKind::CallServer).is_empty());
}

#[test]
fn a_mute_call_taker_is_one_way_audio() {
    let mute = "talk = \"10s\"\n[[psaps.samu-59.behaviours]]\nshare = 1.0\nbehaviour = \"mute\"";
    let network = after(&speaking(3, seconds(7)), &[("talk = \"10s\"", mute)]);
    assert_eq!(verdicts(&network, BoxKind::Generator), [Some(SoundVerdict::Silent); 3]);
    assert_eq!(verdicts(&network, BoxKind::Psap), [Some(SoundVerdict::Heard); 3]);
    for record in records(&network, BoxKind::CallServer) {
        // The call server sees on which side it is silent.
        assert_eq!(record.media[0].stopped_us, None);
        assert!(record.media[1].stopped_us.is_some_and(|stopped| stopped > 6_000_000));
    }
}

// The measured loss is the injected one, and each relay and end sees what was lost before it.
#[test]
fn loss_jitter_and_reordering_are_measured_as_they_were_injected() {
    let patient = ("talk = \"10s\"", "talk = \"never\"");
    let mut network = network(&[("policy = \"round-robin\"", "sites = [\"alpha\"]"), patient]);
    let (alpha, psap) = (network.at("alpha"), network.at("samu-59"));
    let bad = Link { latency: ms(20), jitter: ms(30), loss: 0.04, duplication: 0.01 };
    network.net.set_link(alpha, psap, bad);
    network.start_campaign(&speaking(6, seconds(60)));
    assert!(network.run_until_idle(seconds(600)));
    let injected = network.net.media_lost(psap, alpha);
    let at_caller = received(&network, BoxKind::Generator);
    let sum = |value: fn(&StreamReport) -> u64| at_caller.iter().map(|one| value(one)).sum::<u64>();
    let (lost, expected) = (sum(|one| one.lost), sum(|one| one.expected));
    assert!(injected > 500, "{injected}");
    // A packet lost at the very end of a call leaves no gap.
    assert!(injected.abs_diff(lost) <= 12, "{lost} of {expected}, injected {injected}");
    let share = lost as f64 / expected as f64;
    assert!((share - 0.04).abs() < 0.005, "{share}");
    assert!(sum(|one| one.reordered) > 500 && sum(|one| one.duplicates) > 50);
    for report in &at_caller {
        assert_eq!(report.verdict, Some(SoundVerdict::Heard));
        // Even delays between 0 and 30 ms differ by 10 ms on average.
        assert!((8_000..12_000).contains(&report.mean_jitter_us), "{report:?}");
        assert!(report.r.is_some_and(|r| (60.0..85.0).contains(&r)), "{report:?}");
    }
    // The other way is as bad, and the way between caller and site is clean.
    for record in records(&network, BoxKind::CallServer) {
        assert_eq!(record.media[0].lost, 0);
        assert!(record.media[1].lost > 50);
    }
}

#[test]
fn media_that_stops_without_a_bye_is_the_sign_of_a_dead_site() {
    let mut network = network(&[("policy = \"round-robin\"", "sites = [\"alpha\"]")]);
    network.start_campaign(&speaking(2, seconds(20)));
    network.run_for(seconds(5));
    network.kill("alpha");
    network.run_until_idle(seconds(600));
    let callers = records(&network, BoxKind::Generator);
    assert!(callers.iter().all(|record| record.outcome == Outcome::Lost), "{callers:?}");
    for report in received(&network, BoxKind::Generator) {
        assert!(report.stopped_us.is_some_and(|stopped| stopped > 14_000_000), "{report:?}");
        assert_eq!(report.verdict, Some(SoundVerdict::Heard), "until then");
    }
    assert_eq!(network.generator().media.idle, 2, "seen while it lasted");
}

// A call server without ports refuses with 503, the next site is tried, and the record says why.
#[test]
fn ports_that_run_out_refuse_the_call_and_say_so() {
    let two_pairs = "ring_timeout = \"20s\"\nmedia_ports = \"20000-20003\"";
    let both = [("ring_timeout = \"20s\"", two_pairs)];
    let mut network = network(&both);
    network.start_campaign(&speaking(4, seconds(5)));
    assert!(network.run_until_idle(seconds(600)));
    let refused: Vec<&CallRecord> = records(&network, BoxKind::CallServer)
        .into_iter()
        .filter(|record| record.outcome == Outcome::Rejected)
        .collect();
    assert!(!refused.is_empty());
    for record in &refused {
        assert_eq!((record.status, record.cause), (Some(503), Some(47)));
        let reason = record.reason.as_deref().unwrap_or_default();
        assert!(reason.contains("20000-20003 on 127.0.0.11 are in use"), "{reason}");
    }
    let alpha = network.net.node::<CallServer>(network.at("alpha"));
    assert_eq!(contract::Node::snapshot(alpha).media.refused, refused.len() as u64);
    // The other site had ports: nobody was turned away.
    assert!(
        records(&network, BoxKind::Generator).iter().all(|one| one.outcome == Outcome::Answered)
    );
    assert_idle(&mut network);
}

// RFC 3960: the ring-back tone comes before the 200, and the call taker after it.
#[test]
fn early_media_is_heard_before_the_answer_and_the_call_taker_after_it() {
    let slow = [("ring = \"100ms\"", "ring = \"3s\"\nwaiting = \"ring-back\"")];
    let mut network = network(&slow);
    network.start_campaign(&speaking(2, seconds(3)));
    network.run_for(seconds(3));
    let heard = network.generator().media;
    assert!(heard.received > 150, "{heard:?}");
    assert!(network.run_until_idle(seconds(600)));
    assert_eq!(verdicts(&network, BoxKind::Generator), [Some(SoundVerdict::Heard); 2]);
    assert_eq!(verdicts(&network, BoxKind::Psap), [Some(SoundVerdict::Heard); 2]);
    // 3 s of tone and 3 s of talk.
    assert!(received(&network, BoxKind::Generator).iter().all(|one| one.received > 290));
}

#[test]
fn digits_of_the_caller_reach_the_call_taker() {
    let base = speaking(2, seconds(4));
    let callers = Callers { digits: "15#*0".to_owned(), ..base.callers.clone() };
    let network = after(&Campaign { callers, ..base }, &[]);
    assert!(received(&network, BoxKind::Psap).iter().all(|one| one.digits == "15#*0"));
    assert_eq!(verdicts(&network, BoxKind::Psap), [Some(SoundVerdict::Heard); 2]);
}

// A recording of the other end is recognised, and another one is not.
#[test]
fn recordings_are_recognised_as_melodies_are() {
    let clips =
        "[media.clips.alert]\nfile = \"a.wav\"\n[media.clips.voice]\nfile = \"v.wav\"\n[pool]";
    let changes = [("[pool]", clips), ("talk = \"10s\"", "talk = \"10s\"\naudio = \"clip voice\"")];
    let base = speaking(3, seconds(3));
    let callers = Callers { audio: CallerAudio::Clip("alert".to_owned()), ..base.callers.clone() };
    let network = after(&Campaign { callers, ..base }, &changes);
    assert_eq!(verdicts(&network, BoxKind::Generator), [Some(SoundVerdict::Heard); 3]);
    assert_eq!(verdicts(&network, BoxKind::Psap), [Some(SoundVerdict::Heard); 3]);
}

#[test]
fn an_echoing_call_taker_sends_the_callers_voice_back() {
    let network =
        after(&speaking(2, seconds(3)), &[("talk = \"10s\"", "talk = \"10s\"\naudio = \"echo\"")]);
    assert_eq!(verdicts(&network, BoxKind::Generator), [Some(SoundVerdict::Heard); 2]);
    assert!(received(&network, BoxKind::Generator).iter().all(|one| one.received > 140));
}

#[test]
fn recorded_calls_have_both_sides_for_as_long_as_they_lasted() {
    let network =
        after(&speaking(4, seconds(3)), &[("talk = \"10s\"", "talk = \"10s\"\nrecord = 1.0")]);
    assert_eq!(network.recordings().len(), 4);
    for recorded in network.recordings() {
        for side in [&recorded.recording.heard, &recorded.recording.said] {
            assert!((23_000..=25_000).contains(&side.len()), "{}", side.len());
            assert!(side.iter().filter(|sample| sample.abs() > 1_000).count() > 15_000);
        }
    }
}

// The two ends need not have an address family in common: the relay has both.
#[test]
fn a_caller_with_ipv6_reaches_a_psap_with_ipv4() {
    const SDP: &str =
        "v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 ::1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
    for (addresses, reaches) in [("[\"127.0.0.11\", \"::1\"]", true), ("[\"127.0.0.11\"]", false)] {
        let change = format!("ring_timeout = \"20s\"\nmedia_addresses = {addresses}");
        let only = ("policy = \"round-robin\"", "sites = [\"alpha\"]");
        let mut network = network(&[("ring_timeout = \"20s\"", &change), only]);
        let mut invite = network.invite("15", "mobile");
        invite.payload = Payload::sdp(SDP);
        let caller = network.at("caller");
        let leg = network.net.act(caller, |phone: &mut Phone, now| phone.dial(now, invite));
        network.run_for(seconds(1));
        if !reaches {
            // RFC 3261 §21.4.26.
            assert_eq!(network.call(leg).heard.last(), Some(&488));
            continue;
        }
        let text = |name: &str, label: &str| {
            let packet = network.net.trace().sent_to(network.at(name), label).last().unwrap();
            String::from_utf8_lossy(&packet.bytes).into_owned()
        };
        assert!(text("samu-59", "INVITE").contains("c=IN IP4 127.0.0.11\r\n"));
        assert!(text("caller", "200").contains("c=IN IP6 ::1\r\n"));
        network.hang_up("caller", leg);
        assert_idle(&mut network);
    }
}

/// What reaches `address` in the next second.
fn heard_at(network: &mut Network, address: &str) -> u64 {
    let address = address.parse().unwrap();
    let before = network.net.media_sent(address);
    network.run_for(seconds(1));
    network.net.media_sent(address) - before
}

// RFC 3264 §8.3.1: a re-INVITE moves the media, and only once it is accepted (RFC 3261 §14.1).
#[test]
fn a_reinvite_moves_the_media_and_a_refused_one_does_not() {
    let mut network = network(&[]);
    let caller = network.at("caller");
    let leg = network.dial("15");
    network.run_for(seconds(1));
    let offer = |port: u16, format: u8, way: &str| {
        format!(
            "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP {format}\r\na={way}\r\n"
        )
    };
    let reinvite = |network: &mut Network, description: String| {
        let sent =
            network.net.act(caller, |phone: &mut Phone, now| phone.reinvite(now, leg, description));
        assert!(sent);
        network.run_for(ms(200));
        network.call(leg).modified.last().copied()
    };
    let fifty = 48..=52;
    assert!(fifty.contains(&heard_at(&mut network, "127.0.0.1:40000")));
    assert_eq!(reinvite(&mut network, offer(40_010, 8, "sendrecv")), Some(200));
    assert!(fifty.contains(&heard_at(&mut network, "127.0.0.1:40010")));
    assert_eq!(heard_at(&mut network, "127.0.0.1:40000"), 0);
    // G.729 alone is nothing for this PSAP.
    assert_eq!(reinvite(&mut network, offer(40_020, 18, "sendrecv")), Some(488));
    assert_eq!(heard_at(&mut network, "127.0.0.1:40020"), 0);
    assert!(fifty.contains(&heard_at(&mut network, "127.0.0.1:40010")));
    // Hold and resume.
    assert_eq!(reinvite(&mut network, offer(40_010, 8, "sendonly")), Some(200));
    assert_eq!(heard_at(&mut network, "127.0.0.1:40010"), 0);
    assert_eq!(reinvite(&mut network, offer(40_010, 8, "sendrecv")), Some(200));
    assert!(fifty.contains(&heard_at(&mut network, "127.0.0.1:40010")));
    network.hang_up("caller", leg);
    assert_idle(&mut network);
}

// A flood of calls without media takes no ports: its size is not that of the port range.
#[test]
fn calls_without_media_take_no_ports() {
    let base = speaking(6, seconds(2));
    let callers = Callers { media: 0.0, ..base.callers.clone() };
    let mut network = network(&[(
        "ring_timeout = \"20s\"",
        "ring_timeout = \"20s\"\nmedia_ports = \"20000-20001\"",
    )]);
    network.start_campaign(&Campaign { callers, ..base });
    network.run_for(seconds(2));
    let alpha = network.net.node::<CallServer>(network.at("alpha"));
    assert_eq!(contract::Node::snapshot(alpha).media.streams, 0);
    assert!(network.run_until_idle(seconds(600)));
    assert!(
        records(&network, BoxKind::Generator).iter().all(|one| one.outcome == Outcome::Answered)
    );
    assert!(network.records().iter().all(|record| record.media.is_empty()));
}
