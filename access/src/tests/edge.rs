//! Calls from telephones and to telephones.

use super::*;

const ANNA: &str = "127.0.0.51:40000";
const BERT: &str = "127.0.0.52:40000";

fn registered(lab: &mut Lab) {
    lab.register("anna", ANNA, "Contact: <sip:anna@192.168.1.9>\r\n");
    lab.register("bert", BERT, "Contact: <sip:bert@192.168.1.9>\r\n");
}

fn routes(request: &Request) -> Vec<String> {
    request.list(Name::RecordRoute).map(|one| one.trim().to_owned()).collect()
}

#[test]
fn an_emergency_call_goes_to_the_trunk_group_with_the_number_of_who_calls() {
    let mut lab = Lab::with("anonymous_emergency = false");
    registered(&mut lab);
    let lines =
        "Contact: <sip:anna@192.168.1.9>\r\nP-Asserted-Identity: <sip:0199009999@lab.example>\r\n";
    let sent = lab.with_password("INVITE", "sip:15@lab.example", "anna", ANNA, lines, PASSWORD);
    assert_eq!(statuses(&sent), [100]);
    let (to, invite) = requests(&sent).remove(0);
    assert_eq!((to.as_str(), invite.uri().as_str()), (TRUNK, "sip:15@127.0.0.21:5060"));
    let asserted: Vec<_> = invite.headers(Name::PAssertedIdentity).collect();
    assert_eq!(
        asserted,
        ["<sip:0199001234@lab.example>"],
        "what the telephone said of itself is gone"
    );
    assert_eq!(invite.header(Name::ProxyAuthorization), None);
    // A request inside the dialog finds the telephone behind its translator, whatever its Contact says.
    let ringing = lab.receive(TRUNK, Transport::Udp, &answer(&invite, 180, "t", ""));
    assert_eq!(statuses(&ringing), [180]);
    let answered = lab.receive(
        TRUNK,
        Transport::Udp,
        &answer(&invite, 200, "t", "Contact: <sip:t@127.0.0.11>\r\n"),
    );
    assert_eq!((statuses(&answered), answered[0].peer), (vec![200], ANNA.parse().unwrap()));
    assert_eq!(lab.node.snapshot().setups, 0);
    // It was lost on its way: nobody but the callee sends it again, and each copy goes on (RFC 6026 §7.2).
    lab.pass(Duration::from_secs(4));
    let again = answer(&invite, 200, "t", "Contact: <sip:t@127.0.0.11>\r\n");
    assert_eq!(statuses(&lab.receive(TRUNK, Transport::Udp, &again)), [200]);
    let (from, to, call) =
        (invite.header(Name::From).unwrap(), invite.header(Name::To).unwrap(), invite.call_id());
    // The callee has the route set as it stands, the caller turned round.
    let mut set = routes(&invite);
    let inside = |method: &str, uri: &str, set: &[String], from: &str, to: &str| {
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.21;branch=z9hG4bKi{method}{}\r\nMax-Forwards: 70\r\nRoute: {}\r\n\
             From: {from}\r\nTo: {to}\r\nCall-ID: {call}\r\nCSeq: 900 {method}\r\nContent-Length: 0\r\n\r\n",
            set[0].len(),
            set.join(", ")
        )
    };
    let bye = inside("BYE", "sip:anna@192.168.1.9", &set, &format!("{to};tag=t"), from);
    let sent = requests(&lab.receive(TRUNK, Transport::Udp, &bye));
    assert_eq!(sent[0].0, ANNA);
    assert_eq!(sent[0].1.header(Name::Route), None, "both of our values are gone");
    set.reverse();
    set.push(format!("<sip:mobile@{TRUNK};lr>"));
    let to_tagged = format!("{to};tag=t");
    for method in ["ACK", "INFO", "UPDATE", "INVITE"] {
        let text = inside(method, "sip:t@127.0.0.11", &set, from, &to_tagged);
        let sent = requests(&lab.receive(ANNA, Transport::Udp, &text));
        assert_eq!((sent.len(), sent[0].0.as_str()), (1, TRUNK), "{method}");
        assert_eq!(sent[0].1.header(Name::Route), Some("<sip:mobile@127.0.0.21:5060;lr>"));
    }
    // Nobody sends messages anywhere through us.
    set.pop();
    let text = inside("BYE", "sip:x@203.0.113.9", &set, from, &to_tagged);
    assert_eq!(statuses(&lab.receive(ANNA, Transport::Udp, &text)), [403]);
    let forged = vec!["<sip:udp-7f000033-9c40-00000000000000000000@127.0.0.41:5060;lr>".to_owned()];
    let text = inside("MESSAGE", "sip:x@203.0.113.9", &forged, from, &to_tagged);
    assert_eq!(statuses(&lab.receive(BERT, Transport::Udp, &text)), [403]);
}

