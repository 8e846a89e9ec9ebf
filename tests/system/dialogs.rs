//! What crosses the boxes when peers refuse, redirect, speak early, or stand behind odd routers.

use std::net::SocketAddr;

use sip_proto::message::{Message, Name, Request, Response};
use sip_proto::{Packet, Transport};
use system_tests::network::Network;
use system_tests::phone::{CallEnd, Phone, sdp};
use system_tests::rogue::{Rogue, Whim};
use telemetry::{BoxKind, Outcome};
use world::trace::TracedPacket;

use crate::support::{assert_idle, ms, seconds, two_sites_with};

const PSAP: &str = "127.0.0.31:5060";
const STRICT: &str = "127.9.0.1:5060";

/// One answering point for 15, in whose place the test itself writes; call takers of the other one never hang up.
fn network() -> Network {
    let mut network = two_sites_with(&[
        ("psaps = [\"samu-59\", \"samu-75\"]", "psaps = [\"samu-59\"]"),
        ("circuits = 2", "circuits = 50"),
    ]);
    silent(&mut network, "samu-59", PSAP);
    network
}

/// A box that says nothing of its own.
fn silent(network: &mut Network, name: &str, at: &str) {
    let at: SocketAddr = at.parse().unwrap();
    network.name(name, at);
    network.net.attach(at, Rogue::new(at, vec![Whim::Ignore]));
}

fn inject(network: &mut Network, from: &str, to: SocketAddr, text: String) {
    let from = network.at(from);
    network.net.inject(from, Packet { transport: Transport::Udp, peer: to, bytes: text.into() });
}

/// The last message of that label that was sent to a box.
fn last(network: &Network, to: &str, label: &str) -> TracedPacket {
    let found = network.net.trace().sent_to(network.at(to), label).last().cloned();
    found.unwrap_or_else(|| panic!("no {label} to {to}"))
}

fn response_to(network: &Network, to: &str, label: &str) -> Response {
    Response::parse(last(network, to, label).bytes).unwrap()
}

fn lines_of(message: &Message, name: Name, label: &str) -> String {
    message.headers(name).map(|value| format!("{label}: {value}\r\n")).collect()
}

/// The answering point answers a request; `rest` are further header lines, and the body behind an empty line.
fn answer(network: &mut Network, packet: &TracedPacket, status: u16, rest: &str) {
    answer_as("samu-59", network, packet, status, rest);
}

/// The same from another box.
fn answer_as(who: &str, network: &mut Network, packet: &TracedPacket, status: u16, rest: &str) {
    let request = Request::parse(packet.bytes.clone()).unwrap();
    let tag = if request.to_tag().is_some() { "" } else { ";tag=callee" };
    let (lines, body) = rest.split_once("\r\n\r\n").unwrap_or((rest, ""));
    let lines = if lines.is_empty() { String::new() } else { format!("{}\r\n", lines.trim_end()) };
    let text = format!(
        "SIP/2.0 {status} Whatever\r\n{}{}From: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\n\
         CSeq: {} {}\r\n{lines}Content-Length: {}\r\n\r\n{body}",
        lines_of(&request, Name::Via, "Via"),
        lines_of(&request, Name::RecordRoute, "Record-Route"),
        request.from_value(),
        request.to_value(),
        request.call_id(),
        request.cseq().0,
        request.method_text(),
        body.len(),
    );
    inject(network, who, packet.from, text);
}

/// A request of the answering point in the dialog of `invite`, early or not.
fn ask(network: &mut Network, invite: &TracedPacket, method: &str, seq: u32, rest: &str) {
    let request = Request::parse(invite.bytes.clone()).unwrap();
    let (lines, body) = rest.split_once("\r\n\r\n").unwrap_or((rest, ""));
    let lines = if lines.is_empty() { String::new() } else { format!("{}\r\n", lines.trim_end()) };
    let text = format!(
        "{method} sip:{} SIP/2.0\r\nVia: SIP/2.0/UDP {PSAP};branch=z9hG4bKask{seq}\r\nMax-Forwards: 70\r\n\
         From: {};tag=callee\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {seq} {method}\r\nContact: <sip:{PSAP}>\r\n\
         {lines}Content-Length: {}\r\n\r\n{body}",
        invite.from,
        request.to_value(),
        request.from_value(),
        request.call_id(),
        body.len(),
    );
    inject(network, "samu-59", invite.from, text);
}

