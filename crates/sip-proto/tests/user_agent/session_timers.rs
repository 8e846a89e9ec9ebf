//! Session timers: who refreshes, when, by what, and how a session ends that nobody refreshes — RFC 4028.

use std::time::Duration;

use sip_proto::message::{Method, Payload, Request, Response};
use sip_proto::user_agent::{Event, LegId, SavedLeg, TIMER};

use crate::network::Who::{Callee, Caller};
use crate::network::{Alone, Network, SDP, Who, invite, request, response};

const OF_CALLER: &str = "90;refresher=uac";
const OF_CALLEE: &str = "90;refresher=uas";

fn network() -> Network {
    Network::with(|_, config| config.capabilities.supported = vec![TIMER])
}

/// A network whose caller takes no UPDATE.
fn without_update() -> Network {
    Network::with(|who, config| {
        config.capabilities.supported = vec![TIMER];
        if who == Caller {
            config.capabilities.allow.retain(|method| *method != Method::Update);
        }
    })
}

fn asking(wish: &str) -> Payload {
    Payload::sdp(SDP).with_header("Session-Expires", wish)
}

/// An established call whose caller asks for this.
fn call(net: &mut Network, wish: &str) -> (LegId, LegId) {
    let caller = net.on(Caller, |agent, now| agent.connect(now, invite(asking(wish))));
    net.run(30);
    let callee = net.offered();
    net.on(Callee, |agent, now| agent.accept(now, callee, &Payload::sdp(SDP)));
    net.run(50);
    assert_eq!(
        (net.events(Caller), net.events(Callee)),
        (vec!["Answered".to_owned()], vec!["Confirmed".to_owned()])
    );
    (caller, callee)
}

/// Lets so many seconds pass, in which one side agrees to each change by the other; returns the changes.
fn agree_for(net: &mut Network, who: Who, seconds: u64) -> Vec<Request> {
    let mut changes = Vec::new();
    for _ in 0..10 * seconds {
        net.run(100);
        while let Some(event) = net.event(who) {
            match event {
                Event::Modify { id, request, .. } => {
                    let has_offer = request.has_body();
                    let answer = if has_offer { Payload::sdp(SDP) } else { Payload::empty() };
                    net.on(who, |agent, now| agent.respond(now, id, 200, &answer));
                    changes.push(request);
                }
                Event::ModifyConfirmed { .. } => {}
                other => panic!("{who:?}: {other:?}"),
            }
        }
    }
    changes
}

fn gaps(times: &[f64]) -> Vec<u64> {
    times.windows(2).map(|pair| (pair[1] - pair[0]).round() as u64).collect()
}

// RFC 4028 §7.4: "the refresh SHOULD be sent … at half of the session interval"; UPDATE without an offer is enough.
#[test]
fn whoever_is_to_refresh_does_it_at_half_of_the_time_and_the_session_goes_on() {
    for (wish, refreshes, agrees) in [(OF_CALLER, Caller, Callee), (OF_CALLEE, Callee, Caller)] {
        let mut net = network();
        let (caller, _) = call(&mut net, wish);
        let answer = net.last(Callee, "200 INVITE");
        assert!(answer.contains(&format!("Session-Expires: {wish}\r\n")), "{answer}");
        assert_eq!(answer.contains("Require: timer\r\n"), refreshes == Caller, "{answer}");
        let changes = agree_for(&mut net, agrees, 300);
        assert!((5..=6).contains(&changes.len()), "{}", changes.len());
        for update in &changes {
            assert_eq!((update.method(), update.has_body()), (Method::Update, false));
            // In each request the roles are new: whoever sends it is the UAC.
            assert_eq!(update.header_named("Session-Expires"), Some(OF_CALLER));
        }
        let times = net.times(refreshes, "UPDATE");
        assert!(gaps(&times).iter().all(|gap| *gap == 45 || *gap == 46), "{times:?}");
        // The side that refreshes says nothing of it.
        assert!(net.events(refreshes).is_empty());
        assert!(net.times(agrees, "UPDATE").is_empty());
        net.on(Caller, |agent, now| agent.hang_up(now, caller, None));
        net.assert_clean();
    }
}

