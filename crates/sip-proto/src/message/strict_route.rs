//! Strict routers, which know no "lr": what a proxy does with a request of one, or for one (RFC 3261 §16.4, §16.6 item 6).

use super::append::push;
use super::forward::write_body;
use super::scan::Start;
use super::{Name, NameAddr, Request, Uri};

impl Request {
    /// A request as it would have come from a loose router, if a strict one has put our Record-Route, of which `is_ours`
    /// is true, into the Request-URI: the last Route is the Request-URI then (§16.4).
    #[must_use]
    pub fn from_strict_router(&self, is_ours: impl Fn(&Uri<'_>) -> bool) -> Option<Self> {
        if !is_ours(&self.uri()) {
            return None;
        }
        let mut routes: Vec<&str> = self.list(Name::Route).collect();
        let last = NameAddr::parse(routes.pop()?).ok()?;
        self.with_routes(last.uri().without_headers(), &routes)
    }

    /// A request as the strict router that is next wants it: with itself as Request-URI, which goes to the end of the routes
    /// (§16.6 item 6). So many Route values at the head are `ours`, and are taken off ([`Request::own_routes`]). `None` if the next
    /// router is loose, or there is none.
    #[must_use]
    pub fn for_strict_router(&self, ours: usize) -> Option<Self> {
        let mut routes = self.list(Name::Route).skip(ours);
        let next = NameAddr::parse(routes.next()?).ok()?;
        if next.uri().param("lr").is_some() {
            return None;
        }
        let target = format!("<{}>", self.uri_text());
        let routes: Vec<&str> = routes.chain([target.as_str()]).collect();
        self.with_routes(next.uri().without_headers(), &routes)
    }

    /// The same request with another Request-URI and other routes.
    fn with_routes(&self, uri: &str, routes: &[&str]) -> Option<Self> {
        let Start::Request { version, .. } = self.start else { return None };
        let mut out = Vec::with_capacity(self.len() + 64);
        push(&mut out, &[self.method_text(), " ", uri, " ", self.text(version), "\r\n"]);
        for route in routes {
            push(&mut out, &["Route: ", route, "\r\n"]);
        }
        for field in self.fields.iter().filter(|field| field.name != Name::Route) {
            push(&mut out, &[self.text(field.line), "\r\n"]);
        }
        write_body(&mut out, self);
        Self::reread(out.into()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, routes: &str) -> Request {
        let text = format!(
            "BYE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n{routes}\
             From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: c\r\nCSeq: 2 BYE\r\n\
             Content-Length: 2\r\n\r\nhi"
        );
        Request::parse(text.into()).expect("a sound request")
    }

    fn told(request: &Request) -> (String, Vec<String>) {
        let routes = request.list(Name::Route).map(str::to_owned).collect();
        (request.uri_text().to_owned(), routes)
    }

    #[test]
    fn a_strict_router_before_us_is_undone() {
        let ours = |uri: &Uri<'_>| uri.host() == "us";
        let came = request("sip:us;lr", "Route: <sip:next;lr>, <sip:b@target?Subject=x>\r\n");
        let loose = came.from_strict_router(ours).expect("a loose request");
        assert_eq!(told(&loose), ("sip:b@target".to_owned(), vec!["<sip:next;lr>".to_owned()]));
        assert_eq!(loose.body(), "hi");
        assert!(
            request("sip:b@target", "Route: <sip:us;lr>\r\n").from_strict_router(ours).is_none()
        );
        assert!(request("sip:us;lr", "").from_strict_router(ours).is_none());
    }

    #[test]
    fn a_strict_router_behind_us_gets_its_request_uri() {
        let came =
            request("sip:b@target", "Route: <sip:us;lr>,<sip:strict>\r\nRoute: <sip:last;lr>\r\n");
        let strict = came.for_strict_router(1).expect("a strict request");
        let routes = vec!["<sip:last;lr>".to_owned(), "<sip:b@target>".to_owned()];
        assert_eq!(told(&strict), ("sip:strict".to_owned(), routes));
        assert!(came.for_strict_router(0).is_none(), "ours is loose");
        assert!(request("sip:b@h", "Route: <sip:us;lr>\r\n").for_strict_router(1).is_none());
    }
}
