//! The checks that every element makes of a scanned message (RFC 3261 §8.1.1, §16.3, §18.3).

use super::fields::{NameAddr, Via, is_unique};
use super::grammar::{split_list, trim};
use super::indexed::{Keys, Message};
use super::located::{AddressPlace, ViaPlace};
use super::malformed::Malformed;
use super::method::Method;
use super::name::Name;
use super::plain;
use super::scan::Start;
use super::span::Span;
use super::uri::Uri;

/// How much one message may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Header lines.
    pub(super) fields: usize,
    /// Elements of each of Via, Contact, Route and Record-Route.
    elements: usize,
}

/// More than any honest message has: Max-Forwards alone ends most of them after 70 hops.
pub(super) const OF_PEERS: Limits = Limits { fields: 256, elements: 128 };

/// What a TU relays may bring a request of this stack above the limits that peers have to keep.
pub(super) const OF_OURS: Limits = Limits { fields: usize::MAX, elements: usize::MAX };

/// Longest branch, tag, Call-ID or Via host: a transaction keeps them, so they bound its size.
const MAX_IDENTIFIER: usize = 256;

const TOO_MANY: Malformed = Malformed("too many elements in a header");

/// RFC 3261 §7.1: a version other than 2.0 is answered 505 (§21.5.6).
pub(super) fn wrong_version(message: &Message) -> Option<Malformed> {
    match message.start {
        Start::Request { version, .. }
            if !message.text(version).eq_ignore_ascii_case("SIP/2.0") =>
        {
            Some(Malformed("a SIP version other than 2.0"))
        }
        _ => None,
    }
}

/// Fills in keys and body, in an order that learns the Via first, so that a refusal finds its way
/// back.
pub(super) fn fill(
    message: &mut Message,
    defect: Option<Malformed>,
    limits: Limits,
) -> Result<(), Malformed> {
    let topmost = topmost_via(message, limits)?;
    message.keys.via = topmost.value;
    message.keys.via_place = topmost.place;
    message.keys.branch = topmost.branch;
    wrong_version(message).or(defect).or(topmost.defect).map_or(Ok(()), Err)?;
    let length = body_length(message)?;
    message.body.truncate(length);
    find_keys(message).inspect_err(|_| {
        // A message that is refused has no keys but where it came from.
        let Keys { via, via_place, branch, .. } = message.keys;
        message.keys = Keys { via, via_place, branch, ..Keys::default() };
    })?;
    if let Start::Request { uri, .. } = message.start {
        let place = match plain::uri(message.head.as_bytes(), uri.range().start) {
            Some((place, end)) if end == uri.range().end => place,
            _ => Uri::parse(message.text(uri))?.place(&message.head),
        };
        if place.headers.is_some() {
            // RFC 3261 §19.1.1, table 1: no headers in a Request-URI.
            return Err(Malformed("headers in the Request-URI"));
        }
        message.keys.uri = place;
    }
    message.keys.contact = check_addresses(message, limits)?;
    Ok(())
}

/// The addresses that this stack sends to. Returns the first Contact.
fn check_addresses(message: &Message, limits: Limits) -> Result<Option<AddressPlace>, Malformed> {
    let head = &message.head;
    let mut first_contact = None;
    for name in [Name::Contact, Name::Route, Name::RecordRoute] {
        let mut count = 0;
        let mut take = |address: Option<AddressPlace>| {
            count += 1;
            if count > limits.elements {
                return Err(TOO_MANY);
            }
            // RFC 3261 §20.34: a route is a name-addr, never a bare URI.
            if name != Name::Contact && address.is_some_and(|address| !address.bracketed) {
                return Err(Malformed("a route without < and >"));
            }
            if name == Name::Contact && count == 1 {
                first_contact = address;
            }
            Ok(())
        };
        for field in message.fields.named(name) {
            if let Some(address) = plain::address(head.as_bytes(), field.value.range()) {
                take(Some(address))?;
                continue;
            }
            for value in split_list(message.text(field.value)).filter(|value| !value.is_empty()) {
                let is_all = name == Name::Contact && value == "*";
                let address = if is_all { None } else { Some(NameAddr::parse(value)?.place(head)) };
                take(address)?;
            }
        }
    }
    Ok(first_contact)
}

/// The first Via value of a message.
struct TopmostVia {
    value: Span,
    place: ViaPlace,
    branch: Span,
    /// What is wrong with any Via, if it does not keep us from answering.
    defect: Option<Malformed>,
}

