//! Dialogs — RFC 3261 §12: what two user agents know of each other while a call lasts.

mod saved;
mod texts;

use std::net::SocketAddr;

use crate::flow::Flow;
use crate::message::{
    Draft, Head, Message, Method, Name, NameAddr, Payload, Request, Response, Uri, address_of,
    host_port,
};
use crate::transaction::Target;
use crate::{Rejection, Transport};

pub use saved::{SavedDialog, Unfit};

use texts::Texts;

/// The CSeq number after which a proxy counts in the name of an end: higher than any that the end has used.
const BEYOND: u32 = 1 << 30;

/// One side of a dialog (RFC 3261 §12).
#[derive(Debug, Clone)]
pub struct Dialog {
    texts: Texts,
    local_seq: u32,
    remote_seq: Option<u32>,
    /// The way of the peer's last request, or of our INVITE.
    flow: Flow,
}

impl Dialog {
    /// The dialog that a response to our INVITE makes (RFC 3261 §12.1.2). It says all that is
    /// needed.
    pub(crate) fn uac(response: &Response, peer: SocketAddr) -> Self {
        let routes: Vec<&str> = response.list(Name::RecordRoute).collect();
        Self {
            texts: Texts::new(
                response.call_id(),
                [response.from_value(), "", ""],
                response.to_value(),
                response.to_tag().unwrap_or_default(),
                target_of(response, response.to().uri()),
                routes.into_iter().rev(),
            ),
            local_seq: response.cseq().0,
            remote_seq: None,
            flow: Flow::towards(peer, transport_of(response)),
        }
    }

    /// An early dialog as a further response of its branch leaves it, provisional or 2xx: Contact and routes are those
    /// of the response (RFC 3261 §13.2.2.4), and the CSeq numbers of both sides go on.
    pub(crate) fn continued_by(self, response: &Response, peer: SocketAddr) -> Self {
        let mut next = Self::uac(response, peer);
        if response.contact().is_none() {
            next.texts = next.texts.with_target(self.remote_target());
        }
        let local_seq = self.local_seq.max(next.local_seq);
        Self { local_seq, remote_seq: self.remote_seq, ..next }
    }

    /// The dialog that our response with `local_tag` to a peer's INVITE makes (RFC 3261 §12.1.1).
    pub(crate) fn uas(request: &Request, local_tag: &str, flow: Flow) -> Self {
        // A callee of RFC 2543 has no tag, and a proxy in its place must not make one up.
        let tag = if local_tag.is_empty() { "" } else { ";tag=" };
        let routes: Vec<&str> = request.list(Name::RecordRoute).collect();
        Self {
            texts: Texts::new(
                request.call_id(),
                [request.to_value(), tag, local_tag],
                request.from_value(),
                request.from_tag(),
                // A peer of RFC 2543 may send no Contact; its From is all there is then.
                target_of(request, request.from().uri()),
                routes.into_iter(),
            ),
            local_seq: 0,
            remote_seq: Some(request.cseq().0),
            flow,
        }
    }

    /// The dialog as a proxy on its path may end it: its requests begin after the proxy `sent_by`.
    pub(crate) fn seen_from(mut self, sent_by: &str) -> Self {
        let ours = |route: &str| {
            let uri = route.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
            let uri = uri.and_then(|(uri, _)| Uri::parse(uri).ok());
            uri.as_ref().and_then(address_of).is_some_and(|address| host_port(address) == sent_by)
        };
        // It may have written a route for each side (RFC 5658 §5).
        let last = self.texts.routes().enumerate().filter(|(_, route)| ours(route)).last();
        if let Some((at, _)) = last {
            self.texts = self.texts.without_routes(at + 1);
        }
        self
    }

    /// The dialog towards the caller of `invite` as a proxy may end it in the name of the callee, whose tag is
    /// `callee_tag`, once the callee is gone (3GPP TS 24.229 §5.2.8.1.2).
    #[must_use]
    pub fn in_place_of_callee(invite: &Request, callee_tag: &str, flow: Flow) -> Self {
        Self { local_seq: BEYOND, ..Self::uas(invite, callee_tag, flow) }
    }

    /// The dialog towards the callee that has sent the `answer` from `peer`, as the proxy `sent_by` may end it in the name of
    /// the caller.
    #[must_use]
    pub fn in_place_of_caller(answer: &Response, peer: SocketAddr, sent_by: &str) -> Self {
        Self { local_seq: BEYOND, ..Self::uac(answer, peer).seen_from(sent_by) }
    }

    #[must_use]
    pub fn call_id(&self) -> &str {
        self.texts.call_id()
    }

