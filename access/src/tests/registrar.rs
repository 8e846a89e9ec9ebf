//! REGISTER: RFC 3261 §10.3, RFC 5626, RFC 3327, RFC 8760.

use super::*;

const PHONE: &str = "127.0.0.51:40000";

fn contacts(response: &Response) -> Vec<String> {
    response.headers(Name::Contact).map(str::to_owned).collect()
}

#[test]
fn a_telephone_registers_with_its_password_and_learns_what_is_bound() {
    let mut lab = Lab::new();
    let response =
        lab.register("anna", PHONE, "Contact: <sip:anna@10.0.0.9>;expires=120;q=0.5\r\n");
    assert_eq!(response.status(), 200);
    assert_eq!(contacts(&response), ["<sip:anna@10.0.0.9>;expires=120;q=0.500"]);
    // Without a wish it is the usual time; a long wish is cut.
    let more = "Contact: <sip:anna@10.0.0.8>\r\nContact: <sip:anna@10.0.0.7>;expires=999999\r\n";
    let response = lab.register("anna", PHONE, more);
    let bound = contacts(&response);
    assert!(bound[1].ends_with("expires=600") && bound[2].ends_with("expires=3600"), "{bound:?}");
    // It asks, and removes one, and all.
    assert_eq!(contacts(&lab.register("anna", PHONE, "")).len(), 3);
    let response = lab.register("anna", PHONE, "Contact: <sip:anna@10.0.0.8>;expires=0\r\n");
    assert_eq!(contacts(&response).len(), 2);
    let response = lab.register("anna", PHONE, "Contact: *\r\nExpires: 0\r\n");
    assert_eq!((response.status(), contacts(&response).len()), (200, 0));
    assert_eq!(lab.node.snapshot().registered, 0);
}

#[test]
fn time_ends_a_binding() {
    let mut lab = Lab::new();
    lab.register("anna", PHONE, "Contact: <sip:anna@10.0.0.9>;expires=60\r\n");
    lab.pass(Duration::from_secs(59));
    assert_eq!(lab.node.snapshot().contacts, 1);
    lab.pass(Duration::from_secs(2));
    let snapshot = lab.node.snapshot();
    assert_eq!((snapshot.contacts, snapshot.counts.expired), (0, 1));
    let notices: Vec<_> = std::iter::from_fn(|| lab.node.poll_event()).collect();
    assert_eq!(notices.last(), Some(&AccessNotice::Gone { account: "anna".into(), contacts: 1 }));
}

#[test]
fn what_cannot_be_bound_is_refused_and_changes_nothing() {
    let mut lab = Lab::new();
    lab.register("anna", PHONE, "Contact: <sip:anna@10.0.0.9>\r\n");
    for (lines, status, header, value) in [
        ("Contact: <sip:anna@10.0.0.8>;expires=30\r\n", 423, "Min-Expires", "60"),
        ("Contact: *\r\nExpires: 60\r\n", 400, "Warning", ""),
        ("Contact: <sip:anna@10.0.0.8>, <tel:15>\r\n", 400, "Warning", ""),
        (
            "Contact: <sip:anna@10.0.0.8>\r\nRequire: nothing, gruu\r\n",
            420,
            "Unsupported",
            "nothing, gruu",
        ),
        (
            "Contact: <sip:anna@10.0.0.8>\r\nPath: <sip:192.0.2.9;lr>\r\n",
            420,
            "Unsupported",
            "path",
        ),
        ("Contact: <sip:a@10.0.0.1>, <sip:a@10.0.0.2>, <sip:a@10.0.0.3>\r\n", 403, "Warning", ""),
    ] {
        let request = lab.request("REGISTER", "sip:lab.example", "anna", PHONE, lines);
        let first = one(&lab.receive(PHONE, Transport::Udp, &request));
        // What it requires is refused before anybody asks who it is (RFC 3261 §10.3 step 2).
        let response = if status == 420 { first } else { lab.register("anna", PHONE, lines) };
        assert_eq!(response.status(), status, "{lines}");
        assert!(response.header_named(header).is_some_and(|have| have.contains(value)), "{lines}");
        assert_eq!(lab.node.snapshot().contacts, 1, "{lines}");
    }
    let elsewhere = lab.request("REGISTER", "sip:other.example", "anna", PHONE, "");
    assert_eq!(one(&lab.receive(PHONE, Transport::Udp, &elsewhere)).status(), 404);
}

