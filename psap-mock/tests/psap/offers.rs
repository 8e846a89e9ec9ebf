//! What a PSAP makes of offers, of parts of bodies, and of INFO.

use crate::phone::{Bench, NUMBER, SDP, body, config, header, seconds};

fn uri() -> String {
    format!("sip:{NUMBER}@192.0.2.15")
}

// RFC 3261 §21.4.26: an offer of the other address family is none that can be answered, and the Warning says so.
#[test]
fn an_offer_of_the_other_address_family_is_refused_with_488() {
    let mut bench = Bench::new(config());
    let there = SDP.replace("IN IP4 192.0.2.1", "IN IP6 2001:db8::1");
    bench.invite_with(1, &uri(), "", &there);
    let refusal = bench.messages(1).remove(0);
    assert!(refusal.starts_with("SIP/2.0 488 "), "{refusal}");
    let warning = header(&refusal, "Warning").unwrap_or_default();
    assert!(warning.contains("IPv6") && warning.contains("IPv4"), "{refusal}");
    // A stream of the right family beside it is taken, and so is one that is on hold.
    let both = format!("{there}m=audio 9002 RTP/AVP 8\r\nc=IN IP4 192.0.2.1\r\n");
    bench.invite_with(2, &uri(), "", &both);
    assert_eq!(bench.heard(2), ["180"]);
    let mut bench = Bench::new(config());
    bench.establish(3);
    bench.send_in_dialog(3, "INVITE", 2, &there);
    let refusal = bench.messages(3).remove(0);
    assert!(refusal.starts_with("SIP/2.0 488 ") && header(&refusal, "Warning").is_some());
    bench.send_in_dialog(3, "INVITE", 3, &SDP.replace("192.0.2.1", "0.0.0.0"));
    assert!(bench.heard(3).contains(&"200".to_owned()));
}

// RFC 4585 §4: plain feedback is left out of the answer; encryption is not.
#[test]
fn an_offer_with_feedback_is_answered_without() {
    let mut bench = Bench::new(config());
    let avpf = SDP.replace("RTP/AVP", "RTP/AVPF") + "a=rtcp-fb:* trr-int 100\r\n";
    bench.invite_with(1, &uri(), "", &avpf);
    bench.invite_with(2, &uri(), "", &SDP.replace("RTP/AVP", "RTP/SAVPF"));
    assert_eq!(bench.heard(2), ["488"]);
    bench.advance(seconds(2));
    let answer = bench.messages(1).pop().unwrap();
    let line = body(&answer).lines().find(|line| line.starts_with("m=")).unwrap();
    assert!(line.contains(" RTP/AVP ") && !answer.contains("rtcp-fb"), "{answer}");
}

// RFC 3264 §6: the ACK must answer our offer, stream by stream.
#[test]
fn an_ack_that_answers_another_offer_is_a_failure_of_media() {
    for (answer, why) in [
        (format!("{SDP}m=video 9002 RTP/AVP 31\r\n"), "2 of the 1 \"m=\" lines"),
        (SDP.replace("m=audio", "m=video"), "another medium"),
        ("v=0\r\nnonsense".to_owned(), "line 2"),
    ] {
        let mut bench = Bench::new(config());
        bench.invite_with(1, &uri(), "", "");
        bench.advance(seconds(2));
        bench.messages(1);
        bench.ack_with(1, 1, &answer);
        let bye = bench.messages(1).remove(0);
        assert!(bye.starts_with("BYE ") && bye.contains("cause=88"), "{bye}");
        bench.answer_ok(&bye);
        let told = bench.records[0].reason.clone().unwrap_or_default();
        assert!(told.starts_with("media failure: ") && told.contains(why), "{told}");
    }
}

// RFC 5621 §8, RFC 6086 §4.2.2, RFC 3261 §8.2.3.
#[test]
fn what_it_does_not_understand_is_refused_by_name() {
    let mut bench = Bench::new(config());
    let part = |handling: &str| {
        format!(
            "--x\r\nContent-Type: application/ISUP\r\nContent-Disposition: signal;handling={handling}\r\n\r\n\
             IAM\r\n--x\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--x--\r\n"
        )
    };
    let kind = "Content-Type: multipart/mixed;boundary=x\r\n";
    bench.invite_with(1, &uri(), kind, &part("required"));
    let refusal = bench.messages(1).remove(0);
    assert!(
        refusal.starts_with("SIP/2.0 415 ") && header(&refusal, "Accept").is_some(),
        "{refusal}"
    );
    bench.invite_with(2, &uri(), kind, &part("optional"));
    assert_eq!(bench.heard(2), ["180"]);
    let gzip = "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n";
    bench.invite_with(3, &uri(), gzip, "x");
    let refusal = bench.messages(3).remove(0);
    assert!(refusal.starts_with("SIP/2.0 415 "), "{refusal}");
    assert_eq!(header(&refusal, "Accept-Encoding"), Some("identity"));
    bench.invite_with(4, &uri(), "Content-Type: multipart/mixed\r\n", "--x");
    assert_eq!(bench.heard(4), ["415"]);
}

#[test]
fn an_unknown_package_is_refused_and_the_call_goes_on() {
    let mut bench = Bench::new(config());
    bench.establish(1);
    bench.info(1, 2, "Info-Package: x\r\n", "");
    let refusal = bench.messages(1).remove(0);
    assert!(refusal.starts_with("SIP/2.0 469 "), "{refusal}");
    assert_eq!(header(&refusal, "Recv-Info"), Some(""));
    bench.info(1, 3, "", "");
    assert_eq!(bench.heard(1), ["200"]);
}

// Telephones without RFC 4733 dial by INFO: the digits stand in the record.
#[test]
fn digits_by_info_are_recorded() {
    for body in [SDP, ""] {
        let mut bench = Bench::new(config());
        // A call without audio has a record of them, too.
        let inactive = SDP.replace("a=sendrecv", "a=inactive");
        bench.invite_with(1, &uri(), "", if body.is_empty() { &inactive } else { body });
        bench.info(
            1,
            2,
            "Content-Type: application/dtmf-relay\r\n",
            "Signal=7\r\nDuration=160\r\n",
        );
        bench.advance(seconds(2));
        bench.ack(1);
        bench.info(1, 3, "Content-Type: application/dtmf\r\n", "#");
        bench.info(1, 4, "Content-Type: application/dtmf-relay\r\n", "Signal= !\r\n");
        assert_eq!(bench.heard(1).iter().filter(|heard| *heard == "200").count(), 4);
        bench.send_in_dialog(1, "BYE", 5, "");
        assert_eq!(bench.records[0].media[0].digits, "7#");
    }
}
