//! Header values that the stack reads: Via, From/To/Contact/Route, CSeq, Session-ID.

use std::net::IpAddr;

use super::classes::{TOKEN, is_token_byte, run_end};
use super::grammar::{
    Noted, Params, find_outside, is_token, quoted_end, rsplit_byte, split_byte, trim,
};
use super::located::{AddressPlace, ViaPlace};
use super::plain::{self, NotedPlace};
use super::span::Span;
use super::uri::{parse_ip, port_of, split_host_port};
use super::{Malformed, Uri};
use crate::id::is_lower_hex;

/// One Via value (RFC 3261 §20.42, RFC 3581).
#[derive(Debug, Clone, Copy, Default)]
pub struct Via<'a> {
    pub(super) transport: &'a str,
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    pub(super) params: Params<'a>,
    /// As written, with the magic cookie or without.
    pub(super) branch: Noted<'a>,
    /// `rport` stands in it, and has no value yet.
    pub(super) wants_rport: bool,
}

impl<'a> Via<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Malformed> {
        if let Some(place) = plain::via(text.as_bytes(), 0..text.len()) {
            return Ok(Self::at(&place, text));
        }
        let bad = Malformed("a malformed Via");
        let (transport, rest) = sent_protocol(text).ok_or(bad)?;
        let (sent_by, params) = rest.split_at(end_before(rest, b';'));
        // "host : port" may have white space round the colon (RFC 4475 §3.1.1.1).
        let sent_by = trim(sent_by);
        let (host, port) = match rsplit_byte(sent_by, b':') {
            Some((host, port)) if !sent_by.ends_with(']') => {
                let port = port_of(trim(port)).ok_or(bad)?;
                (split_host_port(trim(host))?.0, Some(port))
            }
            _ => split_host_port(sent_by)?,
        };
        Self::with_params(Self { transport, host, port, ..Self::default() }, params)
    }

    /// What lies at `place` of `head`.
    pub(super) fn at(place: &ViaPlace, head: &'a str) -> Self {
        let branch = NotedPlace { value: place.branch, repeats: place.repeats_branch };
        Self {
            transport: place.transport.read(head),
            host: place.host.read(head),
            port: place.port,
            params: Params { text: place.params.read(head) },
            branch: Noted::at(branch, head),
            wants_rport: place.wants_rport,
        }
    }

    /// Where it lies in `head`, from which it was read.
    pub(super) fn place(&self, head: &str) -> ViaPlace {
        ViaPlace {
            transport: Span::within(head, self.transport),
            host: Span::within(head, self.host),
            port: self.port,
            params: Span::within(head, self.params.text),
            branch: self.branch.value.map(|branch| Span::within(head, branch)),
            repeats_branch: self.branch.repeats,
            wants_rport: self.wants_rport,
        }
    }

    fn with_params(self, params: &'a str) -> Result<Self, Malformed> {
        let (params, [branch, rport]) = Params::parse_noting(params, ["branch", "rport"])?;
        Ok(Self { params, branch, wants_rport: rport.value == Some(""), ..self })
    }

    /// `UDP`, `TCP`, … as written.
    #[must_use]
    pub const fn transport(&self) -> &'a str {
        self.transport
    }

    #[must_use]
    pub const fn host(&self) -> &'a str {
        self.host
    }

    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The branch if it carries the magic cookie and more, so that it identifies the transaction
    /// (RFC 3261 §17.2.3).
    #[must_use]
    pub fn branch(&self) -> Option<&'a str> {
        self.branch.value.filter(|branch| is_unique(branch))
    }

    /// Any other parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.value(name)
    }

    /// True when the sender asks for the response on its source port (RFC 3581 §3).
    #[must_use]
    pub const fn wants_rport(&self) -> bool {
        self.wants_rport
    }

    /// The `received` parameter as an address, with or without brackets (RFC 5118 §4.5).
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        self.params.value("received").and_then(parse_ip)
    }

    /// The sent-by host as an address, if it is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        parse_ip(self.host)
    }
}

