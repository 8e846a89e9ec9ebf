//! Keeps pages in browsers out: what a page makes a browser send names the page, or a name that the page made to mean this machine.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

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

/// Where a socket is, and how it is spoken to there.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    /// On loopback, so that only programs of this machine are meant.
    is_local: bool,
    /// Host names of its certificate, where it speaks TLS.
    names: Option<Arc<[String]>>,
}

impl Door {
    /// A socket on loopback, or not, without TLS.
    pub(crate) const fn plain(is_local: bool) -> Self {
        Self { is_local, names: None }
    }

    /// A socket that speaks TLS; its certificate is for these names.
    pub(super) fn secured(is_local: bool, names: &[String]) -> Self {
        Self { is_local, names: Some(names.into()) }
    }

    const fn scheme(&self) -> &'static str {
        if self.names.is_some() { "https://" } else { "http://" }
    }

    /// Why this is no name of the socket, if so. By DNS rebinding a name of a stranger comes to mean an address of ours; the Host
    /// field still says the name. An address is nobody's name, and for those of the certificate a browser has asked for that.
    fn misnamed(&self, host: Option<&str>) -> Option<&'static str> {
        let is_named = |names: &Arc<[String]>| {
            host.is_some_and(|host| names.iter().any(|name| is_for(name, host)))
        };
        let is_ours = self.names.as_ref().is_some_and(is_named);
        match (self.is_local, &self.names) {
            (true, _) if !is_ours && !host.is_some_and(is_loopback) => {
                Some("ask for a loopback address, or for localhost")
            }
            (false, Some(_)) if !is_ours && !host.is_some_and(is_address) => {
                Some("ask for an address, or for a name that the certificate is for")
            }
            // In clear text beyond this machine, as somebody has asked for, nothing is certain.
            _ => None,
        }
    }
}

/// Whether a name of a certificate, perhaps with `*` for its first label (RFC 6125 §6.4.3), is that of a Host field.
fn is_for(name: &str, host: &str) -> bool {
    let Some((host, _)) = host.split_once(':').or(Some((host, ""))) else { return false };
    let host = host.to_ascii_lowercase();
    match name.strip_prefix("*.") {
        Some(rest) => {
            host.split_once('.').is_some_and(|(first, of)| !first.is_empty() && of == rest)
        }
        None => name == host,
    }
}

/// Whether a browser says that another page than our own asks (Fetch Metadata, and the Origin of RFC 6454).
fn is_foreign(headers: &HeaderMap, scheme: &str, host: &str) -> bool {
    let origin = headers.get(ORIGIN);
    let is_own = |origin: &str| origin.strip_prefix(scheme).is_some_and(|it| it == host);
    let own_origin = origin.is_none_or(|origin| origin.to_str().is_ok_and(is_own));
    let site = headers.get("sec-fetch-site");
    let own_site = site.is_none_or(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    !own_origin || !own_site
}

/// Why a request is not answered at this door, if so.
pub(crate) fn refusal(
    headers: &HeaderMap,
    door: &Door,
    audience: Audience,
) -> Option<&'static str> {
    let mut hosts = headers.get_all(HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    let host = host.and_then(|host| host.to_str().ok());
    if second.is_some() {
        return Some("say one Host");
    }
    if let Some(sentence) = door.misnamed(host) {
        return Some(sentence);
    }
    // Programs send no Origin; browsers send one with whatever a page of another place asks for.
    match audience {
        Audience::Programs => {
            headers.contains_key(ORIGIN).then_some("pages in browsers are not answered")
        }
        Audience::OwnPage => is_foreign(headers, door.scheme(), host.unwrap_or_default())
            .then_some("only the page that is served here is answered"),
    }
}

/// The address that a Host field is, if it is one and no name.
fn address_of(host: &str) -> Option<IpAddr> {
    let whole = host.parse::<SocketAddr>().map(|address| address.ip());
    whole.or_else(|_| host.trim_matches(['[', ']']).parse()).ok()
}

fn is_address(host: &str) -> bool {
    address_of(host).is_some()
}

/// Whether the value of a Host field is this machine by address, or `localhost`.
fn is_loopback(host: &str) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let is_named =
        name.eq_ignore_ascii_case("localhost") && port.bytes().all(|octet| octet.is_ascii_digit());
    address_of(host).is_some_and(|ip| ip.is_loopback()) || is_named
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
                refusal(&headers(&[("host", host)]), &Door::plain(true), Audience::Programs),
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
                refusal(&headers(&[("host", host)]), &Door::plain(true), Audience::Programs)
                    .is_some(),
                "{host}"
            );
            assert_eq!(
                refusal(&headers(&[("host", host)]), &Door::plain(false), Audience::Programs),
                None,
                "{host}"
            );
        }
        assert!(refusal(&headers(&[]), &Door::plain(true), Audience::Programs).is_some());
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert!(refusal(&headers(&two), &Door::plain(true), Audience::Programs).is_some());
    }

    #[test]
    fn whatever_page_asks_is_refused() {
        for origin in ["http://evil.example", "null", "http://localhost", "file://", ""] {
            let asked = headers(&[("host", "localhost"), ("origin", origin)]);
            let refused =
                |local| refusal(&asked, &Door::plain(local), Audience::Programs).is_some();
            assert!(refused(true) && refused(false), "{origin}");
        }
    }

    #[test]
    fn the_console_answers_its_own_page_and_no_other() {
        let refused = |fields: &[(&'static str, &'static str)]| {
            refusal(&headers(fields), &Door::plain(true), Audience::OwnPage).is_some()
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

    #[test]
    fn with_tls_its_own_page_is_of_https_and_only_names_of_the_certificate_are_asked_for() {
        let names = ["console.example.org".to_owned(), "*.lab.example.org".to_owned()];
        let refused = |is_local, fields: &[(&'static str, &'static str)]| {
            let door = Door::secured(is_local, &names);
            refusal(&headers(fields), &door, Audience::OwnPage).is_some()
        };
        for host in
            ["192.0.2.1:8443", "[2001:db8::1]:8443", "Console.example.org:1", "a.lab.example.org"]
        {
            assert!(!refused(false, &[("host", host)]), "{host}");
        }
        for host in ["evil.example:8443", "lab.example.org", "a.b.lab.example.org", "", "localhost"]
        {
            assert!(refused(false, &[("host", host)]), "{host}");
        }
        assert!(!refused(true, &[("host", "localhost:8443")]));
        assert!(!refused(true, &[("host", "console.example.org:8443")]));
        assert!(refused(true, &[("host", "192.0.2.1:8443")]));
        let host = ("host", "192.0.2.1:8443");
        assert!(!refused(false, &[host, ("origin", "https://192.0.2.1:8443")]));
        for origin in ["http://192.0.2.1:8443", "https://192.0.2.1", "https://evil.example", "null"]
        {
            assert!(refused(false, &[host, ("origin", origin)]), "{origin}");
        }
    }
}
