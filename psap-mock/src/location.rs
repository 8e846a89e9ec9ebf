//! Where the caller is, as a French access network says it.

/// The INSEE code of the caller's commune in a P-Access-Network-Info header (RFC 7315 §5.4), as in
/// `GSTN; operator-specific-GI="105935000"`: two digits for the operator, five for the commune, two
/// more.
pub(crate) fn commune(header: &str) -> Option<&str> {
    let mut parameters = header.split(';').skip(1);
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("operator-specific-GI").then_some(value)
    })?;
    let code = value.trim().trim_matches('"');
    let commune = code.get(2..7).filter(|_| code.len() == 9)?;
    // Communes of Corsica have a letter: 2A004.
    let is_code = code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then_some(commune)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commune_is_the_middle_of_the_geographic_identifier() {
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
}