    #[must_use]
    pub fn remote_tag(&self) -> &str {
        self.texts.remote_tag()
    }

    #[must_use]
    pub fn remote_target(&self) -> &str {
        self.texts.remote_target()
    }

    /// True if a message with this Call-ID and this tag of the peer is inside this dialog.
    pub(crate) fn matches(&self, call_id: &str, remote_tag: &str) -> bool {
        self.call_id() == call_id && self.remote_tag() == remote_tag
    }

    /// Takes the CSeq of a new request from the peer (RFC 3261 §12.2.2).
    pub(crate) fn take_remote_seq(&mut self, request: &Request) -> Result<(), Rejection> {
        let seq = request.cseq().0;
        if self.remote_seq.is_some_and(|have| seq < have) {
            return Err(Rejection::new(500).with_warning("the CSeq goes backwards"));
        }
        self.remote_seq = Some(seq);
        Ok(())
    }

    /// The peer has sent a request inside the dialog by this way: ours go back by it from now on. A translator may have
    /// given the peer another port, or the peer has opened another connection.
    pub(crate) fn follow(&mut self, flow: Flow) {
        self.flow.follow(flow);
    }

    /// A target refresh: INVITE and UPDATE and their 2xx may move the peer's Contact (RFC 3261
    /// §12.2, RFC 3311 §5).
    pub(crate) fn refresh_target(&mut self, message: &Message) {
        if let Some(contact) = message.contact()
            && contact.uri().without_headers() != self.remote_target()
        {
            self.texts = self.texts.with_target(contact.uri().without_headers());
        }
    }

    /// A request inside the dialog with the next CSeq, and where it goes.
    pub(crate) fn request(
        &mut self,
        method: Method,
        fixed: &[u8],
        payload: &Payload,
    ) -> (Draft, Target) {
        self.local_seq += 1;
        self.write(method, self.local_seq, fixed, payload)
    }

    /// The ACK of a 2xx to the INVITE numbered `seq` (RFC 3261 §13.2.2.4).
    pub(crate) fn ack(&self, seq: u32, fixed: &[u8], payload: &Payload) -> (Draft, Target) {
        self.write(Method::Ack, seq, fixed, payload)
    }

    /// OPTIONS inside the dialog that takes no CSeq number.
    pub(crate) fn question(&self) -> (Draft, Target) {
        self.write(Method::Options, 0, b"", &Payload::empty())
    }

    /// The CSeq number of our last request.
    pub(crate) const fn local_seq(&self) -> u32 {
        self.local_seq
    }

    fn write(&self, method: Method, cseq: u32, fixed: &[u8], payload: &Payload) -> (Draft, Target) {
        let first = self.first_route();
        let last;
        let (mut uri, mut route) = (self.remote_target(), Vec::from_iter(self.texts.routes()));
        if let Some(router) = first.as_ref().and_then(strict_router) {
            // RFC 3261 §12.2.1.1: a first hop without "lr" wants itself as Request-URI and the
            // target last.
            last = format!("<{uri}>");
            route.remove(0);
            route.push(&last);
            uri = router;
        }
        let head = Head {
            method,
            uri,
            max_forwards: 70,
            from: self.texts.local(),
            to: self.texts.remote(),
            call_id: self.call_id(),
            cseq,
            route: &route,
        };
        (Draft::new(&head, fixed, payload), self.target_by(first.as_ref()))
    }

    fn first_route(&self) -> Option<NameAddr<'_>> {
        NameAddr::parse(self.texts.routes().next()?).ok()
    }

    /// Where our next request goes.
    pub(crate) fn target_peer(&self) -> SocketAddr {
        self.target_by(self.first_route().as_ref()).peer
    }

    /// The next hop: this route, which is the first, or else the peer's Contact.
    fn target_by(&self, first: Option<&NameAddr<'_>>) -> Target {
        let hop = match first {
            Some(route) => Some((route.uri(), false)),
            None => Uri::parse(self.remote_target()).ok().map(|contact| (contact, true)),
        };
        match hop {
            Some((hop, is_contact)) => self.flow.target(&hop, is_contact),
            None => self.flow.back(),
        }
    }
}

/// The URI of a route that is not a loose router.
fn strict_router<'a>(route: &NameAddr<'a>) -> Option<&'a str> {
    let uri = route.uri();
    uri.param("lr").is_none().then(|| uri.without_headers())
}

/// The peer's Contact URI, which becomes a Request-URI, or else `fallback`.
fn target_of<'a>(message: &'a Message, fallback: Uri<'a>) -> &'a str {
    message.contact().map_or(fallback, |contact| contact.uri()).without_headers()
}

