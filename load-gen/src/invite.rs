//! The INVITE of a caller, as a mobile or fixed network hands it to the trunk group.

use std::net::SocketAddr;

use bytes::Bytes;
use sip_proto::message::Payload;
use sip_proto::user_agent::Invite;

use crate::caller::Caller;
use crate::request_uri::RequestUri;

/// Builds the INVITE that `caller`, reached at `from`, sends to the trunk group at `to`; `uri` is what it asks for
/// there, if not the number itself.
///
/// The caller's own number is in the block +33 6 39 98 xx xx, which is reserved for fiction.
pub(crate) fn invite(
    caller: &Caller,
    from: SocketAddr,
    to: SocketAddr,
    uri: Option<&RequestUri>,
    offer: Bytes,
) -> Invite {
    let identity = format!("<sip:+33639{:06}@{from}>", 980_000 + u32::from(caller.subscriber));
    let (uri, route) = target(&caller.number, to, uri);
    // RFC 3325 §9.1: a caller may hide From; the network's word is here.
    let mut payload = Payload::sdp(offer).with_header("P-Asserted-Identity", &identity);
    if let Some(commune) = &caller.commune {
        payload = payload.with_header("P-Access-Network-Info", &access_network(commune));
    }
    Invite {
        next_hop: to,
        to: format!("<{uri}>"),
        uri,
        from: identity,
        max_forwards: 70,
        route,
        session_id: Some(format!("{:032x}", caller.attempt)),
        payload,
    }
}

/// Request-URI and Route. A service URN or a tel URI names no host, so the way there is a route (RFC 5031 §4,
/// RFC 3261 §8.1.2).
fn target(number: &str, to: SocketAddr, uri: Option<&RequestUri>) -> (String, Vec<String>) {
    let uri = match uri {
        _ if number.starts_with("urn:") => number.to_owned(),
        Some(uri) => uri.of(number, to),
        None => format!("sip:{number}@{to}"),
    };
    let route = if uri.starts_with("sip:") { Vec::new() } else { vec![format!("<sip:{to};lr>")] };
    (uri, route)
}

/// Where the caller is, as French operators tell it (RFC 7315 §5.4): type 55, the INSEE code of the
/// commune, and no further detail.
fn access_network(commune: &str) -> String {
    format!("GSTN;operator-specific-GI=\"55{commune}00\";network-provided")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn to(number: &str, commune: Option<&str>) -> Invite {
        asking(number, commune, None)
    }

    fn asking(number: &str, commune: Option<&str>, uri: Option<&str>) -> Invite {
        let caller = Caller {
            subscriber: 42,
            number: number.to_owned(),
            commune: commune.map(str::to_owned),
            ..fixture::caller()
        };
        let address = |text: &str| text.parse().expect("an address");
        let uri = uri.map(|uri| uri.parse().expect("a template"));
        let (from, at) = (address("127.0.0.1:5070"), address("127.0.0.21:5060"));
        invite(&caller, from, at, uri.as_ref(), Bytes::new())
    }

    fn headers(invite: &Invite) -> &str {
        std::str::from_utf8(invite.payload.headers()).expect("text")
    }

    #[test]
    fn a_short_number_is_dialled_at_the_trunk_group() {
        let invite = to("15", Some("59350"));
        assert_eq!(invite.uri, "sip:15@127.0.0.21:5060");
        assert_eq!(invite.to, "<sip:15@127.0.0.21:5060>");
        assert!(invite.route.is_empty());
        assert_eq!(invite.from, "<sip:+33639980042@127.0.0.1:5070>");
        assert_eq!(invite.session_id.as_deref(), Some("000000000000000000000000000000ab"));
        let pani =
            "P-Access-Network-Info: GSTN;operator-specific-GI=\"555935000\";network-provided";
        assert!(headers(&invite).contains(pani), "{}", headers(&invite));
        assert!(headers(&invite).contains("P-Asserted-Identity: <sip:+33639980042@"));
    }

    #[test]
    fn a_service_urn_is_routed_to_the_trunk_group() {
        let invite = to("urn:service:sos.fire", None);
        assert_eq!(invite.uri, "urn:service:sos.fire");
        assert_eq!(invite.route, ["<sip:127.0.0.21:5060;lr>"]);
        assert_eq!(invite.next_hop.to_string(), "127.0.0.21:5060");
        assert!(!headers(&invite).contains("P-Access-Network-Info"));
    }

    #[test]
    fn another_server_is_asked_in_its_own_words() {
        let invite = asking("15", None, Some("sip:{number}@example.org"));
        assert_eq!(
            (&invite.uri[..], &invite.to[..]),
            ("sip:15@example.org", "<sip:15@example.org>")
        );
        assert!(invite.route.is_empty());
        assert_eq!(invite.next_hop.to_string(), "127.0.0.21:5060");
        let invite = asking("15", None, Some("tel:{number};phone-context=+33"));
        assert_eq!(invite.uri, "tel:15;phone-context=+33");
        assert_eq!(invite.route, ["<sip:127.0.0.21:5060;lr>"]);
        // A service URN asks for a service, in whatever domain.
        assert_eq!(asking("urn:service:sos", None, Some("sip:{number}@a")).uri, "urn:service:sos");
    }
}
