//! Telephones and browsers on TLS and WebSockets, and what is `sips:`.

use super::*;

const ANNA: &str = "127.0.0.51:40000";
const BERT: &str = "127.0.0.52:40000";

fn strict_lab() -> Lab {
    Lab::with("anonymous_emergency = false")
}

/// A REGISTER over `transport`, and the status of its answer.
fn register(lab: &mut Lab, transport: Transport, user: &str, from: &str, contact: &str) -> u16 {
    let scheme = contact.split(':').next().expect("a scheme");
    let lines = format!("Contact: <{contact}>\r\n");
    let uri = format!("{scheme}:lab.example");
    let sent = lab.with_password_over(transport, "REGISTER", &uri, user, from, &lines, PASSWORD);
    one(&sent).status()
}

/// An INVITE over `transport`, with a password.
fn invite(lab: &mut Lab, transport: Transport, uri: &str, contact: &str) -> Vec<Packet> {
    let lines = format!("Contact: <{contact}>\r\n");
    lab.with_password_over(transport, "INVITE", uri, "anna", ANNA, &lines, PASSWORD)
}

/// The only request, and over what it goes where.
fn request(packets: &[Packet]) -> (Transport, String, Request) {
    let found = packets.iter().filter_map(|packet| {
        let request = Request::parse(packet.bytes.clone()).ok()?;
        Some((packet.transport, packet.peer.to_string(), request))
    });
    let [one] = <[_; 1]>::try_from(found.collect::<Vec<_>>()).expect("one request");
    one
}

/// A request inside the dialog that `invite` makes, as the network sends it.
fn inside(invite: &Request, method: &str) -> String {
    let header = |name| invite.header(name).unwrap_or_default();
    let set: Vec<_> = invite.list(Name::RecordRoute).collect();
    let uri = invite.contact().map(|contact| contact.uri().as_str().to_owned());
    format!(
        "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.21;branch=z9hG4bKi{method}\r\nMax-Forwards: 70\r\nRoute: {}\r\n\
         From: {};tag=t\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 900 {method}\r\nContent-Length: 0\r\n\r\n",
        uri.unwrap_or_default(),
        set.join(", "),
        header(Name::To),
        header(Name::From),
        invite.call_id(),
    )
}

fn warning(packets: &[Packet]) -> (u16, String) {
    let refusals = packets.iter().filter_map(|packet| Response::parse(packet.bytes.clone()).ok());
    let last = refusals.last().expect("a response");
    (last.status(), last.header(Name::Warning).unwrap_or_default().to_owned())
}

// RFC 7118 §5: what a browser writes of itself is nowhere, so all goes back on its connection.
#[test]
fn a_browser_registers_calls_and_is_called_over_its_own_connection() {
    for (transport, place) in [
        (Transport::Ws, "127.0.0.41:5080;transport=ws"),
        (Transport::Wss, "127.0.0.41:5443;transport=ws"),
        (Transport::Tls, "127.0.0.41:5061;transport=tls"),
    ] {
        let mut lab = strict_lab();
        let contact = "sip:anna@df7jal23ls0d.invalid;transport=ws";
        assert_eq!(register(&mut lab, transport, "anna", ANNA, contact), 200);
        let sent = invite(&mut lab, transport, "sip:15@lab.example", contact);
        let (by, to, invited) = request(&sent);
        assert_eq!((by, to.as_str()), (Transport::Udp, TRUNK));
        let upper = invited.list(Name::RecordRoute).nth(1).expect("two values").trim().to_owned();
        assert!(upper.ends_with(&format!("@{place};lr>")), "{upper}");
        let answered = lab.receive(TRUNK, Transport::Udp, &answer(&invited, 200, "t", ""));
        assert_eq!(statuses(&answered), [200]);
        assert_eq!(
            (answered[0].transport, answered[0].peer.to_string().as_str()),
            (transport, ANNA)
        );
        // Requests of the network inside the dialog, and what others send to its number.
        let (by, to, bye) = request(&lab.receive(TRUNK, Transport::Udp, &inside(&invited, "BYE")));
        assert_eq!((by, to.as_str(), bye.uri().as_str()), (transport, ANNA, contact));
        assert_eq!(bye.header(Name::Route), None, "both of our values are gone");
        let sent_by = place.split(';').next().expect("a place");
        let via = format!("SIP/2.0/{} {sent_by};", transport.token());
        assert!(bye.header(Name::Via).is_some_and(|it| it.starts_with(&via)), "{bye:?}");
        let ended = answer(&bye, 200, "b", "").replace(";tag=b", "");
        lab.receive(ANNA, transport, &ended);
        let text = lab.request(
            "INVITE",
            "sip:0199001234@127.0.0.41",
            "x",
            TRUNK,
            "Contact: <sip:x@h>\r\n",
        );
        let (by, to, called) = request(&lab.receive(TRUNK, Transport::Udp, &text));
        assert_eq!((by, to.as_str(), called.uri().as_str()), (transport, ANNA, contact));
        // The connection is gone, and with it the telephone.
        lab.node.handle_unreachable(lab.now, transport, ANNA.parse().expect("an address"));
        assert_eq!(statuses(&lab.sent()), [430]);
        assert_eq!(lab.node.snapshot().contacts, 0);
    }
}