// RFC 3261 §10.3 item 7.
#[test]
fn a_register_that_was_overtaken_changes_nothing() {
    let mut lab = Lab::new();
    let contact = "Contact: <sip:anna@10.0.0.9>\r\n";
    let challenge = {
        let request = lab.request("REGISTER", "sip:lab.example", "anna", PHONE, contact);
        one(&lab.receive(PHONE, Transport::Udp, &request))
            .header_named("WWW-Authenticate")
            .unwrap()
            .to_owned()
    };
    let mut count = 0;
    let mut send = |lab: &mut Lab, sequence: u32, contact: &str| {
        count += 1;
        let credentials =
            credentials(&challenge, "REGISTER", "sip:lab.example", "anna", PASSWORD, count);
        let text = format!(
            "REGISTER sip:lab.example SIP/2.0\r\nVia: SIP/2.0/UDP {PHONE};branch=z9hG4bKs{count}\r\nMax-Forwards: 70\r\n\
             From: <sip:anna@lab.example>;tag=x\r\nTo: <sip:anna@lab.example>\r\nCall-ID: same\r\nCSeq: {sequence} REGISTER\r\n\
             Authorization: {credentials}\r\n{contact}Content-Length: 0\r\n\r\n"
        );
        one(&lab.receive(PHONE, Transport::Udp, &text)).status()
    };
    assert_eq!(send(&mut lab, 5, contact), 200);
    assert_eq!(send(&mut lab, 4, "Contact: <sip:anna@10.0.0.9>;expires=0\r\n"), 500);
    assert_eq!(send(&mut lab, 5, "Contact: *\r\nExpires: 0\r\n"), 500);
    assert_eq!(lab.node.snapshot().contacts, 1);
    assert_eq!(send(&mut lab, 6, "Contact: *\r\nExpires: 0\r\n"), 200);
    assert_eq!(lab.node.snapshot().contacts, 0);
}

#[test]
fn who_does_not_know_the_password_is_asked_and_slowed() {
    let mut lab = Lab::new();
    let register = |lab: &mut Lab, user: &str, password: &str| {
        let contact = format!("Contact: <sip:{user}@10.0.0.9>\r\n");
        one(&lab.with_password("REGISTER", "sip:lab.example", user, PHONE, &contact, password))
    };
    // A user whom nobody knows looks the same.
    for user in ["anna", "nobody"] {
        assert_eq!(register(&mut lab, user, "wrong").status(), 401, "{user}");
    }
    for _ in 0..4 {
        assert_eq!(register(&mut lab, "anna", "wrong").status(), 401);
    }
    let paused = register(&mut lab, "anna", PASSWORD);
    assert_eq!((paused.status(), paused.header_named("Retry-After")), (403, Some("1")));
    assert_eq!(register(&mut lab, "bert", PASSWORD).status(), 200, "nobody else is slowed");
    lab.pass(Duration::from_secs(2));
    assert_eq!(register(&mut lab, "anna", PASSWORD).status(), 200);
    let counts = lab.node.snapshot().counts;
    assert_eq!((counts.wrong_passwords, counts.paused), (6, 1));
}