fn transport_of(message: &Message) -> Transport {
    Transport::of_token(message.via().transport()).unwrap_or(Transport::Udp)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn invite(record_route: &str) -> Request {
        let text = format!(
            "INVITE sip:15@127.0.0.2 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKa\r\n{record_route}\
             From: <sip:a@127.0.0.1>;tag=ft\r\nTo: <sip:15@127.0.0.2>\r\nCall-ID: c\r\n\
             CSeq: 5 INVITE\r\n\
             Contact: <sip:a@127.0.0.1:5999>\r\n\r\n"
        );
        Request::parse(Bytes::from(text)).unwrap()
    }

    fn bye(dialog: &mut Dialog) -> (String, Target) {
        let (draft, target) = dialog.request(Method::Bye, b"", &Payload::empty());
        let bytes = draft.with_via(Transport::Udp, "127.0.0.9:5060", "z9hG4bKb", "");
        (String::from_utf8(bytes.to_vec()).unwrap(), target)
    }

    pub(super) fn uas(record_route: &str) -> Dialog {
        let source = "127.0.0.1:5060".parse().unwrap();
        let request = invite(record_route);
        let flow = Flow::of(&request, source, Transport::Udp);
        Dialog::uas(&request, "lt", flow)
    }

    // RFC 3261 §12.1.1 and §12.2.1.1.
    #[test]
    fn a_uas_answers_to_the_contact_when_there_is_no_route() {
        let (text, target) = bye(&mut uas(""));
        assert!(text.starts_with("BYE sip:a@127.0.0.1:5999 SIP/2.0\r\n"), "{text}");
        assert!(
            text.contains("From: <sip:15@127.0.0.2>;tag=lt\r\nTo: <sip:a@127.0.0.1>;tag=ft\r\n")
        );
        assert_eq!(target.peer, "127.0.0.1:5999".parse().unwrap());
    }

    // RFC 3261 §12.1.1: the UAS takes the routes in order; with "lr" the target stays in the
    // Request-URI.
    #[test]
    fn loose_routes_are_visited_in_order() {
        let routes = "Record-Route: <sip:127.0.0.7;lr>, <sip:127.0.0.8:5061;lr>\r\n";
        let (text, target) = bye(&mut uas(routes));
        assert!(text.starts_with("BYE sip:a@127.0.0.1:5999 "));
        assert!(text.contains("Route: <sip:127.0.0.7;lr>\r\nRoute: <sip:127.0.0.8:5061;lr>\r\n"));
        assert_eq!(target.peer, "127.0.0.7:5060".parse().unwrap());
    }

    // RFC 3261 §12.2.1.1: a strict router is put into the Request-URI and the target goes last.
    #[test]
    fn a_strict_router_gets_its_own_request_uri() {
        let (text, target) = bye(&mut uas("Record-Route: <sip:127.0.0.7>, <sip:127.0.0.8;lr>\r\n"));
        assert!(text.starts_with("BYE sip:127.0.0.7 SIP/2.0\r\n"), "{text}");
        assert!(text.contains("Route: <sip:127.0.0.8;lr>\r\nRoute: <sip:a@127.0.0.1:5999>\r\n"));
        assert_eq!(target.peer, "127.0.0.7:5060".parse().unwrap());
    }

    // RFC 3261 §19.1.1, table 1: a Request-URI has no headers, whatever the Contact says.
    #[test]
    fn headers_of_a_contact_never_reach_a_request_uri() {
        let mut dialog = uas("");
        let text = "INVITE sip:15@127.0.0.2 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKb\r\n\
             From: <sip:a@127.0.0.1>;tag=ft\r\nTo: <sip:15@127.0.0.2>;tag=lt\r\nCall-ID: c\r\n\
             CSeq: 6 INVITE\r\nContact: <sip:a@127.0.0.1:5998?Route=%3Csip:evil%3E>\r\n\r\n";
        dialog.refresh_target(&Request::parse(Bytes::from_static(text.as_bytes())).unwrap());
        let (text, _) = bye(&mut dialog);
        assert!(text.starts_with("BYE sip:a@127.0.0.1:5998 SIP/2.0\r\n"), "{text}");
        assert!(!text.contains("Route"));
    }

    // RFC 3261 §12.2.2: a lower CSeq is out of order.
    #[test]
    fn a_lower_cseq_is_refused_with_500() {
        let mut dialog = uas("");
        assert!(dialog.take_remote_seq(&invite("")).is_ok());
        dialog.remote_seq = Some(6);
        assert_eq!(dialog.take_remote_seq(&invite("")).unwrap_err().status, 500);
    }
}
