//! Calls through packets, in virtual time.

use crate::phone::{Bench, NUMBER, SDP, body, config, config_with, header, seconds};
use psap_mock::Command;
use telemetry::{Outcome, Party};
use topology::{Behaviour, WhenFull};

#[test]
fn call_rings_is_answered_and_hung_up_by_the_call_taker() {
    let mut bench = Bench::new(config());
    bench.invite(1);
    assert_eq!(bench.heard(1), ["180"]);
    bench.advance(seconds(2));
    let answer = bench.messages(1).remove(0);
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    let audio = body(&answer).lines().find_map(|line| line.strip_prefix("m=audio ")).unwrap();
    let (port, formats) = audio.split_once(' ').unwrap();
    // RFC 3550 §11: RTP is on an even port.
    assert!(port.parse::<u16>().unwrap().is_multiple_of(2), "{answer}");
    assert_eq!(formats, "RTP/AVP 8 101");
    bench.ack(1);
    bench.advance(seconds(60));
    let bye = bench.messages(1).remove(0);
    assert!(bye.starts_with("BYE "), "{bye}");
    assert_eq!(header(&bye, "Reason"), Some("Q.850;cause=16"));
    bench.answer_ok(&bye);

    let [record] = &bench.records[..] else {
        panic!("one call makes one record: {:?}", bench.records);
    };
    assert_eq!(record.attempt, format!("{:032x}", 1));
    assert_eq!((record.outcome, record.status), (Outcome::Answered, Some(200)));
    assert_eq!((record.ended_by, record.cause), (Some(Party::Callee), Some(16)));
    assert_eq!((record.start_us, record.ring_us), (0, Some(0)));
    assert_eq!((record.answer_us, record.end_us), (Some(2_000_000), 62_000_000));
}

#[test]
fn number_and_commune_of_an_emergency_call_are_recorded() {
    let mut bench = Bench::new(config());
    let access = "P-Access-Network-Info: GSTN; operator-specific-GI=\"105935000\"\r\n";
    bench.invite_with(1, "urn:service:sos.ambulance", access, SDP);
    assert_eq!(bench.heard(1), ["180"]);
    bench.cancel(1);
    let record = &bench.records[0];
    assert_eq!((&record.number[..], record.commune.as_deref()), ("15", Some("59350")));
}

// RFC 6442 §4: an INVITE with location has a multipart body, and the offer is one of its parts.
#[test]
fn offer_beside_a_location_is_answered() {
    let mut bench = Bench::new(config());
    let body_with_location = format!(
        "--x\r\nContent-Type: application/pidf+xml\r\n\r\n<presence/>\r\n\
         --x\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--x--\r\n"
    );
    let kind = "Content-Type: multipart/mixed;boundary=x\r\n";
    bench.invite_with(1, "urn:service:sos", kind, &body_with_location);
    bench.advance(seconds(2));
    let answer = bench.messages(1).remove(1);
    // An offer of our own would list PCMU, too.
    assert!(body(&answer).contains("RTP/AVP 8 101\r\n"), "{answer}");
}

#[test]
fn other_numbers_are_not_found() {
    let mut bench = Bench::new(config());
    bench.invite_with(1, "sip:0199001502@192.0.2.15", "", SDP);
    assert_eq!(bench.heard(1), ["404"]);
    assert_eq!(bench.records[0].outcome, Outcome::Rejected);
}

// RFC 3264 §6 through RFC 3261 §21.4.26: no common codec.
#[test]
fn offer_without_a_common_codec_is_not_acceptable() {
    let mut bench = Bench::new(config());
    let uri = format!("sip:{NUMBER}@192.0.2.15");
    bench.invite_with(1, &uri, "", &SDP.replace("RTP/AVP 8 101", "RTP/AVP 18 101"));
    bench.invite_with(2, &uri, "", "v=0\r\nhello");
    assert_eq!(bench.heard(1), ["488"]);
    assert_eq!(bench.heard(2), ["400"]);
    assert_eq!(bench.snapshot().positions.idle, 1);
}

#[test]
fn second_caller_waits_for_the_position_and_its_wrap_up() {
    let mut bench = Bench::new(config());
    bench.establish(1);
    bench.invite(2);
    assert_eq!(bench.heard(2), ["180"]);
    assert_eq!(bench.snapshot().waiting, 1);
    bench.send_in_dialog(1, "BYE", 2, "");
    assert_eq!(bench.heard(1), ["200"]);
    assert_eq!(bench.records[0].ended_by, Some(Party::Caller));
    assert_eq!(bench.snapshot().positions.wrap_up, 1);

    bench.advance(seconds(5));
    assert_eq!((bench.snapshot().waiting, bench.snapshot().positions.ringing), (0, 1));
    bench.advance(seconds(2));
    assert_eq!(bench.heard(2), ["200"]);
    let service = bench.snapshot().service;
    assert_eq!((service.answered, service.longest_wait_us), (2, 7_000_000));
    assert_eq!(service.share_in_time, Some(1.0));
}