#[test]
fn whoever_is_not_known_may_call_for_help_where_the_file_says_so() {
    let mut lab = Lab::new();
    for uri in ["sip:15@lab.example", "sip:112@127.0.0.41:5060", "tel:112", "urn:service:sos"] {
        let lines =
            "Contact: <sip:x@192.0.2.7>\r\nP-Asserted-Identity: <sip:0199001234@lab.example>\r\n";
        let text = lab.request("INVITE", uri, "somebody", "192.0.2.7:5060", lines);
        let sent = requests(&lab.receive("192.0.2.7:5060", Transport::Udp, &text));
        assert_eq!((sent.len(), sent[0].0.as_str()), (1, TRUNK), "{uri}");
        assert_eq!(sent[0].1.header(Name::PAssertedIdentity), None, "nobody says so of itself");
    }
    // Also with a wrong password.
    let lines = "Contact: <sip:anna@192.0.2.7>\r\nProxy-Authorization: Digest username=\"anna\", realm=\"lab.example\", \
                 nonce=\"x\", uri=\"sip:15@lab.example\", response=\"0\"\r\n";
    let text = lab.request("INVITE", "sip:15@lab.example", "anna", ANNA, lines);
    assert_eq!(requests(&lab.receive(ANNA, Transport::Udp, &text)).len(), 1);
    assert_eq!(lab.node.snapshot().counts.emergencies_anonymous, 5);
    // But nothing else.
    let text = lab.request(
        "INVITE",
        "sip:bert@lab.example",
        "anna",
        ANNA,
        "Contact: <sip:anna@192.0.2.7>\r\n",
    );
    assert_eq!(one(&lab.receive(ANNA, Transport::Udp, &text)).status(), 407);
    let mut strict = Lab::with("anonymous_emergency = false");
    let text = strict.request(
        "INVITE",
        "sip:15@lab.example",
        "anna",
        ANNA,
        "Contact: <sip:anna@192.0.2.7>\r\n",
    );
    assert_eq!(one(&strict.receive(ANNA, Transport::Udp, &text)).status(), 407);
}

#[test]
fn all_telephones_of_a_user_ring_and_the_first_answer_ends_the_others() {
    let mut lab = Lab::new();
    lab.register("bert", BERT, "Contact: <sip:bert@192.168.1.9>;q=0.5\r\n");
    lab.register("bert", "127.0.0.53:40000", "Contact: <sip:bert@192.168.1.8>\r\n");
    let sent = lab.with_password(
        "INVITE",
        "sip:bert@lab.example",
        "anna",
        ANNA,
        "Contact: <sip:anna@192.168.1.9>\r\n",
        PASSWORD,
    );
    let sent = requests(&sent);
    let places: Vec<_> =
        sent.iter().map(|(to, invite)| (to.as_str(), invite.uri().as_str())).collect();
    assert_eq!(
        places,
        [("127.0.0.53:40000", "sip:bert@192.168.1.8"), (BERT, "sip:bert@192.168.1.9")]
    );
    for (to, invite) in &sent {
        lab.receive(to, Transport::Udp, &answer(invite, 180, "r", ""));
    }
    let picked = lab.receive(
        BERT,
        Transport::Udp,
        &answer(&sent[1].1, 200, "b", "Contact: <sip:bert@192.168.1.9>\r\n"),
    );
    assert_eq!(statuses(&picked), [200]);
    let cancelled = requests(&picked);
    assert_eq!(
        (cancelled[0].0.as_str(), cancelled[0].1.method()),
        ("127.0.0.53:40000", Method::Cancel)
    );
    let ended = lab.receive("127.0.0.53:40000", Transport::Udp, &answer(&sent[0].1, 487, "r", ""));
    assert!(statuses(&ended).is_empty(), "the caller has its answer");
    assert_eq!(lab.node.snapshot().setups, 0);
}

