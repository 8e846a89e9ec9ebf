//! The checks that every element makes of a scanned message (RFC 3261 §8.1.1, §16.3, §18.3).

use super::fields::{NameAddr, Via};
use super::grammar::{split_list, trim};
use super::indexed::{Keys, Message};
use super::located::{AddressPlace, UriPlace, ViaPlace};
use super::malformed::Malformed;
use super::method::Method;
use super::name::Name;
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
        let uri = Uri::parse(message.text(uri))?;
        if uri.headers().is_some() {
            // RFC 3261 §19.1.1, table 1: no headers in a Request-URI.
            return Err(Malformed("headers in the Request-URI"));
        }
        message.keys.uri = UriPlace::of(&uri, &message.head);
    }
    message.keys.contact = check_addresses(message, limits)?;
    Ok(())
}

/// The addresses that this stack sends to. Returns the first Contact.
fn check_addresses(message: &Message, limits: Limits) -> Result<Option<AddressPlace>, Malformed> {
    let mut first_contact = None;
    for name in [Name::Contact, Name::Route, Name::RecordRoute] {
        let mut count = 0;
        for line in message.headers(name) {
            for value in split_list(line).filter(|value| !value.is_empty()) {
                count += 1;
                if count > limits.elements {
                    return Err(TOO_MANY);
                }
                if name == Name::Contact && value == "*" {
                    continue;
                }
                let address = NameAddr::parse(value)?;
                // RFC 3261 §20.34: a route is a name-addr, never a bare URI.
                if !address.is_bracketed() && name != Name::Contact {
                    return Err(Malformed("a route without < and >"));
                }
                if name == Name::Contact && count == 1 {
                    first_contact = Some(AddressPlace::of(&address, &message.head));
                }
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
    let is_response = matches!(message.start, Start::Response { .. });
    let (mut first, mut defect, mut count) = (None, None, 0);
    for line in message.headers(Name::Via) {
        for value in split_list(line) {
            if is_response && first.is_some() {
                break;
            }
            let via = Via::parse(value)?;
            count += 1;
            let too_many = (count > limits.elements).then_some(TOO_MANY);
            defect = defect.or(too_many).or_else(|| defect_of(&via));
            first.get_or_insert_with(|| {
                let branch = Span::within(&message.head, via.branch().unwrap_or_default());
                (Span::within(&message.head, value), ViaPlace::of(&via, &message.head), branch)
            });
        }
    }
    let (value, place, branch) = first.ok_or(Malformed("no Via"))?;
    Ok(TopmostVia { value, place, branch, defect })
}

fn defect_of(via: &Via<'_>) -> Option<Malformed> {
    let branch = via.branch.value.unwrap_or_default();
    if via.is_ambiguous() {
        Some(Malformed("a branch twice"))
    } else if branch.len().max(via.host().len()) > MAX_IDENTIFIER {
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
    let (from, place, tag) = address(message, Name::From, "From")?;
    (message.keys.from, message.keys.from_place, message.keys.from_tag) = (from, place, tag);
    let (to, place, tag) = address(message, Name::To, "To")?;
    (message.keys.to, message.keys.to_place, message.keys.to_tag) = (to, place, tag);
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
) -> Result<(Span, AddressPlace, Span), Malformed> {
    let span = only(message, name, label)?;
    let address = NameAddr::parse(message.text(span))?;
    if address.is_ambiguous() {
        return Err(Malformed("a tag twice"));
    }
    let tag = match address.tag() {
        Some("") => return Err(Malformed("an empty tag")),
        Some(tag) if tag.len() > MAX_IDENTIFIER => return Err(Malformed("a tag that is too long")),
        tag => Span::within(&message.head, tag.unwrap_or_default()),
    };
    Ok((span, AddressPlace::of(&address, &message.head), tag))
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