#[test]
fn full_queue_refuses_as_configured() {
    let overflow = WhenFull::Redirect {
        psap: "samu-62".to_owned(),
        number: "0199001502".to_owned(),
        address: "192.0.2.16:5070".parse().unwrap(),
    };
    for (when_full, status, name, value) in [
        (WhenFull::Reject(486), "486", "Reason", Some("Q.850;cause=17")),
        (WhenFull::Reject(503), "503", "Retry-After", Some("5")),
        (WhenFull::Reject(600), "600", "Retry-After", None),
        (overflow, "302", "Contact", Some("<sip:0199001502@192.0.2.16:5070>")),
    ] {
        let mut bench = Bench::new(topology::Psap { when_full, ..config() });
        bench.invite(1); // takes the position
        bench.invite(2); // takes the queue
        bench.invite(3);
        let refusal = bench.messages(3).remove(0);
        assert!(refusal.starts_with(&format!("SIP/2.0 {status} ")), "{refusal}");
        assert_eq!(header(&refusal, name), value, "{refusal}");
        assert_eq!(bench.records[0].status, status.parse().ok());
        assert_eq!(bench.snapshot().refused, 1);
    }
}

#[test]
fn caller_who_gives_up_frees_the_queue_or_the_position() {
    let mut bench = Bench::new(config());
    bench.invite(1);
    bench.invite(2);
    for n in [2, 1] {
        bench.heard(n);
        bench.cancel(n);
        let mut heard = bench.heard(n);
        heard.sort();
        assert_eq!(heard, ["200", "487"]);
    }
    let snapshot = bench.snapshot();
    assert_eq!((snapshot.waiting, snapshot.unanswered, snapshot.in_progress), (0, 0, 0));
    assert_eq!((snapshot.positions.idle, snapshot.service.abandoned), (1, 2));
    assert!(bench.records.iter().all(|record| record.outcome == Outcome::Abandoned));
    bench.advance(seconds(600));
    assert_eq!(bench.records.len(), 2);
}

// RFC 3261 §13.2.1: no offer in the INVITE: the 200 carries it and the ACK the answer.
#[test]
fn delayed_offer_is_made_by_the_psap() {
    let mut bench = Bench::new(config());
    bench.invite_with(1, &format!("sip:{NUMBER}@192.0.2.15"), "", "");
    bench.advance(seconds(2));
    let offer = bench.messages(1).remove(1);
    assert!(body(&offer).contains("RTP/AVP 8 0 101\r\n"), "{offer}");
    bench.ack_with(1, 1, SDP);
    bench.advance(seconds(59));
    assert!(bench.heard(1).is_empty());
    assert_eq!(bench.snapshot().positions.talking, 1);
}

#[test]
fn ack_without_the_owed_answer_ends_the_call() {
    let mut bench = Bench::new(config());
    bench.invite_with(1, &format!("sip:{NUMBER}@192.0.2.15"), "", "");
    bench.advance(seconds(2));
    bench.heard(1);
    bench.ack(1);
    let bye = bench.messages(1).remove(0);
    assert!(bye.starts_with("BYE "), "{bye}");
    bench.answer_ok(&bye);
    assert_eq!(bench.records[0].outcome, Outcome::Lost);
    assert_eq!(
        bench.records[0].reason.as_deref(),
        Some("media failure: the ACK has no answer to our offer")
    );
}

// RFC 3261 §13.3.1.4: no ACK within 64*T1: the call is over.
#[test]
fn caller_who_vanishes_after_the_answer_is_lost() {
    let mut bench = Bench::new(config());
    bench.invite(1);
    bench.advance(seconds(120));
    assert_eq!(bench.records[0].outcome, Outcome::Lost);
    assert_eq!(bench.snapshot().in_progress, 0);
    assert_eq!(bench.snapshot().positions.idle, 1);
}

// RFC 3264 §8.4 and §8: hold is answered with recvonly, the version grows, and resume gives both
// ways back.
#[test]
fn hold_and_resume_are_answered() {
    let mut bench = Bench::new(config());
    bench.establish(1);
    for (cseq, theirs, ours, version) in
        [(2, "sendonly", "recvonly", 2), (3, "sendrecv", "sendrecv", 3)]
    {
        let offer = SDP.replace("sendrecv", theirs);
        bench.send_in_dialog(1, "INVITE", cseq, &offer);
        let answer = bench.messages(1).pop().unwrap();
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        assert!(body(&answer).contains(&format!("a={ours}\r\n")), "{answer}");
        assert!(body(&answer).contains(&format!(" {version} IN IP4 ")), "{answer}");
        bench.ack_with(1, cseq, "");
    }
    bench.send_in_dialog(1, "UPDATE", 4, &SDP.replace("RTP/AVP 8", "RTP/AVP 18"));
    assert_eq!(bench.heard(1), ["488"]);
    bench.send_in_dialog(1, "INFO", 5, "");
    assert_eq!(bench.heard(1), ["200"]);
}

