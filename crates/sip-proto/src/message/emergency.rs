//! What an emergency call says of itself: the service that it is for, and where the caller is.

use super::{Message, Name, Uri};

impl Uri<'_> {
    /// The number or service that was dialled: `15`, `0199001234`, `urn:service:sos.fire`. `None`
    /// for a URI that names no user.
    #[must_use]
    pub fn dialled(&self) -> Option<String> {
        if self.service().is_some() {
            return Some(self.as_str().to_ascii_lowercase());
        }
        // RFC 3261 §19.1.6: a user part may carry the parameters of a tel URI.
        let user = self.user()?.split(';').next()?;
        // E.164 of this country's plan: the same number as dialled inside it.
        Some(user.strip_prefix("+33").map_or_else(|| user.to_owned(), |rest| format!("0{rest}")))
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
}
