//! Each 2xx is acknowledged, however often and however late it comes — RFC 3261 §13.2.2.4, §14.1.

use sip_proto::message::{Method, Payload, Request};
use sip_proto::user_agent::LegId;

use crate::call::to_tag;
use crate::network::Who::{Callee, Caller};
use crate::network::{Alone, SDP, request, response};

const CONTACT: &str = "Contact: <sip:127.0.0.2>\r\n";

fn sdp() -> Payload {
    Payload::sdp(SDP)
}

/// A caller in a call, with its INVITE.
fn calling() -> (Alone, LegId, Request) {
    let mut alone = Alone::new(Caller);
    let (leg, invite) = alone.connect(sdp());
    alone.receive(response(&invite, 200, "t", CONTACT));
    assert_eq!(alone.events(), ["Answered"]);
    (alone, leg, invite)
}

/// A callee in a call.
fn called() -> (Alone, LegId, String) {
    let mut alone = Alone::new(Callee);
    alone.receive(request(Method::Invite, "a", None, ""));
    let Some(sip_proto::user_agent::Event::Offered { leg, .. }) = alone.agent.poll_event() else {
        panic!("no offer")
    };
    alone.agent.accept(alone.now, leg, &sdp());
    let tag = to_tag(&alone.sent()[0]);
    alone.receive(request(Method::Ack, "b", Some(&tag), ""));
    assert_eq!(alone.events(), ["Confirmed"]);
    (alone, leg, tag)
}

/// A re-INVITE, as it was sent.
fn reinvite(alone: &mut Alone, leg: LegId) -> Request {
    assert!(alone.agent.modify(alone.now, leg, Method::Invite, sdp()));
    Request::parse(alone.sent().remove(0).into()).unwrap()
}

fn acks(sent: &[String]) -> Vec<String> {
    let line =
        |text: &String| text.lines().find(|line| line.starts_with("CSeq: ")).map(str::to_owned);
    sent.iter().filter(|text| text.starts_with("ACK ")).filter_map(line).collect()
}

#[test]
fn every_answer_is_acknowledged_again_after_any_number_of_re_invites() {
    let (mut alone, leg, invite) = calling();
    let mut asked = vec![invite];
    for _ in 0..100 {
        let again = reinvite(&mut alone, leg);
        alone.receive(response(&again, 200, "", CONTACT));
        asked.push(again);
    }
    for one in &asked {
        let sent = alone.receive(response(one, 200, "t", CONTACT));
        assert_eq!((sent.len(), acks(&sent)), (1, vec![format!("CSeq: {} ACK", one.cseq().0)]));
    }
    let (mut alone, leg, tag) = called();
    let asked: Vec<_> = (0..3)
        .map(|_| {
            let again = reinvite(&mut alone, leg);
            alone.receive(response(&again, 200, "", "Contact: <sip:127.0.0.1>\r\n"));
            again
        })
        .collect();
    for one in &asked {
        let sent = alone.receive(response(one, 200, "", "Contact: <sip:127.0.0.1>\r\n"));
        assert_eq!(acks(&sent), [format!("CSeq: {} ACK", one.cseq().0)]);
    }
    let bye = request(Method::Bye, "z", Some(&tag), "").replace("CSeq: 1", "CSeq: 7");
    alone.receive(bye);
    // The call is over, and its answers are still acknowledged, without another BYE.
    for one in &asked {
        let sent = alone.receive(response(one, 200, "", "Contact: <sip:127.0.0.1>\r\n"));
        assert_eq!((sent.len(), acks(&sent).len()), (1, 1), "{sent:?}");
    }
    alone.run(70_000);
    assert_eq!((alone.agent.poll_timeout(), alone.agent.transactions()), (None, 0));
}

// The ACK with the answer to a delayed offer is the same each time; none goes out while it is owed.
#[test]
fn an_owed_ack_is_not_sent_without_its_answer() {
    let mut alone = Alone::new(Caller);
    let (leg, invite) = alone.connect(Payload::empty());
    alone.receive(response(&invite, 200, "t", CONTACT));
    assert!(alone.receive(response(&invite, 200, "t", CONTACT)).is_empty());
    assert!(!alone.agent.modify(alone.now, leg, Method::Invite, sdp()), "the INVITE is not over");
    alone.agent.acknowledge(alone.now, leg, &sdp());
    let first = alone.sent();
    assert!(first[0].starts_with("ACK ") && first[0].ends_with(SDP));
    assert_eq!(alone.receive(response(&invite, 200, "t", CONTACT)), first);
    let again = reinvite(&mut alone, leg);
    alone.receive(response(&again, 200, "", CONTACT));
    assert_eq!(alone.receive(response(&invite, 200, "t", CONTACT)), first);
}

// RFC 3261 §14.1: the answer to a re-INVITE crosses the end of the call.
#[test]
fn an_answer_to_a_re_invite_of_a_call_that_ends_is_acknowledged() {
    // While our BYE waits for its response, and after it.
    for answered in [false, true] {
        let (mut alone, leg, _) = calling();
        let again = reinvite(&mut alone, leg);
        alone.receive(response(&again, 100, "", ""));
        alone.agent.hang_up(alone.now, leg, None);
        let bye = Request::parse(alone.sent().remove(0).into()).unwrap();
        if answered {
            alone.receive(response(&bye, 200, "", ""));
        }
        for _ in 0..2 {
            let sent = alone.receive(response(&again, 200, "", CONTACT));
            assert_eq!((sent.len(), acks(&sent).len()), (1, 1), "{sent:?}");
        }
    }
    // The peer has ended it.
    let (mut alone, leg, tag) = called();
    let again = reinvite(&mut alone, leg);
    alone.receive(response(&again, 100, "", ""));
    let bye = request(Method::Bye, "z", Some(&tag), "").replace("CSeq: 1", "CSeq: 7");
    alone.receive(bye);
    let sent = alone.receive(response(&again, 200, "", "Contact: <sip:127.0.0.1>\r\n"));
    assert_eq!((sent.len(), acks(&sent).len()), (1, 1), "{sent:?}");
}

// A peer that has said that it knows no such dialog, and then answers, is told that the call is over.
#[test]
fn whoever_still_believes_in_the_call_gets_a_bye_once() {
    let (mut alone, leg, _) = calling();
    let again = reinvite(&mut alone, leg);
    alone.receive(response(&again, 100, "", ""));
    alone.agent.request(alone.now, leg, Method::Info, &Payload::empty());
    let info = Request::parse(alone.sent().remove(0).into()).unwrap();
    alone.receive(response(&info, 481, "", ""));
    assert_eq!(alone.events(), ["Ended PeerGone 481"]);
    let sent = alone.receive(response(&again, 200, "", CONTACT));
    assert!(sent[0].starts_with("ACK ") && sent[1].starts_with("BYE "), "{sent:?}");
    assert_eq!(acks(&alone.receive(response(&again, 200, "", CONTACT))).len(), 1);
    alone.run(70_000);
    assert_eq!((alone.agent.poll_timeout(), alone.agent.transactions()), (None, 0));
}
