//! Keeps pages in browsers out: what a page makes a browser send names the page, or a name that the page made to mean this machine.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Whom a socket answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Programs alone.
    Programs,
    /// Programs, and the page that the socket itself serves.
    OwnPage,
}

/// Whether a browser says that another page than our own asks (Fetch Metadata, and the Origin of RFC 6454).
fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    let origin = headers.get(ORIGIN);
    let is_own = |origin: &str| origin.strip_prefix("http://").is_some_and(|it| it == host);
    let own_origin = origin.is_none_or(|origin| origin.to_str().is_ok_and(is_own));
    let site = headers.get("sec-fetch-site");
    let own_site = site.is_none_or(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    !own_origin || !own_site
}

/// Why a request is not answered, if so. `local`: the socket is on loopback, so that only programs of this machine are meant.
pub(crate) fn refusal(
    headers: &HeaderMap,
    local: bool,
    audience: Audience,
) -> Option<&'static str> {
    let mut hosts = headers.get_all(HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    let host = host.and_then(|host| host.to_str().ok());
    if second.is_some() {
        return Some("say one Host");
    }
    // By DNS rebinding a name of a stranger comes to mean 127.0.0.1; the Host field still says the name.
    if local && !host.is_some_and(is_loopback) {
        return Some("ask for a loopback address, or for localhost");
    }
    // Programs send no Origin; browsers send one with whatever a page of another place asks for.
    match audience {
        Audience::Programs => {
            headers.contains_key(ORIGIN).then_some("pages in browsers are not answered")
        }
        Audience::OwnPage => is_foreign(headers, host.unwrap_or_default())
            .then_some("only the page that is served here is answered"),
    }
}

/// Whether the value of a Host field is this machine by address, or `localhost`.
fn is_loopback(host: &str) -> bool {
    let whole = host.parse::<SocketAddr>().map(|address| address.ip());
    let bare = || host.trim_matches(['[', ']']).parse::<IpAddr>();
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let is_named =
        name.eq_ignore_ascii_case("localhost") && port.bytes().all(|octet| octet.is_ascii_digit());
    whole.or_else(|_| bare()).is_ok_and(|ip| ip.is_loopback()) || is_named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &'static str)| {
            (name.parse().expect("a name"), value.parse().expect("a value"))
        };
        let mut headers = HeaderMap::new();
        fields.iter().map(field).for_each(|(name, value): (axum::http::HeaderName, _)| {
            headers.append(name, value);
        });
        headers
    }

    #[test]
    fn only_this_machine_by_its_own_names_is_asked_for_on_loopback() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:80",
            "127.9.9.9:1",
            "[::1]:8080",
            "::1",
            "LOCALHOST",
            "localhost:9",
        ] {
            assert_eq!(
                refusal(&headers(&[("host", host)]), true, Audience::Programs),
                None,
                "{host}"
            );
        }
        for host in [
            "",
            "x",
            "evil.example",
            "evil.example:80",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "10.0.0.1:80",
            "0.0.0.0",
            "127.0.0.1@evil.example",
            "localhost:80@evil.example",
            "127.0.0.1:80:80",
        ] {
            assert!(
                refusal(&headers(&[("host", host)]), true, Audience::Programs).is_some(),
                "{host}"
            );
            assert_eq!(
                refusal(&headers(&[("host", host)]), false, Audience::Programs),
                None,
                "{host}"
            );
        }
        assert!(refusal(&headers(&[]), true, Audience::Programs).is_some());
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert!(refusal(&headers(&two), true, Audience::Programs).is_some());
    }

    #[test]
    fn whatever_page_asks_is_refused() {
        for origin in ["http://evil.example", "null", "http://localhost", "file://", ""] {
            let asked = headers(&[("host", "localhost"), ("origin", origin)]);
            let refused = |local| refusal(&asked, local, Audience::Programs).is_some();
            assert!(refused(true) && refused(false), "{origin}");
        }
    }

    #[test]
    fn the_console_answers_its_own_page_and_no_other() {
        let refused = |fields: &[(&'static str, &'static str)]| {
            refusal(&headers(fields), true, Audience::OwnPage).is_some()
        };
        let host = ("host", "127.0.0.1:8080");
        assert!(!refused(&[host]));
        assert!(!refused(&[host, ("origin", "http://127.0.0.1:8080")]));
        assert!(!refused(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(!refused(&[host, ("sec-fetch-site", "none")]), "a link that is typed");
        for foreign in [
            ("origin", "http://127.0.0.1:8081"),
            ("origin", "http://localhost:8080"),
            ("origin", "https://127.0.0.1:8080"),
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert!(refused(&[host, foreign]), "{foreign:?}");
        }
        assert!(refused(&[("host", "evil.example"), ("origin", "http://evil.example")]));
    }
}
