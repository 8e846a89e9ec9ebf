//! Values as nearly all of them are written, read in one pass over the bytes of the message: no white space, no escape, and
//! nothing else that wants a closer look. Each of these readers takes less than the grammar allows, and says `None` to the
//! rest: then [`Uri`](super::Uri), [`NameAddr`](super::NameAddr) and [`Via`](super::Via) read the value in the long way.

use std::ops::Range;

use super::classes::{HOST, TOKEN, URI_MARK, URI_PLAIN, VALUE, is_in, long_run_end, run_end};
use super::located::{AddressPlace, UriPlace, ViaPlace};
use super::span::Span;

/// More parameters than any honest value has.
pub(super) const MAX_PARAMS: usize = 64;

/// One parameter, without the semicolon before it.
pub(super) struct Param {
    pub(super) name: Range<usize>,
    /// `None` for a flag.
    pub(super) value: Option<Range<usize>>,
    /// Where it ends.
    pub(super) end: usize,
}

/// What was seen of one parameter while the others were checked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NotedPlace {
    /// Empty for a flag.
    pub(super) value: Option<Span>,
    /// It stands more than once.
    pub(super) repeats: bool,
}

/// A URI in brackets, and what follows it up to `value.end`, where `value` begins with a bracket.
#[inline]
pub(super) fn address(bytes: &[u8], value: Range<usize>) -> Option<AddressPlace> {
    if bytes.get(value.start) != Some(&b'<') {
        return None;
    }
    let (uri, close) = uri(bytes, value.start + 1)?;
    if bytes.get(close) != Some(&b'>') {
        return None;
    }
    let (params, [tag]) = params(bytes, close + 1..value.end, ["tag"])?;
    let display = Span::default();
    Some(AddressPlace {
        display,
        uri,
        params,
        tag: tag.value,
        repeats_tag: tag.repeats,
        bracketed: true,
    })
}

/// The URI that begins at `at`, and where it ends. What stands there could not go on with it.
#[inline]
pub(super) fn uri(bytes: &[u8], at: usize) -> Option<(UriPlace, usize)> {
    let after = at + 4;
    match bytes.get(at..after)? {
        b"sip:" => sip_uri(bytes, at),
        scheme @ (b"tel:" | b"urn:") => {
            let end = run_end(bytes, after, URI_PLAIN);
            if end == after || matches!(bytes.get(end), Some(b'@' | b'%')) {
                return None;
            }
            let mut place =
                UriPlace { text: Span::new(at, end), scheme_len: 3, ..UriPlace::default() };
            if scheme == b"tel:" {
                let semicolon = bytes.get(after..end)?.iter().position(|byte| *byte == b';');
                let number_end = semicolon.map_or(end, |found| after + found);
                place.user = Some(Span::new(after, number_end));
                place.params = Span::new((number_end + 1).min(end), end);
            }
            Some((place, end))
        }
        _ => None,
    }
}

/// `sip:user@host:port;params`, of which all but the host may be absent.
#[inline]
fn sip_uri(bytes: &[u8], at: usize) -> Option<(UriPlace, usize)> {
    let after = at + 4;
    let plain_end = run_end(bytes, after, URI_PLAIN);
    let (user, host_at) = match bytes.get(plain_end) {
        Some(b'@') if plain_end > after => (Some(Span::new(after, plain_end)), plain_end + 1),
        Some(b'@' | b'%') => return None,
        _ => (None, after),
    };
    let (host, port, host_end) = host_port(bytes, host_at)?;
    let (params, end) = match bytes.get(host_end) {
        Some(b';') => {
            let end = run_end(bytes, host_end, URI_PLAIN);
            (host_end + 1..end, end)
        }
        Some(byte) if !is_in(*byte, URI_MARK) => return None,
        _ => (host_end..host_end, host_end),
    };
    let goes_on = matches!(bytes.get(end), Some(b'@' | b'%'));
    if goes_on || bytes.get(params.clone())?.contains(&b'?') {
        return None;
    }
    let place = UriPlace {
        text: Span::new(at, end),
        scheme_len: 3,
        user,
        host,
        port,
        params: Span::of(params),
        headers: None,
    };
    Some((place, end))
}