fn answered_sdp() -> String {
    let body = sdp(PSAP.parse().unwrap(), "sendrecv");
    format!("Contact: <sip:{PSAP}>\r\nContent-Type: application/sdp\r\n\r\n{body}")
}

/// An end with this in place of the answering point's refusal.
fn refused(status: u16, rest: &str) -> Response {
    let mut network = network();
    let leg = network.dial("15");
    network.run_for(ms(100));
    let invite = last(&network, "samu-59", "INVITE");
    answer(&mut network, &invite, status, rest);
    network.run_for(ms(100));
    let [CallEnd::Refused(heard)] = network.call(leg).ends[..] else {
        panic!("{status}: {:?}", network.call(leg))
    };
    response_to(&network, "caller", &heard.to_string())
}

// RFC 3261 §21: a refusal keeps what it is about, or is another one.
#[test]
fn a_refused_call_is_told_what_would_have_done() {
    for (status, rest, heard, name, value) in [
        (405, "Allow: INVITE, ACK", 405, "Allow", "INVITE, ACK"),
        (405, "", 405, "Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, MESSAGE, PRACK"),
        (406, "Accept: text/x", 406, "Accept", "text/x"),
        (415, "Accept: text/x", 415, "Accept", "text/x"),
        (415, "Accept-Encoding: identity", 415, "Accept-Encoding", "identity"),
        (415, "", 415, "Accept", "application/sdp, multipart/mixed"),
        (417, "Accept-Resource-Priority: esnet.1", 417, "Accept-Resource-Priority", "esnet.1"),
        (420, "Unsupported: x, y", 420, "Unsupported", "x, y"),
        (421, "Require: x", 421, "Require", "x"),
        (422, "Min-SE: 120", 422, "Min-SE", "120"),
        (423, "Min-Expires: 120", 423, "Min-Expires", "120"),
        (424, "Geolocation-Error: 201;code=\"x\"", 424, "Geolocation-Error", "201;code=\"x\""),
        (469, "Recv-Info: a, b", 469, "Recv-Info", "a, b"),
        (488, "Warning: 305 x \"no codec\"", 488, "Warning", "305 x \"no codec\""),
        (606, "Warning: 399 x \"y\"", 606, "Warning", "399 x \"y\""),
        (489, "Allow-Events: presence", 489, "Allow-Events", "presence"),
        (486, "Retry-After: 7", 486, "Retry-After", "7"),
        (503, "Warning: 399 x \"no port\"", 480, "Warning", "399 x \"no port\""),
        (486, "Reason: Q.850;cause=34;text=\"x\"", 486, "Reason", "Q.850;cause=34;text=\"x\""),
        (404, "Error-Info: <sip:sorry@x>", 404, "Error-Info", "<sip:sorry@x>"),
    ] {
        let refusal = refused(status, rest);
        assert_eq!(refusal.status(), heard, "{status} {rest}");
        let headers: Vec<_> = String::from_utf8_lossy(&refusal.to_bytes())
            .lines()
            .filter_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
            .collect();
        assert_eq!(headers, [value], "{status} {rest}");
    }
    for (status, heard) in [(302, 480), (401, 480), (407, 480), (420, 400), (422, 400), (489, 405)]
    {
        assert_eq!(refused(status, "").status(), heard);
    }
    assert!(refused(488, "").header(Name::Warning).is_some());
    assert!(refused(424, "").header_named("Geolocation-Error").is_some());
}

/// A call that the answering point has answered, and its INVITE.
fn talking() -> (Network, sip_proto::user_agent::LegId, TracedPacket) {
    let mut network = network();
    let leg = network.dial("15");
    network.run_for(ms(100));
    let invite = last(&network, "samu-59", "INVITE");
    answer(&mut network, &invite, 200, &answered_sdp());
    network.run_for(ms(100));
    assert_eq!(network.call(leg).heard, [200]);
    (network, leg, invite)
}