// RFC 4028 §7.4: a re-INVITE as refresh has the description as it was, which is no change (RFC 3264 §8).
#[test]
fn a_peer_without_update_is_refreshed_by_the_same_offer_again() {
    let mut net = without_update();
    let (caller, callee) = call(&mut net, OF_CALLEE);
    let changes = agree_for(&mut net, Caller, 100);
    assert_eq!(changes.len(), 2);
    for again in &changes {
        assert_eq!((again.method(), &again.body()[..]), (Method::Invite, SDP.as_bytes()));
    }
    // What was agreed since counts, and not what was said first.
    let held = format!("{SDP}a=recvonly\r\n");
    net.on(Callee, |agent, now| {
        agent.modify(now, callee, Method::Invite, Payload::sdp(held.clone()))
    });
    net.run(30);
    assert_eq!(agree_for(&mut net, Caller, 1).len(), 1);
    assert_eq!(net.events(Callee), ["Modified 200"]);
    let later = agree_for(&mut net, Caller, 60);
    assert_eq!(later.iter().map(|one| one.body().to_vec()).collect::<Vec<_>>(), [held.as_bytes()]);
    net.on(Caller, |agent, now| agent.hang_up(now, caller, None));
    net.assert_clean();
}

// RFC 4028 §10: "if the session is not refreshed … send a BYE", the lesser of 32 s and a third before the end.
#[test]
fn a_session_that_nobody_refreshes_is_ended_on_both_sides() {
    for wish in [OF_CALLER, OF_CALLEE] {
        let mut net = network();
        call(&mut net, wish);
        // Nothing gets through any more.
        net.loses = Box::new(|_| true);
        net.run(59_900);
        let silent = if wish == OF_CALLER { Callee } else { Caller };
        assert!(net.times(silent, "BYE").is_empty() && net.events(silent).is_empty());
        net.run(200);
        assert_eq!(net.events(silent), ["Ended Unrefreshed"]);
        let bye = net.last(silent, "BYE");
        assert!(bye.contains("Reason: Q.850;cause=102;"), "{bye}");
        // The side that refreshes finds its request unanswered, or its time over, whichever is first.
        net.run(60_000);
        let other = if silent == Callee { Caller } else { Callee };
        assert_eq!(net.events(other), ["Ended Unrefreshed"]);
        net.assert_clean();
    }
}

// RFC 4028 §9: 422 needs a peer that knows timers; of another one the time is taken, and this side refreshes.
#[test]
fn too_short_a_time_is_refused_to_a_peer_that_knows_timers() {
    let mut alone = Alone::with(Callee, |config| config.capabilities.supported = vec![TIMER]);
    for method in [Method::Invite, Method::Update] {
        let to = (method == Method::Update).then_some("x");
        let sent =
            alone.receive(request(method, "1", to, "Supported: timer\r\nSession-Expires: 89\r\n"));
        let refusal = sent.iter().find(|text| text.starts_with("SIP/2.0 422 ")).expect("a refusal");
        assert!(refusal.contains("Min-SE: 90\r\n"), "{refusal}");
        assert!(alone.events().is_empty());
    }
    let lines = "Session-Expires: 40\r\nAllow: UPDATE\r\n";
    alone.receive(request(Method::Invite, "2", None, lines).replace("Call-ID: c1", "Call-ID: c2"));
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("not offered") };
    alone.agent.accept(alone.now, leg, &Payload::sdp(SDP));
    let answer = alone.sent().remove(0);
    assert!(answer.contains("Session-Expires: 40;refresher=uas\r\n"), "{answer}");
    assert!(!answer.contains("Require:"), "{answer}");
}

// A time that cannot be refused any more does not make us send as often as a peer likes.
#[test]
fn no_peer_has_itself_refreshed_more_often_than_each_ten_seconds() {
    let mut alone = Alone::with(Caller, |config| config.capabilities.supported = vec![TIMER]);
    let (_, invite) = alone.connect(asking("1800"));
    let lines = "Contact: <sip:127.0.0.2>\r\nAllow: UPDATE\r\nSession-Expires: 0;refresher=uac\r\n";
    alone.receive(response(&invite, 200, "t", lines));
    let sent = alone.run(9_900);
    assert!(sent.iter().all(|text| !text.starts_with("UPDATE ")), "{sent:#?}");
    let sent = alone.run(200);
    assert!(sent.iter().any(|text| text.starts_with("UPDATE ")), "{sent:#?}");
}