/// All Vias of a request must be well formed, as its response carries them all. Of a response, the first
/// one tells whose it is, and the others are not ours.
fn topmost_via(message: &Message, limits: Limits) -> Result<TopmostVia, Malformed> {
    let head = &message.head;
    let is_response = matches!(message.start, Start::Response { .. });
    let (mut first, mut defect, mut count) = (None, None, 0);
    let mut take = |value: Span, place: ViaPlace| {
        count += 1;
        let too_many = (count > limits.elements).then_some(TOO_MANY);
        defect = defect.or(too_many).or_else(|| defect_of(&place));
        first.get_or_insert((value, place));
        is_response
    };
    'lines: for field in message.fields.named(Name::Via) {
        if let Some(place) = plain::via(head.as_bytes(), field.value.range()) {
            if take(field.value, place) {
                break;
            }
            continue;
        }
        for value in split_list(message.text(field.value)) {
            let place = Via::parse(value)?.place(head);
            if take(Span::within(head, value), place) {
                break 'lines;
            }
        }
    }
    let (value, place) = first.ok_or(Malformed("no Via"))?;
    let branch = place.branch.filter(|branch| is_unique(branch.read(head))).unwrap_or_default();
    Ok(TopmostVia { value, place, branch, defect })
}

fn defect_of(via: &ViaPlace) -> Option<Malformed> {
    let branch = via.branch.unwrap_or_default();
    if via.repeats_branch {
        Some(Malformed("a branch twice"))
    } else if branch.range().len().max(via.host.range().len()) > MAX_IDENTIFIER {
        Some(Malformed("a Via that is too long"))
    } else {
        None
    }
}

/// Fills in what transactions and dialogs compare, each value where it lies: all together are half a kilobyte.
fn find_keys(message: &mut Message) -> Result<(), Malformed> {
    let call_id_at = only(message, Name::CallId, "Call-ID")?;
    let call_id = message.text(call_id_at).as_bytes();
    if memchr::memchr3(b' ', b'\t', b',', call_id).is_some() || call_id.is_empty() {
        return Err(Malformed("a malformed Call-ID"));
    }
    if call_id_at.range().len() > MAX_IDENTIFIER {
        return Err(Malformed("a Call-ID that is too long"));
    }
    message.keys.call_id = call_id_at;
    (message.keys.from, message.keys.from_place) = address(message, Name::From, "From")?;
    (message.keys.to, message.keys.to_place) = address(message, Name::To, "To")?;
    let cseq = message.text(only(message, Name::CSeq, "CSeq")?);
    let space = cseq.bytes().position(|byte| matches!(byte, b' ' | b'\t'));
    let (number, method) =
        space.and_then(|at| cseq.split_at_checked(at)).ok_or(Malformed("a malformed CSeq"))?;
    let method = trim(method);
    let number = decimal(number).ok_or(Malformed("a malformed CSeq"))?;
    if let Start::Request { method: have, .. } = message.start
        && message.text(have) != method
    {
        // RFC 3261 §8.1.1.5: the method of CSeq must match that of the request.
        return Err(Malformed("a CSeq of another method"));
    }
    let method = Method::recognise(method);
    (message.keys.cseq, message.keys.method) = (number, method);
    if message.header(Name::MaxForwards).is_some() {
        let hops = only(message, Name::MaxForwards, "Max-Forwards")?;
        let hops: u32 = decimal(message.text(hops)).ok_or(Malformed("a malformed Max-Forwards"))?;
        message.keys.max_forwards =
            Some(u8::try_from(hops).map_err(|_| Malformed("a Max-Forwards above 255"))?);
    }
    Ok(())
}

fn address(
    message: &Message,
    name: Name,
    label: &'static str,
) -> Result<(Span, AddressPlace), Malformed> {
    let (head, span) = (&message.head, only(message, name, label)?);
    let address = match plain::address(head.as_bytes(), span.range()) {
        Some(address) => address,
        None => NameAddr::parse(span.read(head))?.place(head),
    };
    match address.tag {
        _ if address.repeats_tag => Err(Malformed("a tag twice")),
        Some(tag) if tag.is_empty() => Err(Malformed("an empty tag")),
        Some(tag) if tag.range().len() > MAX_IDENTIFIER => Err(Malformed("a tag that is too long")),
        _ => Ok((span, address)),
    }
}

/// The value of a header that must stand exactly once (RFC 3261 §7.3.1, RFC 4475 §3.3.8).
fn only(message: &Message, name: Name, label: &'static str) -> Result<Span, Malformed> {
    match message.fields.only(name) {
        Ok(field) => Ok(field.value),
        Err(true) => Err(Malformed("a header twice that may stand once")),
        Err(false) => Err(match label {
            "Call-ID" => Malformed("no Call-ID"),
            "From" => Malformed("no From"),
            "To" => Malformed("no To"),
            _ => Malformed("no CSeq"),
        }),
    }
}

/// RFC 3261 §18.3: Content-Length frames the body; what follows it in a datagram is noise, and a
/// body shorter than it is an error.
fn body_length(message: &Message) -> Result<usize, Malformed> {
    let available = message.body.len();
    let mut lengths = message.headers(Name::ContentLength);
    let Some(first) = lengths.next() else {
        return Ok(available);
    };
    if lengths.any(|other| other != first) {
        return Err(Malformed("two different Content-Length"));
    }
    let length: usize = decimal(first).ok_or(Malformed("a malformed Content-Length"))?;
    if length > available {
        return Err(Malformed("a Content-Length above what arrived"));
    }
    Ok(length)
}

/// Digits only: `parse` alone would take a sign.
fn decimal<N: std::str::FromStr>(text: &str) -> Option<N> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}
