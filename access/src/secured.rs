//! `sips:`: a request that asks for a secured way on each hop goes by no other (RFC 3261 §26.2.2, RFC 5630 §5).
//!
//! | a request with a `sips:` URI | is answered |
//! |---|---|
//! | came over UDP, TCP or a WebSocket without TLS | 480 with the warning 380 |
//! | is for the network behind, which speaks UDP and TCP | the same |
//! | is for a user who has no telephone with a `sips:` Contact | the same |
//! | begins a dialog, and only one of Request-URI and Contact is `sips:` | 400 |
//!
//! Who has a `sips:` Contact is called with `sip:` too, over its own TLS (RFC 5630 §5.3).

use std::borrow::Cow;

use sip_proto::Rejection;
use sip_proto::message::{Method, Name, Request, Uri};

use crate::AccessNode;
use crate::bindings::{Bound, PhoneFlow};

/// Whether a request asks for a secured way: it, or what comes back to its Contact.
pub(crate) fn is_sips(request: &Request) -> bool {
    request.uri().is_sips() || has_sips_contact(request)
}

fn has_sips_contact(request: &Request) -> bool {
    request.contact().is_some_and(|contact| contact.uri().is_sips())
}

/// The URI by which a telephone is called in a request that is `sips:` or not: what it registered, with that scheme.
pub(crate) fn called_as(uri: &str, is_sips: bool) -> Cow<'_, str> {
    match uri.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sips") && !is_sips => {
            Cow::Owned(format!("sip:{rest}"))
        }
        _ => Cow::Borrowed(uri),
    }
}

/// Whether a telephone takes a request that is `sips:`.
pub(crate) fn takes_sips(bound: &Bound) -> bool {
    bound.flow.transport.is_secured() && Uri::parse(&bound.uri).is_ok_and(|uri| uri.is_sips())
}

/// A REGISTER binds a `sips:` Contact only if all of its way is secured (RFC 5630 §5.2).
///
/// # Errors
/// 400 with a sentence.
pub(crate) fn inspect_contact(
    request: &Request,
    contact: &str,
    from: PhoneFlow,
) -> Result<(), Rejection> {
    if !Uri::parse(contact).is_ok_and(|uri| uri.is_sips()) {
        return Ok(());
    }
    let bad = |why: &str| Err(Rejection::new(400).with_warning(why.to_owned()));
    if !from.transport.is_secured() {
        return bad("a sips: Contact is registered over TLS: this REGISTER came without");
    }
    if !request.uri().is_sips() {
        return bad(
            "a sips: Contact needs a sips: Request-URI; a sip: Contact does for calls over TLS",
        );
    }
    let has_sip_path = request.list(Name::Path).any(|path| {
        let start = path.trim().trim_start_matches('<');
        !start.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sips:"))
    });
    if has_sip_path {
        return bad("a sips: Contact needs a Path of sips: URIs alone");
    }
    Ok(())
}

impl AccessNode {
    /// What of a request from `from` is refused before anybody asks where it goes.
    pub(crate) fn inspect_sips(
        &mut self,
        request: &Request,
        from: PhoneFlow,
    ) -> Result<(), Rejection> {
        if !is_sips(request) || request.method() == Method::Register {
            return Ok(());
        }
        if !from.transport.is_secured() {
            let transport = from.transport.token();
            return Err(
                self.sips_not_allowed(&format!("it came over {transport}, which is not secured"))
            );
        }
        let begins_dialog = request.to_tag().is_none()
            && matches!(request.method(), Method::Invite | Method::Subscribe | Method::Refer);
        let by_route = request.topmost_route().is_some_and(|route| route.uri().is_sips());
        let is_asked = request.uri().is_sips() || by_route;
        if begins_dialog && is_asked != has_sips_contact(request) {
            self.counts.sips_refused += 1;
            return Err(Rejection::new(400).with_warning(
                "Request-URI and Contact are both sips: or both sip: (RFC 5630)".to_owned(),
            ));
        }
        Ok(())
    }

    /// RFC 5630 §5.3: 480 with the warning that `sips:` is not allowed, and why.
    pub(crate) fn sips_not_allowed(&mut self, why: &str) -> Rejection {
        self.counts.sips_refused += 1;
        let agent = self.transactions.sent_by();
        let warning =
            format!("380 {agent} \"SIPS Not Allowed: {why}; call sip: in the place of sips:\"");
        Rejection::new(480).with_header(Name::Warning.as_str(), &warning)
    }
}