// RFC 4028 §7.3: after 422 the same again, with at least Min-SE.
#[test]
fn a_refresh_that_is_too_short_is_sent_again_with_a_longer_time() {
    let mut alone = Alone::with(Caller, |config| config.capabilities.supported = vec![TIMER]);
    let (_, invite) = alone.connect(asking("1800"));
    let lines =
        "Contact: <sip:127.0.0.2>\r\nAllow: UPDATE\r\nSession-Expires: 120;refresher=uac\r\n";
    alone.receive(response(&invite, 200, "t", lines));
    let sent = alone.run(60_100);
    let update = Request::parse(sent.last().expect("a refresh").clone().into()).unwrap();
    assert_eq!(update.header_named("Session-Expires"), Some("120;refresher=uac"));
    let sent = alone.receive(response(&update, 422, "", "Min-SE: 600\r\n"));
    let again = Request::parse(sent[0].clone().into()).unwrap();
    assert_eq!(again.header_named("Session-Expires"), Some("600;refresher=uac"));
    assert!(again.cseq().0 > update.cseq().0);
    // A peer that asks for no more than it has been given is not asked for ever.
    let sent = alone.receive(response(&again, 422, "", "Min-SE: 600\r\n"));
    assert!(sent.is_empty(), "{sent:#?}");
    let third = alone.run(2_100);
    let third = Request::parse(third.last().expect("a refresh").clone().into()).unwrap();
    alone.receive(response(&third, 200, "", "Session-Expires: 600;refresher=uac\r\n"));
    assert!(alone.run(299_000).is_empty());
    assert_eq!(alone.run(1_100).len(), 1);
    assert_eq!(alone.events(), ["Answered"]);
}

// Telephones leave the header out of a re-INVITE for hold: the session keeps its timer, which the answer says.
#[test]
fn a_change_that_does_not_speak_of_the_timer_keeps_it() {
    let mut alone = Alone::with(Callee, |config| config.capabilities.supported = vec![TIMER]);
    let lines = "Supported: timer\r\nSession-Expires: 90;refresher=uas\r\nAllow: UPDATE\r\n";
    alone.receive(request(Method::Invite, "1", None, lines));
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("not offered") };
    alone.agent.accept(alone.now, leg, &Payload::sdp(SDP));
    let answer = Response::parse(alone.sent().remove(0).into()).unwrap();
    let tag = answer.to_tag().expect("a tag").to_owned();
    alone.receive(request(Method::Ack, "2", Some(&tag), ""));
    assert_eq!(alone.events(), ["Confirmed"]);
    alone.run(40_000);
    let hold = request(Method::Invite, "3", Some(&tag), "Supported: timer\r\n");
    alone.receive(hold.replace("CSeq: 1 ", "CSeq: 2 "));
    let Some(Event::Modify { id, .. }) = alone.agent.poll_event() else { panic!("no change") };
    alone.agent.respond(alone.now, id, 200, &Payload::sdp(SDP));
    let answer = alone.sent().remove(0);
    assert!(answer.contains("Session-Expires: 90;refresher=uas\r\n"), "{answer}");
    alone.receive(request(Method::Ack, "4", Some(&tag), "").replace("CSeq: 1 ", "CSeq: 2 "));
    // The refresh counts from this change on.
    let is_update = |text: &String| text.starts_with("UPDATE ");
    assert!(!alone.run(44_900).iter().any(is_update));
    assert!(alone.run(200).iter().any(is_update));
}

// A call that another call server goes on with (RFC 3261 §12.2) is refreshed by that one.
#[test]
fn a_leg_that_moves_takes_its_timer_along() {
    let mut net = network();
    let (_, callee) = call(&mut net, OF_CALLEE);
    let saved = net.agent(Callee).save(callee).expect("a dialog");
    let text = serde_json::to_string(&saved).unwrap();
    let read: SavedLeg = serde_json::from_str(&text).unwrap();
    let mut alone = Alone::with(Callee, |config| config.capabilities.supported = vec![TIMER]);
    alone.agent.adopt(alone.now, &read).expect("a sound dialog");
    let sent = alone.run(45_100);
    assert!(sent.iter().any(|text| text.starts_with("UPDATE ")), "{sent:#?}");
    // One that was saved before there were timers has none.
    let old = text.replace("\"timer\"", "\"was\"");
    assert!(serde_json::from_str::<SavedLeg>(&old).is_ok());
}

// An agent that does not name the option tag takes no part: what a peer asks for is not answered.
#[test]
fn who_does_not_know_timers_is_not_bound_by_them() {
    let mut net = Network::new();
    call(&mut net, OF_CALLER);
    assert!(!net.last(Callee, "200 INVITE").contains("Session-Expires"));
    net.run(Duration::from_secs(3_600).as_millis() as u64);
    assert_eq!((net.agent(Caller).legs(), net.agent(Callee).legs()), (1, 1));
}
