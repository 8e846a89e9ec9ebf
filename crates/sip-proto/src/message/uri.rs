//! URIs as SIP carries them: `sip`, `sips`, `tel`, `urn:service` and any other scheme (RFC 3261
//! §19.1, RFC 3966, RFC 5031).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Malformed;
use super::classes::{HOST, URI_MARK, is_in, run_end};
use super::grammar::split_byte;
use super::located::UriPlace;
use super::plain;
use super::span::Span;

/// A checked view of a URI. Escapes are left as they are: `sip:%61@x` and `sip:a@x` print
/// differently.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uri<'a> {
    pub(super) text: &'a str,
    pub(super) scheme: &'a str,
    pub(super) user: Option<&'a str>,
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    /// `;`-separated, without the first `;`; only for `sip`, `sips` and `tel`.
    pub(super) params: &'a str,
    pub(super) headers: Option<&'a str>,
}

/// The places of `@` in a URI behind its scheme.
#[derive(Debug, Clone, Copy)]
enum Ats {
    None,
    One(usize),
    Several,
}

impl<'a> Uri<'a> {
    /// Checks the whole of `text`.
    ///
    /// # Errors
    /// White space, brackets, a bad scheme, a bad escape, or for `sip` and `sips` a bad host or
    /// port.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        if let Some((place, end)) = plain::uri(text.as_bytes(), 0)
            && end == text.len()
        {
            return Ok(Self::at(&place, text));
        }
        let (scheme, rest) = split_byte(text, b':').ok_or(Malformed("a URI without a scheme"))?;
        let scheme_is_sound = scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        if !scheme_is_sound || rest.is_empty() {
            return Err(Malformed("a malformed URI"));
        }
        let ats = check(rest)?;
        let opaque = Self { text, scheme, ..Self::default() };
        if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
            return opaque.with_sip_parts(rest, ats);
        }
        if scheme.eq_ignore_ascii_case("tel") {
            let (number, params) = split_byte(rest, b';').unwrap_or((rest, ""));
            return Ok(Self { user: Some(number), params, ..opaque });
        }
        Ok(opaque)
    }

    /// What lies at `place` of `head`.
    pub(super) fn at(place: &UriPlace, head: &'a str) -> Self {
        let text = place.text.read(head);
        Self {
            text,
            scheme: text.get(..place.scheme_len as usize).unwrap_or_default(),
            user: place.user.map(|user| user.read(head)),
            host: place.host.read(head),
            port: place.port,
            params: place.params.read(head),
            headers: place.headers.map(|headers| headers.read(head)),
        }
    }

    /// Where it lies in `head`, from which it was read.
    pub(super) fn place(&self, head: &str) -> UriPlace {
        UriPlace {
            text: Span::within(head, self.text),
            scheme_len: self.scheme.len() as u32,
            user: self.user.map(|user| Span::within(head, user)),
            host: Span::within(head, self.host),
            port: self.port,
            params: Span::within(head, self.params),
            headers: self.headers.map(|headers| Span::within(head, headers)),
        }
    }

    fn with_sip_parts(self, rest: &'a str, ats: Ats) -> Result<Self, Malformed> {
        // `@` never stands unescaped after the host, and `;` and `?` may stand in the user part.
        let (user, rest) = match ats {
            Ats::None => (None, rest),
            Ats::One(0) => return Err(Malformed("a URI with an empty user part")),
            Ats::One(at) => (rest.get(..at), rest.get(at + 1..).unwrap_or_default()),
            // Whoever takes the first "@" for the end of the user part would route it elsewhere.
            Ats::Several => return Err(Malformed("a URI with an @ in its user part")),
        };
        let (rest, headers) = match memchr::memchr(b'?', rest.as_bytes()) {
            Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 1..)),
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

    /// True for `sips`: each hop is to be secured (RFC 3261 §26.2.2, RFC 5630).
    #[must_use]
    pub const fn is_sips(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("sips")
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
        None => parse_ip4(host.as_bytes()).map(IpAddr::V4).or_else(|| host.parse().ok()),
    }
}

/// Four decimal numbers without leading zeros, and dots between them. (The library's parser tries more, and takes several
/// times as long.)
fn parse_ip4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0_u8; 4];
    let mut parts = text.split(|byte| *byte == b'.');
    for octet in &mut octets {
        let digits = parts.next()?;
        if digits.is_empty() || digits.len() > 3 || (digits.len() > 1 && digits[0] == b'0') {
            return None;
        }
        for digit in digits {
            let value = digit.wrapping_sub(b'0');
            if value > 9 {
                return None;
            }
            *octet = octet.checked_mul(10)?.checked_add(value)?;
        }
    }
    parts.next().is_none().then(|| octets.into())
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
        let end = run_end(text.as_bytes(), 0, HOST);
        let (host, rest) = text.split_at_checked(end).ok_or(bad)?;
        match rest.strip_prefix(':') {
            _ if host.is_empty() => return Err(bad),
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(bad),
        }
    };
    match port {
        None => Ok((host, None)),
        Some(digits) => Ok((host, Some(port_of(digits).ok_or(bad)?))),
    }
}

/// Digits only: `parse` alone would take a sign.
pub(crate) fn port_of(digits: &str) -> Option<u16> {
    let mut port = 0_u16;
    for digit in digits.bytes() {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return None;
        }
        port = port.checked_mul(10)?.checked_add(value.into())?;
    }
    (!digits.is_empty()).then_some(port)
}

/// Checks what stands behind the scheme, and finds `@` in it.
fn check(rest: &str) -> Result<Ats, Malformed> {
    let bytes = rest.as_bytes();
    let (mut ats, mut escapes) = (Ats::None, Ok(()));
    for (at, byte) in bytes.iter().enumerate().filter(|(_, byte)| is_in(**byte, URI_MARK)) {
        match byte {
            b'@' => ats = if matches!(ats, Ats::None) { Ats::One(at) } else { Ats::Several },
            b'%' => {
                let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
                if !(hex(at + 1) && hex(at + 2)) {
                    escapes = Err(Malformed("a % in a URI that is no escape"));
                }
            }
            _ => return Err(Malformed("a malformed URI")),
        }
    }
    escapes.map(|()| ats)
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
