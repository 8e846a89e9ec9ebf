//! SIP messages, and the credentials in them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip_proto::Transport;
use sip_proto::digest::{Algorithm, Asker, Challenge, Credentials, Secret};
use sip_proto::flow::{Flow, Sender};
use sip_proto::message::{
    Forward, Incoming, Message, Name, OverloadAlgorithm, OverloadFeedback, OverloadSeq, Payload,
    Request, Response, parse, with_overload_feedback,
};
use sip_proto::reason::Reason;
use sip_proto::timer::Timers;
use sip_proto::transaction::{Target, Transactions};

use crate::seeds::assert_sentence;

const NAMES: [Name; 12] = [
    Name::Via,
    Name::From,
    Name::To,
    Name::CallId,
    Name::CSeq,
    Name::Contact,
    Name::Route,
    Name::RecordRoute,
    Name::Require,
    Name::Reason,
    Name::Authorization,
    Name::Other,
];

fn peer() -> SocketAddr {
    ([127, 0, 0, 1], 5070).into()
}

/// A message is sound and says the same when it is read again, or it is refused for a reason.
pub(crate) fn message(input: &[u8]) {
    match parse(Bytes::copy_from_slice(input)) {
        Err(unsound) => {
            assert_sentence(&unsound.why.to_string());
            assert!(matches!(unsound.status(), None | Some(400 | 505)));
        }
        Ok(Incoming::Request(request)) => {
            let again = Request::parse(request.to_bytes()).expect("a sound request");
            assert_eq!(
                (again.method(), again.method_text()),
                (request.method(), request.method_text())
            );
            assert_eq!(again.uri().as_str(), request.uri().as_str());
            same(&request, &again);
            request_goes_on(&request);
        }
        Ok(Incoming::Response(response)) => {
            let again = Response::parse(response.to_bytes()).expect("a sound response");
            assert_eq!(
                (again.status(), again.reason_phrase()),
                (response.status(), response.reason_phrase())
            );
            assert!((100..=699).contains(&response.status()));
            same(&response, &again);
            response_goes_on(&response);
        }
    }
}

/// Asks both messages for everything that they can say.
fn same(one: &Message, other: &Message) {
    assert_eq!(one.to_bytes(), other.to_bytes());
    assert_eq!(one.body(), other.body());
    assert_eq!(one.has_body(), !one.body().is_empty());
    assert_eq!((one.call_id(), one.cseq()), (other.call_id(), other.cseq()));
    assert_eq!((one.from_value(), one.to_value()), (other.from_value(), other.to_value()));
    assert_eq!((one.from_tag(), one.to_tag()), (other.from_tag(), other.to_tag()));
    assert_eq!(
        (one.from_untagged(), one.to_untagged()),
        (other.from_untagged(), other.to_untagged())
    );
    assert_eq!(one.from().uri().as_str(), other.from().uri().as_str());
    assert_eq!(one.to().uri().as_str(), other.to().uri().as_str());
    assert_eq!((one.branch(), one.max_forwards()), (other.branch(), other.max_forwards()));
    let via = |message: &Message| {
        let via = message.via();
        (
            via.transport().to_owned(),
            via.host().to_owned(),
            via.port(),
            via.received(),
            via.ip(),
            via.wants_rport(),
        )
    };
    assert_eq!(via(one), via(other));
    let feedback =
        |message: &Message| (message.via().overload_offer(), message.via().overload_feedback());
    assert_eq!(feedback(one), feedback(other));
    for name in NAMES {
        assert!(one.headers(name).eq(other.headers(name)), "{name:?}");
        assert!(one.list(name).eq(other.list(name)), "{name:?}");
    }
    let contacts = |message: &Message| -> Vec<(String, Option<u16>)> {
        message.contacts().map(|one| (one.uri().as_str().to_owned(), one.uri().port())).collect()
    };
    assert_eq!(contacts(one), contacts(other));
    assert_eq!(one.contact().is_some(), other.contact().is_some());
    assert_eq!(one.session_id(), other.session_id());
    assert_eq!((one.retry_after(), one.warning()), (other.retry_after(), other.warning()));
    assert_eq!((one.commune(), one.origin_state_id()), (other.commune(), other.origin_state_id()));
    assert_eq!(one.record_route().is_some(), other.record_route().is_some());
    assert_eq!(one.content_encoding(), other.content_encoding());
    assert!(one.retry_after().is_none_or(|pause| pause <= Duration::from_secs(3_600)));
    let reason = |message: &Message| {
        Reason::of(message).map(|reason| (reason.q850_cause(), reason.to_string()))
    };
    assert_eq!(reason(one), reason(other));
    if let Some(contact) = one.contact() {
        // What was dialled goes into records and pages.
        let dialled = contact.uri().dialled();
        assert!(dialled.is_none_or(|text| !text.contains(char::is_control)));
    }
}