/// A name-addr or addr-spec with its header parameters (RFC 3261 §20.10, §20.20, §20.34, §20.39).
#[derive(Debug, Clone, Copy)]
pub struct NameAddr<'a> {
    pub(super) display: &'a str,
    pub(super) uri: Uri<'a>,
    pub(super) params: Params<'a>,
    pub(super) tag: Noted<'a>,
    pub(super) bracketed: bool,
}

impl<'a> NameAddr<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Malformed> {
        let text = trim(text);
        if let Some(place) = plain::address(text.as_bytes(), 0..text.len()) {
            return Ok(Self::at(&place, text));
        }
        let open = if text.starts_with('<') { Some(0) } else { find_outside(text, false, b'<')? };
        let Some(open) = open else {
            // RFC 3261 §20: without brackets, parameters belong to the header and "?" and "," are
            // not allowed.
            let (uri, params) = text.split_at(end_before(text, b';'));
            let uri = trim(uri);
            if uri.bytes().any(|b| matches!(b, b'?' | b',')) {
                return Err(Malformed("a URI that needs < and > round it"));
            }
            let (uri, (params, [tag])) = (Uri::parse(uri)?, Params::parse_noting(params, ["tag"])?);
            return Ok(Self { display: "", uri, params, tag, bracketed: false });
        };
        let (display, rest) = text.split_at(open);
        let display = trim(display);
        check_display(display)?;
        let close = memchr::memchr(b'>', rest.as_bytes()).ok_or(Malformed("a < without its >"))?;
        let (Some(uri), Some(params)) = (rest.get(1..close), rest.get(close + 1..)) else {
            return Err(Malformed("a malformed address"));
        };
        let (uri, (params, [tag])) = (Uri::parse(uri)?, Params::parse_noting(params, ["tag"])?);
        Ok(Self { display, uri, params, tag, bracketed: true })
    }

    /// What lies at `place` of `head`.
    pub(super) fn at(place: &AddressPlace, head: &'a str) -> Self {
        let tag = NotedPlace { value: place.tag, repeats: place.repeats_tag };
        Self {
            display: place.display.read(head),
            uri: Uri::at(&place.uri, head),
            params: Params { text: place.params.read(head) },
            tag: Noted::at(tag, head),
            bracketed: place.bracketed,
        }
    }

    /// Where it lies in `head`, from which it was read.
    pub(super) fn place(&self, head: &str) -> AddressPlace {
        AddressPlace {
            display: Span::within(head, self.display),
            uri: self.uri.place(head),
            params: Span::within(head, self.params.text),
            tag: self.tag.value.map(|tag| Span::within(head, tag)),
            repeats_tag: self.tag.repeats,
            bracketed: self.bracketed,
        }
    }

    /// The display name as written, with its quotes.
    #[must_use]
    pub const fn display(&self) -> &'a str {
        self.display
    }

    #[must_use]
    pub const fn uri(&self) -> Uri<'a> {
        self.uri
    }

    #[must_use]
    pub const fn tag(&self) -> Option<&'a str> {
        self.tag.value
    }

    /// A header parameter (not a parameter of the URI).
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.value(name)
    }
}

/// True if a branch has the magic cookie and more behind it (RFC 3261 §8.1.1.7).
pub(super) fn is_unique(branch: &str) -> bool {
    let parts = branch.split_at_checked(crate::id::COOKIE.len());
    parts.is_some_and(|(cookie, rest)| {
        cookie.eq_ignore_ascii_case(crate::id::COOKIE) && !rest.is_empty()
    })
}

/// The transport of a Via, and what follows it.
fn sent_protocol(text: &str) -> Option<(&str, &str)> {
    // RFC 3261 §20.42; white space round the slashes is rare.
    if let Some(rest) = text.strip_prefix("SIP/2.0/") {
        let end = run_end(rest.as_bytes(), 0, TOKEN);
        if end > 0 && matches!(rest.as_bytes().get(end), Some(b' ' | b'\t')) {
            return rest.split_at_checked(end);
        }
    }
    let (protocol, rest) = split_byte(text, b'/')?;
    let (version, rest) = split_byte(rest, b'/')?;
    let rest = trim(rest);
    let space = rest.bytes().position(|b| matches!(b, b' ' | b'\t'))?;
    let (transport, rest) = rest.split_at(space);
    let is_sound = is_token(trim(protocol)) && is_token(trim(version)) && is_token(transport);
    is_sound.then_some((transport, rest))
}