// The same inside the call, where no refusal may end it.
#[test]
fn a_refused_change_is_told_what_would_have_done() {
    let (mut network, leg, _) = talking();
    let caller = network.at("caller");
    for (status, rest, heard, name) in [
        (401, "WWW-Authenticate: Digest realm=\"x\"", 403, None),
        (407, "", 403, None),
        (302, "Contact: <sip:elsewhere@127.0.0.9>", 403, None),
        (405, "Allow: INVITE", 405, Some("Allow")),
        (415, "", 415, Some("Accept")),
        (420, "Unsupported: x", 420, Some("Unsupported")),
        (488, "", 488, Some("Warning")),
        (500, "Retry-After: 3", 500, Some("Retry-After")),
        (503, "Retry-After: 3", 503, Some("Retry-After")),
    ] {
        let offer = sdp(caller, "sendonly");
        assert!(network.net.act(caller, |phone: &mut Phone, now| phone.reinvite(now, leg, offer)));
        network.run_for(ms(100));
        let again = last(&network, "samu-59", "re-INVITE");
        answer(&mut network, &again, status, rest);
        network.run_for(ms(100));
        assert_eq!(network.call(leg).modified.last(), Some(&heard), "{status}");
        let refusal = response_to(&network, "caller", &heard.to_string());
        assert!(name.is_none_or(|name| refusal.header_named(name).is_some()), "{refusal:?}");
        assert!(refusal.contact().is_none());
    }
    assert!(network.call(leg).ends.is_empty());
}

/// What a box answers to a request that comes from the rogue.
fn told(network: &mut Network, to: &str, text: String) -> Response {
    let call_id = Request::parse(text.clone().into()).unwrap().call_id().to_owned();
    let to = network.at(to);
    inject(network, "rogue", to, text);
    network.run_for(ms(50));
    let at = network.at("rogue");
    let answers = network.net.trace().packets().filter(|packet| packet.to == at);
    let answers = answers.filter_map(|packet| Response::parse(packet.bytes.clone()).ok());
    answers.filter(|answer| answer.call_id() == call_id).last().expect("an answer")
}

