//! What a REGISTER asks for (RFC 3261 §10.2, RFC 5626 §4.2), read and checked before anything is bound.

use crate::Rejection;
use crate::message::{Name, NameAddr, Request};

/// What a REGISTER asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// Nothing: what is bound now?
    Query,
    /// Remove all that is bound (`Contact: *`).
    RemoveAll,
    /// Bind these, or remove those whose time is 0.
    Bind(Vec<Binding>),
}

/// One contact of a REGISTER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Where the user is, as it may stand in a Request-URI.
    pub uri: Box<str>,
    /// For how many seconds: its own parameter, else the header Expires, else nothing is asked for.
    pub expires: Option<u32>,
    /// How much it is preferred, in thousandths (RFC 3261 §20.10): 1000 without the parameter.
    pub preference: u16,
    /// The telephone itself, whatever its address is (RFC 5626 §4.1), with its angle brackets.
    pub instance: Option<Box<str>>,
    /// Which of the flows of that telephone this is (RFC 5626 §4.2). Without an instance it means nothing.
    pub reg_id: Option<u32>,
}

/// RFC 3261 §10.3 item 7 and §20.19: what cannot be read as a number counts as 3600, what is too large as the largest.
const MALFORMED_EXPIRES: u32 = 3_600;

impl Registration {
    /// Reads what `request` asks for.
    ///
    /// # Errors
    /// 400 with a sentence, if it contradicts itself or a Contact cannot be understood: nothing of it is bound then.
    pub fn of(request: &Request) -> Result<Self, Rejection> {
        let bad = |why: &str| Rejection::new(400).with_warning(why.to_owned());
        let for_all = request.header(Name::Expires).map(seconds);
        let values: Vec<&str> = request.list(Name::Contact).collect();
        if values.iter().any(|value| value.trim() == "*") {
            // RFC 3261 §10.3 item 6.
            return match (&values[..], for_all) {
                ([_], Some(0)) => Ok(Self::RemoveAll),
                ([_], _) => Err(bad("Contact: * only removes, so it needs Expires: 0")),
                _ => Err(bad("Contact: * stands alone")),
            };
        }
        let bindings: Result<Vec<_>, _> = values
            .iter()
            .map(|value| {
                let contact = NameAddr::parse(value);
                contact.map_err(|_| bad("a Contact of this REGISTER is malformed")).and_then(
                    |contact| Binding::of(&contact, for_all).ok_or_else(|| bad("a Contact of this REGISTER has no URI at which a telephone could be")),
                )
            })
            .collect();
        let bindings = bindings?;
        Ok(if bindings.is_empty() { Self::Query } else { Self::Bind(bindings) })
    }
}

impl Binding {
    fn of(contact: &NameAddr<'_>, for_all: Option<u32>) -> Option<Self> {
        let uri = contact.uri();
        if !uri.is_sip() || uri.host().is_empty() {
            return None;
        }
        let instance = contact.param("+sip.instance").map(|value| value.trim_matches('"'));
        let instance = instance.filter(|urn| urn.starts_with('<') && urn.ends_with('>'));
        let reg_id = contact.param("reg-id").and_then(|id| id.parse().ok());
        Some(Self {
            uri: uri.without_headers().into(),
            expires: contact.param("expires").map(seconds).or(for_all),
            preference: contact.param("q").map_or(1_000, thousandths),
            reg_id: reg_id.filter(|id| *id > 0 && instance.is_some()),
            instance: instance.map(Into::into),
        })
    }
}

/// delta-seconds, which may be too large for us.
fn seconds(text: &str) -> u32 {
    let text = text.trim();
    match text.parse() {
        Ok(seconds) => seconds,
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => u32::MAX,
        Err(_) => MALFORMED_EXPIRES,
    }
}