/// The Via that is the whole of `value`.
#[inline]
pub(super) fn via(bytes: &[u8], value: Range<usize>) -> Option<ViaPlace> {
    const PROTOCOL: &[u8] = b"SIP/2.0/";
    let transport_at = value.start + PROTOCOL.len();
    if bytes.get(value.start..transport_at)? != PROTOCOL {
        return None;
    }
    let transport_end = run_end(bytes, transport_at, TOKEN);
    // One space, then a host name and perhaps a port, and no space after it.
    if transport_end == transport_at || bytes.get(transport_end) != Some(&b' ') {
        return None;
    }
    let (host, port, host_end) = host_port(bytes, transport_end + 1)?;
    let (params, [branch, rport]) = params(bytes, host_end..value.end, ["branch", "rport"])?;
    Some(ViaPlace {
        transport: Span::new(transport_at, transport_end),
        host,
        port,
        params,
        branch: branch.value,
        repeats_branch: branch.repeats,
        wants_rport: rport.value.is_some_and(Span::is_empty),
    })
}

/// The parameters that are the whole of `range`, which begins with a semicolon or is empty, without that semicolon; and what
/// there is of those with the given names.
#[inline]
pub(super) fn params<const COUNT: usize>(
    bytes: &[u8],
    range: Range<usize>,
    names: [&str; COUNT],
) -> Option<(Span, [NotedPlace; COUNT])> {
    let mut noted = [NotedPlace::default(); COUNT];
    let mut at = range.start;
    if at >= range.end {
        return (at == range.end).then(|| (Span::default(), noted));
    }
    for _ in 0..MAX_PARAMS {
        if bytes.get(at) != Some(&b';') {
            return None;
        }
        let one = param(bytes, at + 1)?;
        let name = bytes.get(one.name)?;
        for (noted, wanted) in noted.iter_mut().zip(names) {
            if name.eq_ignore_ascii_case(wanted.as_bytes()) {
                noted.repeats = noted.value.is_some();
                let value = one.value.clone().map(Span::of).unwrap_or_default();
                noted.value.get_or_insert(value);
            }
        }
        at = one.end;
        if at >= range.end {
            return (at == range.end).then(|| (Span::new(range.start + 1, at), noted));
        }
    }
    None
}

/// The parameter that begins at `at`, if it and its value are tokens or a host, or the value is a quoted string without
/// escapes.
#[inline]
pub(super) fn param(bytes: &[u8], at: usize) -> Option<Param> {
    let name_end = run_end(bytes, at, TOKEN);
    if name_end == at {
        return None;
    }
    if bytes.get(name_end) != Some(&b'=') {
        return Some(Param { name: at..name_end, value: None, end: name_end });
    }
    let from = name_end + 1;
    let end = match bytes.get(from) {
        Some(b'"') => quoted_end(bytes, from)?,
        _ => long_run_end(bytes, from, VALUE),
    };
    (end > from).then_some(Param { name: at..name_end, value: Some(from..end), end })
}

/// Offset just after the quoted string that opens at `open`, if nothing is escaped in it.
fn quoted_end(bytes: &[u8], open: usize) -> Option<usize> {
    let inside = bytes.get(open + 1..)?;
    let close = inside.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    (inside.get(close) == Some(&b'"')).then_some(open + close + 2)
}

/// The host and the port that begin at `at`, and where they end. `None` if there is no host name there, or no number behind
/// its colon.
#[inline]
pub(super) fn host_port(bytes: &[u8], at: usize) -> Option<(Span, Option<u16>, usize)> {
    let host_end = long_run_end(bytes, at, HOST);
    if host_end == at {
        return None;
    }
    let host = Span::new(at, host_end);
    if bytes.get(host_end) != Some(&b':') {
        return Some((host, None, host_end));
    }
    let (mut end, mut port) = (host_end + 1, None);
    while let Some(digit) = bytes.get(end).map(|byte| byte.wrapping_sub(b'0'))
        && digit <= 9
    {
        port = Some(port.unwrap_or(0_u16).checked_mul(10)?.checked_add(digit.into())?);
        end += 1;
    }
    Some((host, Some(port?), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port_at(text: &str, at: usize) -> Option<(&str, Option<u16>, usize)> {
        host_port(text.as_bytes(), at).map(|(host, port, end)| (host.read(text), port, end))
    }

    #[test]
    fn a_port_is_a_number_of_sixteen_bits() {
        assert_eq!(port_at("h:0065535x", 0), Some(("h", Some(65_535), 9)));
        assert_eq!(port_at("xh;", 1), Some(("h", None, 2)));
        for text in ["h:", "h:x", "h:65536", "h:655350", ":1", ""] {
            assert_eq!(port_at(text, 0), None, "{text}");
        }
    }
}