fn outside(method: &str, uri: &str, branch: &str, rest: &str) -> String {
    let (lines, body) = rest.split_once("\r\n\r\n").unwrap_or((rest, ""));
    let lines = if lines.is_empty() { String::new() } else { format!("{}\r\n", lines.trim_end()) };
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {STRICT};branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
         From: <sip:a@127.9.0.1>;tag=a\r\nTo: <sip:15@127.0.0.21>\r\nCall-ID: {branch}\r\nCSeq: 1 {method}\r\n\
         {lines}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const CONTACT: &str = "Contact: <sip:a@127.9.0.1:5099>";

// RFC 3261 §21.4.6; RFC 6665 §8.3.2: no event package exists, so nothing could stand in Allow-Events.
#[test]
fn what_a_box_does_not_take_is_refused_with_what_it_takes() {
    let mut network = network();
    silent(&mut network, "rogue", STRICT);
    for to in ["mobile", "alpha", "samu-75"] {
        for method in ["MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REGISTER", "REFER"] {
            let rest = format!("{CONTACT}\r\nEvent: presence");
            let text = outside(method, "sip:15@127.0.0.11", &format!("{to}{method}"), &rest);
            let refusal = told(&mut network, to, text);
            assert_eq!(refusal.status(), 405, "{method} to {to}");
            assert!(refusal.list(Name::Allow).count() > 4, "{method} to {to}: {refusal:?}");
            assert_eq!(refusal.header(Name::AllowEvents), None);
        }
        for (at, contact) in ["", "Contact: <mailto:a@x>", "Contact: *"].into_iter().enumerate() {
            let text = outside("INVITE", "sip:15@127.0.0.11", &format!("{to}{at}"), contact);
            assert_eq!(told(&mut network, to, text).status(), 400, "{contact} to {to}");
        }
    }
}

/// The body of an INVITE whose description stands in a multipart inside a multipart, with the lengths of the parts.
fn nested() -> String {
    let description = sdp(STRICT.parse().unwrap(), "sendrecv");
    let inner = format!(
        "--ii\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{description}\r\n\
         --ii\r\nContent-Type: application/pidf+xml\r\n\r\n<p/>\r\n--ii--",
        description.len()
    );
    format!(
        "{CONTACT}\r\nContent-Type: multipart/mixed;boundary=oo\r\n\r\n--oo\r\n\
         Content-Type: multipart/mixed;boundary=ii\r\nContent-Length: {}\r\n\r\n{inner}\r\n--oo--\r\n",
        inner.len()
    )
}

#[test]
fn a_nested_description_is_rewritten_with_the_lengths_of_its_parts() {
    let mut network = network();
    silent(&mut network, "rogue", STRICT);
    let mobile = network.at("mobile");
    inject(
        &mut network,
        "rogue",
        mobile,
        outside("INVITE", "sip:%31%35@127.0.0.21", "n", &nested()),
    );
    network.run_for(ms(100));
    // RFC 3261 §19.1.4: the escaped number is 15.
    let invite = Request::parse(last(&network, "samu-59", "INVITE").bytes).unwrap();
    let body = String::from_utf8_lossy(&invite.body()).into_owned();
    assert!(body.contains("c=IN IP4 127.0.0.1") && !body.contains("c=IN IP4 127.9.0.1"), "{body}");
    for (start, end) in [
        ("boundary=ii", "\r\n--oo--"),
        ("application/sdp", "\r\n--ii\r\nContent-Type: application/pidf"),
    ] {
        let part = body.split_once(start).unwrap().1;
        let (length, content) =
            part.split_once("Content-Length: ").unwrap().1.split_once("\r\n\r\n").unwrap();
        let content = content.split_once(end).unwrap().0;
        assert_eq!(length.parse(), Ok(content.len()), "{body}");
    }
    // What cannot be read is refused, not passed on as a call without an offer.
    for (branch, rest, header) in [
        (
            "g",
            "Content-Encoding: gzip\r\nContent-Type: application/sdp\r\n\r\n\u{1f}",
            "Accept-Encoding",
        ),
        ("h", "Content-Type: multipart/mixed\r\n\r\n--x", "Accept"),
        (
            "i",
            "Content-Type: multipart/mixed;boundary=x\r\n\r\n--x\r\nContent-Type: application/sdp\r\n\
               Content-Transfer-Encoding: base64\r\n\r\ndj0w\r\n--x--\r\n",
            "Accept",
        ),
    ] {
        let text = outside("INVITE", "sip:15@127.0.0.21", branch, &format!("{CONTACT}\r\n{rest}"));
        let refusal = told(&mut network, "mobile", text);
        assert_eq!(refusal.status(), 415, "{rest}");
        assert!(refusal.header_named(header).is_some(), "{refusal:?}");
    }
}

// RFC 3261 §12.1.2: what the answering point says before and just after its answer crosses.
#[test]
fn requests_of_the_callee_cross_before_its_answer_and_right_after_it() {
    let mut network = network();
    let leg = network.dial("15");
    network.run_for(ms(100));
    let invite = last(&network, "samu-59", "INVITE");
    answer(&mut network, &invite, 180, &format!("Contact: <sip:{PSAP}>"));
    network.run_for(ms(100));
    let offer = answered_sdp();
    for (seq, method, rest, status) in [
        (1, "INFO", "Content-Type: text/plain\r\n\r\nhello", "200 INFO"),
        (2, "MESSAGE", "Content-Type: text/plain\r\n\r\nhello", "200 MESSAGE"),
        (3, "UPDATE", "", "200 UPDATE"),
        (4, "OPTIONS", "", "200 OPTIONS"),
        // RFC 3311 §5.2: the offer of the INVITE awaits its answer.
        (5, "UPDATE", &offer[..], "491 UPDATE"),
    ] {
        ask(&mut network, &invite, method, seq, rest);
        network.run_for(ms(100));
        last(&network, "samu-59", status);
        if rest.ends_with("hello") {
            assert!(last(&network, "caller", method).bytes.ends_with(b"hello"));
        }
    }
    answer(&mut network, &invite, 200, &offer);
    for (seq, method) in [(6, "INFO"), (7, "MESSAGE")] {
        ask(&mut network, &invite, method, seq, "Content-Type: text/plain\r\n\r\nat once");
    }
    network.run_for(ms(100));
    for method in ["INFO", "MESSAGE"] {
        assert!(last(&network, "caller", method).bytes.ends_with(b"at once"));
        assert_eq!(
            network.net.trace().sent_to(network.at("samu-59"), &format!("200 {method}")).count(),
            2
        );
    }
    assert!(network.call(leg).ends.is_empty());
    assert_eq!(network.call(leg).heard, [180, 200]);
}

// RFC 3261 §8.1.3.4, §20.10: the greatest q first, over all lines; what is outside the network is not followed.
#[test]
fn a_redirection_is_followed_by_preference() {
    let mut network = two_sites_with(&[
        ("psaps = [\"samu-59\", \"samu-75\"]", "psaps = [\"samu-59\"]"),
        (
            "[[routes]]",
            "[psaps.samu-62]\naddress = \"127.0.0.35:5060\"\nnumber = \"0353010062\"\npositions = 2\n\n\
             [[routes]]\nnumbers = [\"17\"]\npsaps = [\"samu-62\"]\n\n[[routes]]",
        ),
    ]);
    silent(&mut network, "samu-59", PSAP);
    silent(&mut network, "samu-62", "127.0.0.35:5060");
    let leg = network.dial("15");
    network.run_for(ms(100));
    let invite = last(&network, "samu-59", "INVITE");
    let contacts = "Contact: <sip:0612345678@127.0.0.9>, <sip:0199000015@127.0.0.34>;q=0.2\r\n\
                    m: \"A, b\" <tel:+33-3-53%30-10062>;q=0.9\r\nContact: <sip:0353010015@127.0.0.31>;q=x";
    answer(&mut network, &invite, 302, contacts);
    network.run_for(ms(100));
    let second = last(&network, "samu-62", "INVITE");
    let request = Request::parse(second.bytes.clone()).unwrap();
    assert_eq!(request.uri().user(), Some("0353010062"));
    let busy = format!(
        "SIP/2.0 486 Busy\r\n{}From: {}\r\nTo: {};tag=x\r\nCall-ID: {}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
        lines_of(&request, Name::Via, "Via"),
        request.from_value(),
        request.to_value(),
        request.call_id()
    );
    inject(&mut network, "samu-62", second.from, busy);
    network.run_for(seconds(3));
    last(&network, "samu-75", "INVITE");
    assert_eq!(network.call(leg).heard, [180, 200]);
    network.hang_up("caller", leg);
    network.run_for(ms(100));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
}

// RFC 3264 §6, RFC 3261 §13.2.1: an answer that does not fit the offer is a failure of media, and is told so.
#[test]
fn an_answer_that_does_not_fit_its_offer_ends_the_call() {
    let contact = format!("Contact: <sip:{PSAP}>");
    let video = answered_sdp() + "m=video 40002 RTP/AVP 31\r\n";
    let other = answered_sdp().replace("m=audio", "m=video");
    for (rest, why) in [
        (contact, "no session description"),
        (video, "2 of the 1 \"m=\" lines"),
        (other, "another medium"),
    ] {
        let mut network = network();
        let leg = network.dial("15");
        network.run_for(ms(100));
        let invite = last(&network, "samu-59", "INVITE");
        answer(&mut network, &invite, 200, &rest);
        network.run_for(ms(100));
        last(&network, "samu-59", "ACK");
        let bye = Request::parse(last(&network, "samu-59", "BYE").bytes).unwrap();
        assert!(bye.header(Name::Reason).is_some_and(|reason| reason.contains("cause=88")));
        let bye = last(&network, "samu-59", "BYE");
        answer(&mut network, &bye, 200, "");
        assert_eq!(network.call(leg).ends, [CallEnd::Refused(488)], "{why}");
        let refusal = response_to(&network, "caller", "488");
        assert!(
            refusal.header(Name::Warning).is_some_and(|text| text.contains("media failure")),
            "{refusal:?}"
        );
        let record =
            network.records().iter().find(|record| record.kind == BoxKind::CallServer).unwrap();
        assert_eq!(record.outcome, Outcome::Rejected);
        let told = record.reason.clone().unwrap_or_default();
        assert!(told.starts_with("media failure: ") && told.contains(why), "{told}");
    }
}

#[test]
fn an_answer_to_a_change_that_does_not_fit_ends_the_call() {
    let (mut network, leg, _) = talking();
    let caller = network.at("caller");
    let offer = sdp(caller, "sendonly");
    assert!(network.net.act(caller, |phone: &mut Phone, now| phone.reinvite(now, leg, offer)));
    network.run_for(ms(100));
    let again = last(&network, "samu-59", "re-INVITE");
    answer(&mut network, &again, 200, &format!("Contact: <sip:{PSAP}>"));
    network.run_for(ms(100));
    last(&network, "samu-59", "BYE");
    assert_eq!(network.call(leg).ends, [CallEnd::Bye]);
    let record =
        network.records().iter().find(|record| record.kind == BoxKind::CallServer).unwrap();
    assert!(
        record.reason.as_ref().is_some_and(|why| why.starts_with("media failure: ")),
        "{record:?}"
    );
}

// RFC 3261 §16.4 and §16.6 item 6: a strict router stands between the caller and the trunk group.
#[test]
fn a_strict_router_before_the_trunk_group_is_served() {
    for caller_hangs_up in [true, false] {
        let mut network = two_sites_with(&[]);
        silent(&mut network, "rogue", STRICT);
        let mobile = network.at("mobile");
        let body = sdp(STRICT.parse().unwrap(), "sendrecv");
        let rest = format!(
            "Record-Route: <sip:{STRICT}>\r\n{CONTACT}\r\nContent-Type: application/sdp\r\n\r\n{body}"
        );
        inject(&mut network, "rogue", mobile, outside("INVITE", "sip:15@127.0.0.21", "s", &rest));
        network.run_for(seconds(3));
        let answer = response_to(&network, "rogue", "200");
        let (tag, target) = (
            answer.to_tag().unwrap().to_owned(),
            answer.contact().unwrap().uri().as_str().to_owned(),
        );
        let route = answer.record_route().unwrap().uri().as_str().to_owned();
        assert!(route.contains("mobile@"), "{route}");
        let inside = |method: &str, seq: u32| {
            format!(
                "{method} {route} SIP/2.0\r\nVia: SIP/2.0/UDP {STRICT};branch=z9hG4bKs{method}\r\nRoute: <{target}>\r\n\
                 Max-Forwards: 69\r\nFrom: <sip:a@127.9.0.1>;tag=a\r\nTo: <sip:15@127.0.0.21>;tag={tag}\r\n\
                 Call-ID: s\r\nCSeq: {seq} {method}\r\nContent-Length: 0\r\n\r\n"
            )
        };
        inject(&mut network, "rogue", mobile, inside("ACK", 1));
        network.run_for(ms(100));
        if caller_hangs_up {
            inject(&mut network, "rogue", mobile, inside("BYE", 2));
            network.run_for(ms(100));
            last(&network, "rogue", "200 BYE");
        } else {
            network.run_for(seconds(11));
            let bye = Request::parse(last(&network, "rogue", "BYE").bytes).unwrap();
            assert_eq!(bye.uri().as_str(), format!("sip:{STRICT}"));
            assert_eq!(bye.list(Name::Route).collect::<Vec<_>>(), ["<sip:a@127.9.0.1:5099>"]);
        }
        assert!(!network.net.trace().packets().any(|packet| packet.label().starts_with("481")));
        assert_idle(&mut network);
    }
}

// RFC 3261 §13.2.1: the ACK carries the answer to the offer of the 200. One that does not fit is a failure of media too.
#[test]
fn an_answer_in_an_ack_that_does_not_fit_ends_the_call() {
    let mut network = network();
    silent(&mut network, "rogue", STRICT);
    let mobile = network.at("mobile");
    let contact = format!("Contact: <sip:a@{STRICT}>");
    let invite = outside("INVITE", "sip:15@127.0.0.21", "n", &contact);
    inject(&mut network, "rogue", mobile, invite);
    network.run_for(ms(100));
    let offered = last(&network, "samu-59", "INVITE");
    answer(&mut network, &offered, 200, &answered_sdp());
    network.run_for(ms(100));
    let answered = response_to(&network, "rogue", "200");
    let route = answered.record_route().unwrap().uri().as_str().to_owned();
    let target = answered.contact().unwrap().uri().as_str().to_owned();
    let body = sdp(STRICT.parse().unwrap(), "sendrecv") + "m=video 40002 RTP/AVP 31\r\n";
    let ack = format!(
        "ACK {target} SIP/2.0\r\nVia: SIP/2.0/UDP {STRICT};branch=z9hG4bKnack\r\nRoute: <{route}>\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@127.9.0.1>;tag=a\r\nTo: <sip:15@127.0.0.21>;tag={}\r\nCall-ID: n\r\n\
         CSeq: 1 ACK\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        answered.to_tag().unwrap(),
        body.len()
    );
    inject(&mut network, "rogue", mobile, ack);
    network.run_for(ms(100));
    for end in ["samu-59", "rogue"] {
        let bye = Request::parse(last(&network, end, "BYE").bytes).unwrap();
        let reason = bye.header(Name::Reason).unwrap_or_default();
        assert!(reason.contains("cause=88"), "{end}: {reason}");
        let bye = last(&network, end, "BYE");
        answer_as(end, &mut network, &bye, 200, "");
    }
    network.run_for(seconds(1));
    let of = |kind| network.records().iter().find(|record| record.kind == kind).unwrap();
    let told = of(BoxKind::CallServer).reason.clone().unwrap_or_default();
    assert!(told.starts_with("media failure: "), "{told}");
    // The trunk group has told what the caller, who is none of ours, has offered and answered, and how it ended.
    let dialog = of(BoxKind::TrunkGroup).dialog.clone().expect("a stranger's call");
    assert_eq!((&dialog.from[..], dialog.source), ("<sip:a@127.9.0.1>", network.at("rogue")));
    assert!(dialog.offered.is_some_and(|offer| offer.starts_with("audio ")));
    assert!(dialog.answered.is_some_and(|answer| answer.contains("; video")));
    let what: Vec<_> = dialog.events.iter().map(|event| &event.what[..]).collect();
    assert!(what.iter().any(|what| what.starts_with("the callee sends BYE (Reason: ")), "{what:?}");
    assert!(of(BoxKind::CallServer).dialog.is_none(), "one box tells it");
}

// RFC 3261 §16.7 item 5, §9.1: a site that was cancelled answers all the same, when for the caller the call is over.
#[test]
fn an_answer_after_the_end_of_the_call_is_acknowledged_and_ended() {
    let mut network = network();
    silent(&mut network, "alpha", "127.0.0.11:5060");
    let leg = network.dial("15");
    network.run_for(ms(100));
    let invite = last(&network, "alpha", "INVITE");
    answer_as("alpha", &mut network, &invite, 180, "");
    network.run_for(ms(100));
    network.hang_up("caller", leg);
    // The site says nothing to the CANCEL for `next_site_after`.
    network.run_for(seconds(3));
    assert_eq!(network.call(leg).ends.len(), 1, "{:?}", network.call(leg));
    assert_eq!(network.trunk_group("mobile").calls, 0);
    let heard = network.call(leg).heard.clone();
    let contact = "Contact: <sip:127.0.0.11:5060>\r\n";
    answer_as("alpha", &mut network, &invite, 200, contact);
    network.run_for(ms(100));
    let ack = Request::parse(last(&network, "alpha", "ACK").bytes).unwrap();
    let bye = last(&network, "alpha", "BYE");
    let ended = Request::parse(bye.bytes.clone()).unwrap();
    let ours = Request::parse(invite.bytes).unwrap();
    for request in [&ack, &ended] {
        assert_eq!((request.call_id(), request.to_tag()), (ours.call_id(), Some("callee")));
    }
    answer_as("alpha", &mut network, &bye, 200, "");
    network.run_for(seconds(40));
    assert_eq!(network.call(leg).heard, heard, "the caller hears nothing of it");
    assert_eq!(network.trunk_group("mobile").transactions, 0);
}