#[test]
fn credentials_are_good_once_and_for_oneself() {
    let mut lab = Lab::new();
    let contact = "Contact: <sip:anna@10.0.0.9>\r\n";
    let request = lab.request("REGISTER", "sip:lab.example", "anna", PHONE, contact);
    let challenge = one(&lab.receive(PHONE, Transport::Udp, &request));
    let challenge = challenge.header_named("WWW-Authenticate").unwrap().to_owned();
    let line = format!(
        "Authorization: {}\r\n{contact}",
        credentials(&challenge, "REGISTER", "sip:lab.example", "anna", PASSWORD, 1)
    );
    let send = |lab: &mut Lab, user: &str| {
        let request = lab.request("REGISTER", "sip:lab.example", user, PHONE, &line);
        one(&lab.receive(PHONE, Transport::Udp, &request))
    };
    assert_eq!(send(&mut lab, "anna").status(), 200);
    let replayed = send(&mut lab, "anna");
    assert_eq!(replayed.status(), 401);
    assert!(replayed.header_named("WWW-Authenticate").unwrap().ends_with("stale=true"));
    // Anna's credentials bind nothing for Bert.
    let request = lab.request("REGISTER", "sip:lab.example", "anna", PHONE, "");
    let challenge = one(&lab.receive(PHONE, Transport::Udp, &request));
    let challenge = challenge.header_named("WWW-Authenticate").unwrap().to_owned();
    let credentials = credentials(&challenge, "REGISTER", "sip:lab.example", "anna", PASSWORD, 1);
    let lines = format!("Authorization: {credentials}\r\nContact: <sip:anna@10.0.0.9>\r\n");
    let request = lab.request("REGISTER", "sip:lab.example", "bert", PHONE, &lines);
    assert_eq!(one(&lab.receive(PHONE, Transport::Udp, &request)).status(), 403);
    assert_eq!(lab.node.snapshot().registered, 1);
}

// RFC 5626 §6: the second flow of a telephone is kept beside the first, the same one takes its place.
#[test]
fn flows_of_one_telephone_are_told_apart_by_reg_id() {
    let mut lab = Lab::new();
    let instance = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"";
    let contact = |host: &str, id: u32| {
        format!(
            "Supported: path, outbound\r\nContact: <sip:anna@{host}>;reg-id={id};{instance}\r\n"
        )
    };
    let response = lab.register("anna", PHONE, &contact("10.0.0.1", 1));
    assert_eq!(response.header_named("Require"), Some("outbound"));
    assert_eq!(response.header_named("Flow-Timer"), Some("120"));
    let response = lab.register("anna", "127.0.0.51:40001", &contact("10.0.0.2", 2));
    assert_eq!(contacts(&response).len(), 2);
    // Its address has changed.
    let response = lab.register("anna", "127.0.0.51:40002", &contact("10.0.0.3", 2));
    let bound = contacts(&response);
    assert_eq!(bound.len(), 2, "{bound:?}");
    assert!(bound[1].contains("10.0.0.3") && bound[1].contains("reg-id=2"), "{bound:?}");
}

#[test]
fn keep_alives_are_answered() {
    let mut lab = Lab::new();
    let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
    let peer = PHONE.parse().unwrap();
    lab.node
        .handle_packet(lab.now, Packet { transport: Transport::Udp, peer, bytes: request.into() });
    let [answer] = &lab.sent()[..] else { panic!() };
    assert!(answer.bytes.starts_with(&[1, 1]) && answer.peer == peer);
    assert_eq!(lab.node.snapshot().counts.keep_alives, 1);
    assert!(lab.receive(PHONE, Transport::Udp, "\r\n\r\n").is_empty());
}

// What is registered by a connection is gone with it.
#[test]
fn a_lost_connection_is_a_lost_binding() {
    let mut lab = Lab::new();
    let challenge = {
        let request = lab.request("REGISTER", "sip:lab.example", "anna", PHONE, "");
        one(&lab.receive(PHONE, Transport::Tcp, &request))
            .header_named("WWW-Authenticate")
            .unwrap()
            .to_owned()
    };
    let credentials = credentials(&challenge, "REGISTER", "sip:lab.example", "anna", PASSWORD, 1);
    let lines =
        format!("Authorization: {credentials}\r\nContact: <sip:anna@10.0.0.9;transport=tcp>\r\n");
    let request = lab.request("REGISTER", "sip:lab.example", "anna", PHONE, &lines);
    assert_eq!(one(&lab.receive(PHONE, Transport::Tcp, &request)).status(), 200);
    lab.node.handle_unreachable(lab.now, Transport::Tcp, PHONE.parse().unwrap());
    let snapshot = lab.node.snapshot();
    assert_eq!((snapshot.contacts, snapshot.counts.flows_lost), (0, 1));
}