// RFC 3261 §16.7 item 6.
#[test]
fn the_best_refusal_is_told_when_all_have_refused() {
    for (statuses_given, best) in
        [([486, 404], 404), ([480, 603], 603), ([503, 486], 486), ([302, 486], 302)]
    {
        let mut lab = Lab::new();
        lab.register("bert", BERT, "Contact: <sip:bert@192.168.1.9>\r\n");
        lab.register("bert", "127.0.0.53:40000", "Contact: <sip:bert@192.168.1.8>\r\n");
        let text = lab.request(
            "INVITE",
            "sip:bert@lab.example",
            "x",
            TRUNK,
            "Contact: <sip:x@127.0.0.21>\r\n",
        );
        let sent = requests(&lab.receive(TRUNK, Transport::Udp, &text));
        let mut told = Vec::new();
        for ((to, invite), status) in sent.iter().zip(statuses_given) {
            let packets = lab.receive(to, Transport::Udp, &answer(invite, status, "r", ""));
            told.extend(statuses(&packets));
        }
        told.retain(|status| *status != 100);
        assert_eq!(told, [if best == 404 { 486 } else { best }], "{statuses_given:?}");
        assert_eq!(lab.node.snapshot().setups, 0);
    }
}

#[test]
fn a_caller_who_hangs_up_ends_all_telephones() {
    let mut lab = Lab::new();
    registered(&mut lab);
    let invite = lab.request(
        "INVITE",
        "sip:bert@lab.example",
        "x",
        TRUNK,
        "Contact: <sip:x@127.0.0.21>\r\n",
    );
    let sent = requests(&lab.receive(TRUNK, Transport::Udp, &invite));
    lab.receive(BERT, Transport::Udp, &answer(&sent[0].1, 180, "r", ""));
    let cancel = invite
        .replace("INVITE", "CANCEL")
        .replace("Content-Length", "Reason: Q.850;cause=31\r\nContent-Length");
    let sent_then = lab.receive(TRUNK, Transport::Udp, &cancel);
    assert_eq!(statuses(&sent_then), [200]);
    let (to, cancelled) = requests(&sent_then).remove(0);
    assert_eq!(
        (to.as_str(), cancelled.method(), cancelled.header(Name::Reason)),
        (BERT, Method::Cancel, Some("Q.850;cause=31"))
    );
    let ended = lab.receive(BERT, Transport::Udp, &answer(&sent[0].1, 487, "r", ""));
    assert_eq!(statuses(&ended), [487]);
    assert_eq!(lab.node.snapshot().setups, 0);
}

#[test]
fn who_is_not_there_is_told_apart_from_who_is_nobody() {
    let mut lab = Lab::new();
    registered(&mut lab);
    lab.register("bert", BERT, "Contact: *\r\nExpires: 0\r\n");
    for (uri, status) in [
        ("sip:bert@lab.example", 480),
        ("sip:0000@lab.example", 404),
        ("sip:anna@other.example", 404),
    ] {
        let sent = lab.with_password(
            "INVITE",
            uri,
            "anna",
            ANNA,
            "Contact: <sip:anna@192.168.1.9>\r\n",
            PASSWORD,
        );
        assert_eq!(statuses(&sent).last(), Some(&status), "{uri}");
    }
    // By her number she is found too, and a message needs no dialog.
    let text = lab.request("MESSAGE", "sip:0199001234@lab.example", "x", TRUNK, "");
    let sent = requests(&lab.receive(TRUNK, Transport::Udp, &text));
    assert_eq!((sent[0].0.as_str(), sent[0].1.uri().as_str()), (ANNA, "sip:anna@192.168.1.9"));
    assert_eq!(sent[0].1.header(Name::RecordRoute), None);
    let told = lab.receive(ANNA, Transport::Udp, &answer(&sent[0].1, 200, "m", ""));
    assert_eq!(statuses(&told), [200]);
}

// RFC 5626 §5.3.1.
#[test]
fn a_dead_flow_is_forgotten_and_the_other_one_of_the_telephone_is_tried() {
    let mut lab = Lab::new();
    let instance = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"";
    for (id, from) in [(1, BERT), (2, "127.0.0.52:40001")] {
        lab.register(
            "bert",
            from,
            &format!("Contact: <sip:bert@192.168.1.9>;reg-id={id};{instance}\r\n"),
        );
    }
    let text = lab.request(
        "INVITE",
        "sip:bert@lab.example",
        "x",
        TRUNK,
        "Contact: <sip:x@127.0.0.21>\r\n",
    );
    let sent = requests(&lab.receive(TRUNK, Transport::Udp, &text));
    assert_eq!((sent.len(), sent[0].0.as_str()), (1, "127.0.0.52:40001"), "the newest flow, once");
    lab.node.handle_unreachable(lab.now, Transport::Udp, "127.0.0.52:40001".parse().unwrap());
    let sent = requests(&lab.sent());
    assert_eq!(sent[0].0, BERT);
    lab.node.handle_unreachable(lab.now, Transport::Udp, BERT.parse().unwrap());
    assert_eq!(statuses(&lab.sent()), [430]);
    let snapshot = lab.node.snapshot();
    assert_eq!((snapshot.contacts, snapshot.counts.flows_lost, snapshot.setups), (0, 2, 0));
}