/// A q-value (RFC 3261 §25.1): 0 to 1 with at most three decimals. What is none counts as the least.
fn thousandths(text: &str) -> u16 {
    let (whole, decimals) = text.trim().split_once('.').unwrap_or_else(|| (text.trim(), ""));
    let is_number = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let decimals: u16 = format!("{decimals:0<3}").parse().unwrap_or(0);
    match whole {
        "0" | "" if is_number => decimals,
        "1" if is_number && decimals == 0 => 1_000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<Registration, Rejection> {
        let text = format!(
            "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n\
             From: <sip:a@example.org>;tag=a\r\nTo: <sip:a@example.org>\r\nCall-ID: a\r\nCSeq: 1 REGISTER\r\n{lines}\r\n"
        );
        Registration::of(&Request::parse(text.into()).expect("a sound request"))
    }

    fn bound(lines: &str) -> Vec<Binding> {
        match read(lines) {
            Ok(Registration::Bind(bindings)) => bindings,
            other => panic!("{other:?}"),
        }
    }

    // RFC 3261 §10.2.1.1, §10.3 item 7.
    #[test]
    fn a_contact_has_its_own_time_before_that_of_the_header() {
        let bindings = bound(
            "Expires: 300\r\nContact: <sip:a@192.0.2.1>;expires=60;q=0.25, <sip:a@192.0.2.2;transport=tcp>\r\n\
             m: \"A, B\" <sips:a@192.0.2.3?x=y>;expires=no\r\n",
        );
        let short: Vec<_> =
            bindings.iter().map(|it| (&*it.uri, it.expires, it.preference)).collect();
        assert_eq!(
            short,
            [
                ("sip:a@192.0.2.1", Some(60), 250),
                ("sip:a@192.0.2.2;transport=tcp", Some(300), 1_000),
                ("sips:a@192.0.2.3", Some(3_600), 1_000),
            ]
        );
        assert_eq!(bound("Contact: <sip:a@192.0.2.1>\r\n")[0].expires, None);
        assert_eq!(bound("Contact: <sip:a@x>;expires=99999999999\r\n")[0].expires, Some(u32::MAX));
    }

    // RFC 3261 §10.2.2, §10.2.3.
    #[test]
    fn a_star_removes_and_an_empty_one_asks() {
        assert_eq!(read("Contact: *\r\nExpires: 0\r\n"), Ok(Registration::RemoveAll));
        assert_eq!(read(""), Ok(Registration::Query));
        for bad in [
            "Contact: *\r\n",
            "Contact: *\r\nExpires: 60\r\n",
            "Contact: *, <sip:a@192.0.2.1>\r\nExpires: 0\r\n",
            "Contact: <sip:a@192.0.2.1>\r\nContact: *\r\nExpires: 0\r\n",
            "Contact: <tel:+33199001234>\r\n",
            "Contact: <http://example.org/>\r\n",
        ] {
            assert_eq!(read(bad).map_err(|it| it.status), Err(400), "{bad}");
        }
    }

    // RFC 5626 §4.2.1.
    #[test]
    fn a_telephone_is_known_by_its_instance() {
        let urn = "<urn:uuid:00000000-0000-1000-8000-000A95A0E128>";
        let bindings = bound(&format!(
            "Contact: <sip:a@192.0.2.1>;reg-id=1;+sip.instance=\"{urn}\"\r\n\
             Contact: <sip:a@192.0.2.2>;reg-id=2\r\nContact: <sip:a@192.0.2.3>;reg-id=0;+sip.instance=\"{urn}\"\r\n"
        ));
        let short: Vec<_> = bindings.iter().map(|it| (it.instance.as_deref(), it.reg_id)).collect();
        assert_eq!(short, [(Some(urn), Some(1)), (None, None), (Some(urn), None)]);
    }

    #[test]
    fn a_preference_is_a_number_up_to_one() {
        for (text, wanted) in [
            ("1", 1_000),
            ("1.0", 1_000),
            ("0.7", 700),
            ("0.125", 125),
            ("0", 0),
            (".5", 500),
            ("1.1", 0),
            ("2", 0),
            ("0.1234", 0),
            ("-1", 0),
            ("x", 0),
        ] {
            assert_eq!(thousandths(text), wanted, "{text}");
        }
    }
}
