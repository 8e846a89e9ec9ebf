//! URIs as SIP carries them: `sip`, `sips`, `tel`, `urn:service` and any other scheme (RFC 3261
//! §19.1, RFC 3966, RFC 5031).

use std::net::{IpAddr, Ipv6Addr};

use super::Malformed;
use super::grammar::{rsplit_byte, split_byte};

/// A checked view of a URI. Escapes are left as they are: `sip:%61@x` and `sip:a@x` print
/// differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uri<'a> {
    text: &'a str,
    scheme: &'a str,
    user: Option<&'a str>,
    host: &'a str,
    port: Option<u16>,
    /// `;`-separated, without the first `;`; only for `sip`, `sips` and `tel`.
    params: &'a str,
    headers: Option<&'a str>,
}

impl<'a> Uri<'a> {
    /// Checks the whole of `text`.
    ///
    /// # Errors
    /// White space, brackets, a bad scheme, a bad escape, or for `sip` and `sips` a bad host or
    /// port.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let (scheme, rest) = split_byte(text, b':').ok_or(Malformed("a URI without a scheme"))?;
        let scheme_is_sound = scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        let bad = |b: u8| b <= b' ' || b == 0x7f || matches!(b, b'<' | b'>' | b'"');
        if !scheme_is_sound || rest.is_empty() || rest.bytes().any(bad) {
            return Err(Malformed("a malformed URI"));
        }
        check_escapes(rest)?;
        let opaque =
            Self { text, scheme, user: None, host: "", port: None, params: "", headers: None };
        if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
            return opaque.with_sip_parts(rest);
        }
        if scheme.eq_ignore_ascii_case("tel") {
            let (number, params) = split_byte(rest, b';').unwrap_or((rest, ""));
            return Ok(Self { user: Some(number), params, ..opaque });
        }
        Ok(opaque)
    }

    fn with_sip_parts(self, rest: &'a str) -> Result<Self, Malformed> {
        // `@` never stands unescaped after the host, and `;` and `?` may stand in the user part.
        let (user, rest) = match rsplit_byte(rest, b'@') {
            Some((user, rest)) if !user.is_empty() => (Some(user), rest),
            Some(_) => return Err(Malformed("a URI with an empty user part")),
            None => (None, rest),
        };
        if user.is_some_and(|user| user.as_bytes().contains(&b'@')) {
            // Whoever takes the first "@" for the end of the user part would route it elsewhere.
            return Err(Malformed("a URI with an @ in its user part"));
        }
        let (rest, headers) = match split_byte(rest, b'?') {
            Some((rest, headers)) => (rest, Some(headers)),
            None => (rest, None),
        };
        let (host_port, params) = split_byte(rest, b';').unwrap_or((rest, ""));
        let (host, port) = split_host_port(host_port)?;
        Ok(Self { user, host, port, params, headers, ..self })
    }

    /// The URI as it was written.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// As written; compare without case, or use [`is_sip`](Self::is_sip).
    #[must_use]
    pub const fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// True for `sip` and `sips`.
    #[must_use]
    pub const fn is_sip(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("sip") || self.scheme.eq_ignore_ascii_case("sips")
    }

    /// The user part of a SIP URI without its password, or the number of a `tel` URI, still
    /// escaped.
    #[must_use]
    pub fn user(&self) -> Option<&'a str> {
        self.user.map(|user| user.split_once(':').map_or(user, |(name, _)| name))
    }

    /// Empty for schemes without a host. An IPv6 reference keeps its brackets.
    #[must_use]
    pub const fn host(&self) -> &'a str {
        self.host
    }

    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The host as an address, if it is one: this stack resolves no names.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        parse_ip(self.host)
    }

    /// The value of a URI parameter: `Some("")` for a flag such as `lr`.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params
            .split(';')
            .map(|one| one.split_once('=').unwrap_or((one, "")))
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Header fields that the URI asks to copy into a request (RFC 3261 §19.1.1). Never allowed in
    /// a Request-URI.
    #[must_use]
    pub const fn headers(&self) -> Option<&'a str> {
        self.headers
    }

    /// The URI as a Request-URI may carry it: without those headers (RFC 3261 §19.1.1, table 1).
    #[must_use]
    pub fn without_headers(&self) -> &'a str {
        let headers = self.headers.map_or(0, |headers| headers.len() + 1);
        self.text.get(..self.text.len() - headers).unwrap_or(self.text)
    }

    /// The service of `urn:service:…`, for example `sos.fire` (RFC 5031 §4).
    #[must_use]
    pub fn service(&self) -> Option<&'a str> {
        let (prefix, service) = self.text.split_at_checked("urn:service:".len())?;
        prefix.eq_ignore_ascii_case("urn:service:").then_some(service)
    }
}

/// An address with or without the brackets of an IPv6 reference.
pub(crate) fn parse_ip(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

/// `hostport` of RFC 3261 §25.1.
pub(crate) fn split_host_port(text: &str) -> Result<(&str, Option<u16>), Malformed> {
    let bad = Malformed("a malformed host or port");
    let (host, port) = if text.starts_with('[') {
        let end = text.find(']').ok_or(bad)? + 1;
        let (host, rest) = text.split_at(end);
        parse_ip(host).ok_or(bad)?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(bad),
        }
    } else {
        match split_byte(text, b':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let name_is_sound = host.starts_with('[')
        || (!host.is_empty()
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')));
    if !name_is_sound {
        return Err(bad);
    }
    match port {
        None => Ok((host, None)),
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Ok((host, Some(digits.parse().map_err(|_| bad)?)))
        }
        Some(_) => Err(bad),
    }
}

fn check_escapes(text: &str) -> Result<(), Malformed> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let hex = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_hexdigit());
            if !(hex(bytes.next()) && hex(bytes.next())) {
                return Err(Malformed("a % in a URI that is no escape"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emergency_uris_are_ordinary_values() {
        let urn = Uri::parse("urn:service:sos.fire").unwrap();
        assert_eq!(urn.service(), Some("sos.fire"));
        assert!(!urn.is_sip());
        let tel = Uri::parse("tel:+33199001234;phone-context=x").unwrap();
        assert_eq!((tel.user(), tel.param("phone-context")), (Some("+33199001234"), Some("x")));
    }

    // RFC 4475 §3.1.1.9: the user part may hold ";" and the escaped "@".
    #[test]
    fn user_part_may_hold_semicolons() {
        let uri = Uri::parse("sip:user;par=u%40example.net@example.com").unwrap();
        assert_eq!(uri.user(), Some("user;par=u%40example.net"));
        assert_eq!(uri.host(), "example.com");
        assert_eq!(uri.param("par"), None);
    }

    // RFC 5118 §4.3 and §4.4.
    #[test]
    fn a_port_inside_an_ipv6_reference_is_part_of_the_address() {
        assert_eq!(Uri::parse("sip:[2001:db8::10:5070]").unwrap().port(), None);
        assert_eq!(Uri::parse("sip:[2001:db8::10]:5070").unwrap().port(), Some(5070));
    }

    #[test]
    fn broken_uris_are_refused() {
        for text in [
            "sip:",
            "sip:@x",
            "<sip:a@b>",
            "sip:a b@c",
            "sip:2001:db8::10",
            "sip:a@b:99999",
            "sip:%zz@b",
            "sip:a@b@c",
            "a@b",
            ":x",
        ] {
            assert!(Uri::parse(text).is_err(), "{text}");
        }
    }
}