/// What its dead flow came to says nothing of a telephone that is busy.
#[test]
fn a_telephone_with_a_dead_flow_is_told_by_its_living_one() {
    let mut lab = Lab::new();
    let instance = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"";
    for (id, from) in [(1, BERT), (2, "127.0.0.52:40001")] {
        let contact = format!("Contact: <sip:bert@192.168.1.9>;reg-id={id};{instance}\r\n");
        lab.register("bert", from, &contact);
    }
    let contact = "Contact: <sip:x@127.0.0.21>\r\n";
    let text = lab.request("INVITE", "sip:bert@lab.example", "x", TRUNK, contact);
    lab.receive(TRUNK, Transport::Udp, &text);
    lab.node.handle_unreachable(lab.now, Transport::Udp, "127.0.0.52:40001".parse().unwrap());
    let (to, invite) = requests(&lab.sent()).remove(0);
    let told = lab.receive(&to, Transport::Udp, &answer(&invite, 486, "r", ""));
    assert_eq!(statuses(&told), [486]);
    assert_eq!(lab.node.snapshot().setups, 0);
}

#[test]
fn nothing_is_kept_of_a_call_when_its_answer_cannot_come_again() {
    let mut lab = Lab::new();
    registered(&mut lab);
    let contact = "Contact: <sip:x@127.0.0.21>\r\n";
    let text = lab.request("INVITE", "sip:bert@lab.example", "x", TRUNK, contact);
    let (to, invite) = requests(&lab.receive(TRUNK, Transport::Udp, &text)).remove(0);
    let contact = "Contact: <sip:bert@192.168.1.9>\r\n";
    lab.receive(&to, Transport::Udp, &answer(&invite, 200, "b", contact));
    assert_eq!(lab.node.forks.len(), 1);
    lab.pass(Duration::from_secs(33));
    assert!(lab.node.forks.is_empty());
    lab.node.handle_drain(lab.now);
    assert!(lab.node.is_drained());
}

#[test]
fn a_telephone_that_rings_for_ever_is_given_up() {
    let mut lab = Lab::new();
    registered(&mut lab);
    let text = lab.request(
        "INVITE",
        "sip:bert@lab.example",
        "x",
        TRUNK,
        "Contact: <sip:x@127.0.0.21>\r\n",
    );
    let sent = requests(&lab.receive(TRUNK, Transport::Udp, &text));
    lab.receive(BERT, Transport::Udp, &answer(&sent[0].1, 180, "r", ""));
    let sent = lab.pass(Duration::from_secs(240));
    assert!(requests(&sent).iter().any(|(to, it)| to == BERT && it.method() == Method::Cancel));
    assert_eq!(statuses(&sent).first(), Some(&408));
    assert_eq!(lab.node.snapshot().setups, 0);
}

#[test]
fn what_a_proxy_must_refuse_is_refused() {
    let mut lab = Lab::new();
    for (method, change, status) in [
        ("INVITE", ("Max-Forwards: 70", "Max-Forwards: 0"), 483),
        ("INVITE", ("Content-Length", "Proxy-Require: magic\r\nContent-Length"), 420),
        ("BYE", ("", ""), 481),
        ("FOO", ("", ""), 501),
        ("OPTIONS", ("sip:15@lab.example", "sip:lab.example"), 200),
        ("INFO", ("To: <sip:anna@lab.example>", "To: <sip:anna@lab.example>;tag=t"), 481),
    ] {
        let text = lab.request(
            method,
            "sip:15@lab.example",
            "anna",
            ANNA,
            "Contact: <sip:anna@192.0.2.1>\r\n",
        );
        let text = text.replace(change.0, change.1);
        assert_eq!(
            one(&lab.receive(ANNA, Transport::Udp, &text)).status(),
            status,
            "{method} {change:?}"
        );
    }
    lab.node.handle_drain(lab.now);
    let text = lab.request(
        "INVITE",
        "sip:15@lab.example",
        "anna",
        ANNA,
        "Contact: <sip:anna@192.0.2.1>\r\n",
    );
    assert_eq!(one(&lab.receive(ANNA, Transport::Udp, &text)).status(), 503);
    assert!(lab.node.is_drained());
}