/// Where `byte` first stands, or else the end.
fn end_before(text: &str, byte: u8) -> usize {
    text.bytes().position(|have| have == byte).unwrap_or(text.len())
}

/// A display name is a quoted string or tokens (RFC 3261 §25.1).
fn check_display(display: &str) -> Result<(), Malformed> {
    let sound = if display.starts_with('"') {
        quoted_end(display, 0)? == display.len()
    } else {
        // UTF-8 beyond ASCII is tolerated: peers send it unquoted.
        display.bytes().all(|b| is_token_byte(b) || matches!(b, b' ' | b'\t') || b >= 0x80)
    };
    if sound { Ok(()) } else { Err(Malformed("a malformed display name")) }
}

/// The halves of a Session-ID (RFC 7989 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionId<'a> {
    local: &'a str,
    remote: Option<&'a str>,
}

impl<'a> SessionId<'a> {
    /// `None` if the value is not 32 lower-case hex digits with an optional `remote` of the same
    /// form.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (local, params) = text.split_at(end_before(text, b';'));
        let local = trim(local);
        let (_, [remote]) = Params::parse_noting(params, ["remote"]).ok()?;
        let remote = remote.value;
        let is_uuid = |text: &str| text.len() == 32 && is_lower_hex(text.as_bytes());
        (is_uuid(local) && remote.is_none_or(is_uuid)).then_some(Self { local, remote })
    }

    /// The UUID of the one who sent the message.
    #[must_use]
    pub const fn local(&self) -> &'a str {
        self.local
    }

    /// The UUID that the sender knows of its peer; all zeros is the null UUID (RFC 7989 §5).
    #[must_use]
    pub const fn remote(&self) -> Option<&'a str> {
        self.remote
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4475 §3.1.1.1: white space is allowed round the slashes and the colon.
    #[test]
    fn via_tolerates_white_space_and_ipv6() {
        let via = Via::parse("SIP  / 2.0  /  UDP  192.168.156.222 : 5070 ;rport;branch=z9hG4bKx")
            .unwrap();
        assert_eq!(
            (via.transport(), via.host(), via.port()),
            ("UDP", "192.168.156.222", Some(5070))
        );
        assert!(via.wants_rport());
        let via =
            Via::parse("SIP/2.0/TCP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3")
                .unwrap();
        assert_eq!((via.host(), via.port()), ("[2001:db8::9:1]", None));
        assert_eq!(via.received(), "2001:db8::9:255".parse().ok());
    }

    #[test]
    fn a_bare_cookie_is_no_branch() {
        assert_eq!(Via::parse("SIP/2.0/UDP h;branch=z9hG4bK").unwrap().branch(), None);
    }

    // RFC 3261 §20.10: ";" after an addr-spec without brackets is a header parameter.
    #[test]
    fn parameters_without_brackets_belong_to_the_header() {
        let addr = NameAddr::parse("sip:+19725552222@gw1.example.net;unknownparam").unwrap();
        assert_eq!(addr.uri().as_str(), "sip:+19725552222@gw1.example.net");
        assert_eq!(addr.param("unknownparam"), Some(""));
    }

    #[test]
    fn display_names_are_quoted_or_tokens() {
        assert!(NameAddr::parse(r#""J Rosenberg \\\"" <sip:j@x>;tag=9"#).is_ok());
        assert!(NameAddr::parse("caller<sip:j@x>").is_ok());
        assert!(NameAddr::parse("Bell, Alexander <sip:a@x>;tag=43").is_err());
        assert!(NameAddr::parse(r#""Mr. J. User <sip:j@x>"#).is_err());
        assert!(NameAddr::parse("< sip:j@x >").is_err());
    }
}
