//! What an emergency call says of itself: the service that it is for, and where the caller is.

use std::borrow::Cow;

use super::{Message, Name, Uri};

impl Uri<'_> {
    /// The number or service that was dialled: `15`, `0199001234`, `urn:service:sos.fire`. `None`
    /// for a URI that names no user.
    #[must_use]
    pub fn dialled(&self) -> Option<String> {
        if self.service().is_some() {
            return Some(self.as_str().to_ascii_lowercase());
        }
        // RFC 3261 §19.1.6: a user part may carry the parameters of a tel URI, which has its own.
        let user = self.user()?;
        let (number, inner) = user.split_once(';').unwrap_or((user, ""));
        let number = unescaped(number);
        let context = inner.split(';').find_map(|one| {
            let (name, value) = one.split_once('=')?;
            name.eq_ignore_ascii_case("phone-context").then_some(value)
        });
        let is_tel = self.scheme().eq_ignore_ascii_case("tel");
        let context = context.or_else(|| self.param("phone-context").filter(|_| is_tel));
        let Some(digits) = digits_of(&number) else { return Some(number.into_owned()) };
        let context = context.map(|context| unescaped(context).into_owned());
        Some(national(digits, context.as_deref()))
    }
}

impl Message {
    /// The INSEE code of the caller's commune, from `P-Access-Network-Info:
    /// GSTN;operator-specific-GI="552913900"` (RFC 7315 §5.4, RFC 7913): two digits for the
    /// operator, five for the commune, two more.
    #[must_use]
    pub fn commune(&self) -> Option<&str> {
        self.headers(Name::PAccessNetworkInfo).find_map(commune)
    }
}

/// The digits of a number without visual separators (RFC 3966 §5.1.1); `None` for a name.
fn digits_of(number: &str) -> Option<String> {
    let is_separator = |c: char| matches!(c, '-' | '.' | '(' | ')' | ' ');
    let digits: String = number.chars().filter(|c| !is_separator(*c)).collect();
    let rest = digits.strip_prefix('+').unwrap_or(&digits);
    let is_number =
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#');
    is_number.then_some(digits)
}

/// A number as it is dialled inside this country: E.164 of its plan without the country code. `context` is the beginning
/// of a global number, or a domain, in which a local number is valid (RFC 3966 §5.1.5).
fn national(digits: String, context: Option<&str>) -> String {
    // What significant numbers of this country have behind the 0.
    const SIGNIFICANT: usize = 9;
    let is_global = digits.starts_with('+');
    // 112 is an emergency number in any plan (3GPP TS 22.101 §10.1).
    let global = match context.and_then(digits_of).filter(|context| context.starts_with('+')) {
        Some(context) if !is_global && digits != "112" => {
            let here = context.strip_prefix("+33");
            let local = digits.strip_prefix('0').unwrap_or(&digits);
            match here {
                // Short numbers, and those that say their 0, are dialled as they are.
                Some(area) if area.len() + local.len() != SIGNIFICANT => None,
                Some(area) => Some(format!("+33{area}{local}")),
                None => Some(format!("{context}{digits}")),
            }
        }
        _ => digits.strip_prefix("00").map(|rest| format!("+{rest}")),
    };
    let number = global.unwrap_or(digits);
    number.strip_prefix("+33").map_or_else(|| number.clone(), |rest| format!("0{rest}"))
}

/// Text without escapes (RFC 3261 §19.1.4); as it is if they would bring a control character or bytes that are no text.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|hex| char::from(hex).to_digit(16));
        match byte {
            // `Uri::parse` has checked that two digits follow.
            b'%' => bytes.push((digit().unwrap_or(0) * 16 + digit().unwrap_or(0)) as u8),
            other => bytes.push(other),
        }
    }
    match String::from_utf8(bytes) {
        Ok(plain) if !plain.contains(char::is_control) => Cow::Owned(plain),
        _ => Cow::Borrowed(text),
    }
}

fn commune(value: &str) -> Option<&str> {
    let code = value.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("operator-specific-GI").then_some(value)
    })?;
    let code = code.trim().trim_matches('"');
    // Communes of Corsica have a letter: 2A004.
    let is_code = code.len() == 9 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then(|| code.get(2..7))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commune_is_the_middle_of_the_geographic_identifier() {
        for (header, expected) in [
            ("GSTN; operator-specific-GI=\"105935000\"", Some("59350")),
            ("GSTN;gstn-location=\"x\"; Operator-Specific-GI=102A00400;np", Some("2A004")),
            ("GSTN; operator-specific-GI=\"10593500\"", None),
            ("GSTN; operator-specific-GI=\"1059é5000\"", None),
            ("3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=208010001", None),
            ("", None),
        ] {
            assert_eq!(commune(header), expected, "{header}");
        }
    }

    #[test]
    fn the_dialled_number_stands_in_any_kind_of_uri() {
        let dialled = |text| Uri::parse(text).unwrap().dialled();
        assert_eq!(dialled("sip:112@127.0.0.1").as_deref(), Some("112"));
        assert_eq!(dialled("sip:15;phone-context=+33@127.0.0.1").as_deref(), Some("15"));
        assert_eq!(dialled("tel:+33199001234").as_deref(), Some("0199001234"));
        assert_eq!(dialled("tel:18;phone-context=+33").as_deref(), Some("18"));
        assert_eq!(dialled("URN:service:SOS.fire").as_deref(), Some("urn:service:sos.fire"));
        assert_eq!(dialled("sip:127.0.0.1"), None);
    }

    // RFC 3261 §19.1.4, RFC 3966 §5.1.1 and §5.1.5.
    #[test]
    fn one_number_in_many_forms_is_one_number() {
        let dialled = |text| Uri::parse(text).unwrap().dialled();
        for (text, number) in [
            ("sip:%31%31%32@h", "112"),
            ("sip:%2b33199001234@h", "0199001234"),
            ("sip:1%312@h;user=phone", "112"),
            ("tel:%31-5", "15"),
            ("tel:+33-1-99.00(12)34", "0199001234"),
            ("sip:01.99.00.12.34@h;user=phone", "0199001234"),
            ("sip:0033199001234@h", "0199001234"),
            ("tel:199001234;phone-context=+33", "0199001234"),
            ("tel:0199001234;phone-context=+33", "0199001234"),
            ("tel:99-00-12-34;phone-context=+33-1", "0199001234"),
            ("tel:15;phone-context=%2B33", "15"),
            ("tel:15;phone-context=example.com", "15"),
            ("sip:1-5;phone-context=+33@h;user=phone", "15"),
            ("tel:112;phone-context=+49", "112"),
            ("tel:15;phone-context=+49", "+4915"),
            ("sip:+4915@h", "+4915"),
            ("sip:112:word@h", "112"),
            ("sip:%31%0a@h", "%31%0a"),
            ("sip:%ff@h", "%ff"),
            ("sip:alice-b@h", "alice-b"),
            ("sip:j%c3%a9@h", "jé"),
        ] {
            assert_eq!(dialled(text).as_deref(), Some(number), "{text}");
        }
    }
}
