//! Strict routers on the path of a dialog, before or behind this proxy (RFC 3261 §16.4, §16.6 item 6).

use std::net::SocketAddr;

use sip_proto::message::{Forward, Request, address_of};

use super::TrunkGroup;

impl TrunkGroup {
    /// A request as a loose router would have sent it: a strict one has put our Record-Route into the Request-URI.
    pub(super) fn as_from_loose_router(&self, request: Request) -> Request {
        let is_inside = request.to_tag().is_some();
        let loose = request.from_strict_router(|uri| {
            let is_named = is_inside && uri.user() == Some(&self.settings.name);
            address_of(uri) == Some(self.address) && (is_named || uri.param("lr").is_some())
        });
        loose.unwrap_or(request)
    }

    /// What changes in a request inside a dialog on its way through; with it the request as a strict router wants it, if
    /// one is next.
    pub(super) fn changes(
        &self,
        request: &Request,
        source: SocketAddr,
    ) -> (Forward<'static>, Option<Request>) {
        let ours = request.own_routes(&[self.address]);
        let strict = request.for_strict_router(ours);
        let pop_routes = if strict.is_none() { ours } else { 0 };
        let forward = Forward {
            source,
            uri: None,
            record_route: None,
            pop_routes,
            push_route: None,
            lines: b"",
            without: &[],
        };
        (forward, strict)
    }
}