// RFC 5630 §5.3.
#[test]
fn what_is_sips_goes_over_tls_or_not_at_all() {
    let mut lab = strict_lab();
    let sips = "sips:anna@192.0.2.7";
    // Towards the network, which has no TLS.
    let (status, why) = warning(&invite(&mut lab, Transport::Tls, "sips:15@lab.example", sips));
    assert_eq!(status, 480);
    assert!(why.starts_with("380 ") && why.contains("SIPS Not Allowed"), "{why}");
    // Over UDP, by whomever.
    let text = lab.request("INVITE", "sips:15@lab.example", "x", ANNA, "Contact: <sips:x@h>\r\n");
    let (status, why) = warning(&lab.receive(ANNA, Transport::Udp, &text));
    assert!(status == 480 && why.contains("it came over UDP"), "{status} {why}");
    // A telephone that has registered without, or over no TLS.
    let at_bert = "sips:bert@lab.example";
    for (transport, contact) in [
        (Transport::Udp, "sip:bert@192.0.2.8"),
        (Transport::Tls, "sip:bert@192.0.2.8;transport=tls"),
    ] {
        let mut lab = strict_lab();
        assert_eq!(register(&mut lab, transport, "bert", BERT, contact), 200);
        let (status, why) = warning(&invite(&mut lab, Transport::Tls, at_bert, sips));
        assert!(status == 480 && why.contains("no telephone of the user takes it"), "{why}");
        assert_eq!(lab.node.snapshot().counts.sips_refused, 1);
    }
    // Only one of the two.
    for (uri, contact) in [(at_bert, "sip:anna@192.0.2.7"), ("sip:bert@lab.example", sips)] {
        let text = lab.request("INVITE", uri, "anna", ANNA, &format!("Contact: <{contact}>\r\n"));
        let (status, why) = warning(&lab.receive(ANNA, Transport::Tls, &text));
        assert!(status == 400 && why.contains("both sips: or both sip:"), "{status} {why}");
    }
}

#[test]
fn a_telephone_that_wants_sips_is_called_by_it_and_without() {
    let mut lab = strict_lab();
    let contact = "sips:bert@192.0.2.8:5061";
    assert_eq!(register(&mut lab, Transport::Tls, "bert", BERT, contact), 200);
    let sent = invite(&mut lab, Transport::Tls, "sips:bert@lab.example", "sips:anna@192.0.2.7");
    let (by, to, invited) = request(&sent);
    assert_eq!((by, to.as_str(), invited.uri().as_str()), (Transport::Tls, BERT, contact));
    let routes: Vec<_> = invited.list(Name::RecordRoute).collect();
    let is_sips =
        |route: &&str| route.trim().starts_with("<sips:") && route.contains("@127.0.0.41:5061;lr");
    assert!(routes.len() == 2 && routes.iter().all(is_sips), "{routes:?}");
    lab.receive(
        BERT,
        Transport::Tls,
        &answer(&invited, 200, "t", &format!("Contact: <{contact}>\r\n")),
    );
    // Inside it stays secured; over UDP nobody gets in.
    let bye = inside(&invited, "BYE");
    let (by, to, _) = request(&lab.receive(BERT, Transport::Tls, &bye));
    assert_eq!((by, to.as_str()), (Transport::Tls, ANNA));
    let again = bye.replace("iBYE", "iBYE2");
    assert_eq!(statuses(&lab.receive(TRUNK, Transport::Udp, &again)), [480]);
    // The network calls without it: RFC 5630 §5.3 has the scheme replaced, and TLS kept.
    let text = lab.request("INVITE", "sip:bert@lab.example", "x", TRUNK, "Contact: <sip:x@h>\r\n");
    let (by, to, called) = request(&lab.receive(TRUNK, Transport::Udp, &text));
    assert_eq!((by, to.as_str()), (Transport::Tls, BERT));
    assert_eq!(called.uri().as_str(), "sip:bert@192.0.2.8:5061");
}

// RFC 5630 §5.2.
#[test]
fn a_sips_contact_is_bound_only_if_all_of_its_way_is_secured() {
    let mut lab = strict_lab();
    let contact = "sips:anna@192.0.2.7";
    for transport in [Transport::Udp, Transport::Tcp, Transport::Ws] {
        assert_eq!(register(&mut lab, transport, "anna", ANNA, contact), 400, "{transport:?}");
    }
    let lines = format!("Contact: <{contact}>\r\n");
    let mut over_tls = |uri, more| {
        let lines = format!("{lines}{more}");
        one(&lab.with_password_over(
            Transport::Tls,
            "REGISTER",
            uri,
            "anna",
            ANNA,
            &lines,
            PASSWORD,
        ))
        .status()
    };
    assert_eq!(over_tls("sip:lab.example", ""), 400);
    let path = "Supported: path\r\nPath: <sip:192.0.2.9;lr>\r\n";
    assert_eq!(over_tls("sips:lab.example", path), 400);
    assert_eq!(over_tls("sips:lab.example", ""), 200);
    assert_eq!(register(&mut lab, Transport::Wss, "anna", BERT, contact), 200);
}
