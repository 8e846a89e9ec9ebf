//! Texts from elsewhere, as a spreadsheet may read them from CSV.

use std::borrow::Cow;

/// The text with an apostrophe before it, if a spreadsheet would take it for a formula: peers choose Call-IDs, names and numbers, and
/// a formula can run programs.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if is_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// A telephone number is none.
fn is_formula(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(['=', '+', '-', '@', '\t', '\r', '\n']) else {
        return false;
    };
    !(text.starts_with('+') && rest.bytes().all(|octet| octet.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_calculate_is_a_formula() {
        for formula in [
            "=1+1",
            "=cmd|'/C calc'!A0",
            "@SUM(A1)",
            "+1+cmd|' /C calc'!A0",
            "-2+3",
            "\t=1",
            "\r=1",
            "=",
        ] {
            assert!(is_formula(formula), "{formula:?}");
        }
        for plain in ["", "15", "+33353010015", "Busy Here", "a=b", "'=1", "urn:service:sos"] {
            assert!(matches!(text(plain), Cow::Borrowed(same) if same == plain), "{plain:?}");
        }
    }
}