/// A proxy sends on what came, with its own Via above it.
fn request_goes_on(request: &Request) {
    let (mut proxy, now) = (Transactions::new(peer(), Timers::RFC3261, 1), Instant::now());
    let record_route = Some("<sip:127.0.0.8;lr>");
    let changes = Forward {
        source: peer(),
        uri: None,
        record_route,
        pop_routes: 1,
        push_route: None,
        lines: b"",
        without: &[],
    };
    proxy.forward(now, request, &changes, Target::to(peer()), ());
    let sent = proxy.poll_transmit().expect("the request").bytes;
    let read = Request::parse(sent).unwrap_or_else(|why| panic!("{why:?}: {request:?}"));
    assert_eq!((read.body(), read.cseq()), (request.body(), request.cseq()));
    assert_eq!(read.uri().as_str(), request.uri().as_str());
    assert_eq!((read.from_value(), read.to_value()), (request.from_value(), request.to_value()));
    assert_eq!(read.list(Name::Via).count(), request.list(Name::Via).count() + 1);
    let dialled = request.uri().dialled();
    assert!(dialled.is_none_or(|text| !text.contains(char::is_control)));
    let flow = Flow::of(request, peer(), Transport::Udp);
    assert_eq!(flow.source(), peer());
    let _ = (
        flow.target(&request.uri(), true),
        flow.back(),
        Sender::of(request, peer()).translator(peer().ip()),
    );
    let _ = (
        request.refuse_unusable_contact(),
        request.refuse_content_encoding(),
        request.refuse_proxy_require(),
    );
    carries_over(request);
}

fn response_goes_on(response: &Response) {
    if let Some(rest) = response.without_topmost_via() {
        let vias = response.list(Name::Via).count();
        // It may be left without any Via, or with one that only its own proxy can judge.
        if let Ok(rest) = Response::parse(rest) {
            assert_eq!(rest.list(Name::Via).count() + 1, vias);
            assert_eq!(
                (rest.status(), rest.body(), rest.cseq()),
                (response.status(), response.body(), response.cseq())
            );
        }
    }
    let feedback = OverloadFeedback {
        algorithm: OverloadAlgorithm::Rate,
        oc: 20,
        validity: Duration::from_millis(500),
        seq: OverloadSeq::at(1_282_321_615_782_000),
    };
    if let Some(told) = with_overload_feedback(&response.to_bytes(), |_| Some(feedback)) {
        let told = Response::parse(told).expect("a sound response");
        assert_eq!(told.via().overload_feedback(), Some(feedback));
        assert_eq!((told.body(), told.status()), (response.body(), response.status()));
    }
    carries_over(response);
}

/// What a back-to-back user agent carries from one leg to the other is sound there, and adds nothing that it was not told.
fn carries_over(message: &Message) {
    const HEAD: &str = "OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n\
                        From: <sip:a@h>;tag=a\r\nTo: <sip:b@h>\r\nCall-ID: a\r\nCSeq: 1 OPTIONS\r\n";
    let relayed = Payload::relay(message);
    assert_eq!(relayed.body(), &message.body());
    let text = [HEAD.as_bytes(), relayed.headers(), b"\r\n"].concat();
    if let Ok(read) = Request::parse(text.into()) {
        assert_eq!((read.header(Name::Route), read.list(Name::Via).count()), (None, 1));
    }
}

/// Credentials are those of a header that can be read, nobody without the password proves to know it, and a challenge stays in its
/// line.
pub(crate) fn digest(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let lines = format!(
        "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n\
         From: <sip:a@h>;tag=a\r\nTo: <sip:a@h>\r\nCall-ID: a\r\nCSeq: 1 REGISTER\r\nAuthorization: {text}\r\n\r\n"
    );
    if let Ok(request) = Request::parse(lines.into())
        && let Some(credentials) = Credentials::of(&request, "example.com", Asker::Server)
    {
        assert!(!credentials.username().contains(char::is_control));
        assert!(!credentials.nonce().contains(char::is_control));
        let _ = credentials.nonce_count();
        let secret =
            Secret::of(credentials.username(), "example.com", "a password that nobody has");
        assert!(!credentials.verify(request.method_text(), &secret));
    }
    let rejection = Challenge::new(&text, &text)
        .stale()
        .rejection(Asker::Server, &[Algorithm::Sha256, Algorithm::Md5]);
    let lines = rejection.headers.as_deref().expect("lines");
    assert!(
        lines.lines().all(|line| line.starts_with("WWW-Authenticate: Digest realm=\"")),
        "{lines:?}"
    );
    assert!(lines.lines().count() == 2 && lines.ends_with("\r\n"), "{lines:?}");
}