// RFC 3264 §8.1, §8.2: a stream may come into a call, and leave it.
#[test]
fn media_that_is_added_inside_the_call_is_spoken_and_removed_media_is_not() {
    let mut bench = Bench::new(config());
    let none = SDP.replace("m=audio 9000", "m=audio 9").replace("sendrecv", "inactive");
    bench.invite_with(1, "urn:service:sos.ambulance", "", &none);
    bench.advance(seconds(2));
    bench.heard(1);
    bench.ack_with(1, 1, "");
    assert_eq!((bench.speech(), bench.snapshot().media.streams), (0, 0));
    let gone = SDP.replace("m=audio 9000", "m=audio 0");
    for (cseq, offer, speaks) in [(2, SDP, true), (3, &gone, false), (4, SDP, true)] {
        bench.send_in_dialog(1, "INVITE", cseq, offer);
        assert_eq!(bench.heard(1), ["200"]);
        bench.ack_with(1, cseq, "");
        assert_eq!(bench.speech() > 0, speaks, "{offer}");
        bench.advance(seconds(1));
    }
    assert_eq!(bench.snapshot().media.streams, 1);
}

#[test]
fn no_answer_rings_until_the_caller_gives_up() {
    let mut bench = Bench::new(config_with(Behaviour::NoAnswer));
    bench.invite(1);
    bench.advance(seconds(150));
    // RFC 3261 §13.3.1.1: a provisional response at every minute.
    assert_eq!(bench.heard(1), ["180", "180", "180"]);
    bench.cancel(1);
    assert_eq!(bench.records[0].outcome, Outcome::Abandoned);
    assert_eq!(bench.snapshot().positions.idle, 1);
}

#[test]
fn caller_who_never_cancels_is_turned_away_after_an_hour() {
    let mut bench = Bench::new(config_with(Behaviour::NoAnswer));
    bench.invite(1);
    bench.advance(seconds(4_000));
    assert_eq!(bench.records[0].status, Some(480));
    assert_eq!(bench.snapshot().in_progress, 0);
}

#[test]
fn answered_call_is_dropped_after_the_configured_time() {
    let drop = Behaviour::AnswerThenDrop { after: seconds(3) };
    let mut bench = Bench::new(config_with(drop));
    bench.establish(1);
    bench.advance(seconds(3));
    let bye = bench.messages(1).remove(0);
    assert_eq!(header(&bye, "Reason"), Some("Q.850;cause=41"));
}

#[test]
fn mute_psap_answers_like_any_other_and_says_nothing() {
    for (behaviour, speaks) in [(Behaviour::Mute, false), (Behaviour::Normal, true)] {
        let mut bench = Bench::new(config_with(behaviour));
        bench.invite(1);
        bench.advance(seconds(2));
        let answer = bench.messages(1).remove(1);
        assert!(body(&answer).contains("a=sendrecv\r\n"), "{answer}");
        assert_eq!(bench.speech() > 0, speaks, "{behaviour:?}");
    }
}

#[test]
fn slow_psap_answers_late() {
    let mut bench = Bench::new(config_with(Behaviour::Slow { factor: 10.0 }));
    bench.invite(1);
    bench.advance(seconds(19));
    assert_eq!(bench.heard(1), ["180"]);
    bench.advance(seconds(1));
    assert_eq!(bench.heard(1), ["200"]);
    assert_eq!(bench.snapshot().service.share_in_time, Some(0.0));
}

#[test]
fn refusing_psap_refuses_although_it_is_idle() {
    let mut bench = Bench::new(config_with(Behaviour::Reject { status: 603 }));
    bench.invite(1);
    assert_eq!(bench.heard(1), ["603"]);
}

#[test]
fn silent_psap_leaves_the_caller_with_100() {
    let mut bench = Bench::new(config_with(Behaviour::Silent));
    bench.invite(1);
    bench.advance(seconds(150));
    assert_eq!(bench.heard(1), ["100"]);
    assert_eq!(bench.snapshot().positions.idle, 1);
    bench.cancel(1);
    assert_eq!(bench.records[0].outcome, Outcome::Abandoned);
    assert_eq!(bench.records[0].ring_us, None);
}

#[test]
fn draining_ends_what_is_in_progress_and_refuses_what_is_new() {
    let mut bench = Bench::new(config());
    bench.establish(1);
    bench.invite(2);
    bench.heard(2);
    bench.drain();
    assert_eq!(bench.heard(2), ["480"]);
    let bye = bench.messages(1).remove(0);
    assert!(bye.starts_with("BYE ") && !bench.is_drained());
    bench.answer_ok(&bye);
    bench.ack_with(2, 1, "");
    bench.invite(3);
    assert_eq!(bench.heard(3), ["503"]);
    bench.advance(seconds(64));
    assert!(bench.is_drained());
    assert_eq!(bench.records.len(), 3);
}

#[test]
fn opening_a_position_rings_the_first_in_the_queue() {
    let mut bench = Bench::new(config());
    bench.establish(1);
    bench.invite(2);
    bench.command(Command::SetPositions(2));
    bench.advance(seconds(2));
    assert_eq!(bench.heard(2), ["180", "200"]);
}
