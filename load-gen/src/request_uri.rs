//! How callers write what they dial, when they call another network than that of the file.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// How callers write the number that they dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestUri(String);

impl RequestUri {
    /// The Request-URI of a call to `number` at `target`.
    pub(crate) fn of(&self, number: &str, target: SocketAddr) -> String {
        self.0.replace("{number}", number).replace("{target}", &target.to_string())
    }
}

impl FromStr for RequestUri {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri = text.replace("{number}", "112").replace("{target}", "127.0.0.1:5060");
        let has_scheme = ["sip:", "tel:"].iter().any(|scheme| text.starts_with(scheme));
        let is_plain = |c: char| c.is_ascii_graphic() && !"<>\"{}".contains(c);
        match has_scheme && text.contains("{number}") && uri.chars().all(is_plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(format!(
                "must begin with sip: or tel: and contain {{number}}, as sip:{{number}}@example.org does, got {text:?}"
            )),
        }
    }
}

impl fmt::Display for RequestUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_uri_has_the_number_and_no_gap_for_another_header() {
        let uri: RequestUri = "sip:{number}@example.org;user=phone".parse().expect("a template");
        let target = SocketAddr::from(([127, 0, 0, 1], 5060));
        assert_eq!(uri.of("15", target), "sip:15@example.org;user=phone");
        for wrong in ["sip:15@a", "http:{number}", "sip:{number}@a\r\nX: y", "sip:{number}@{host}"]
        {
            assert!(wrong.parse::<RequestUri>().is_err(), "{wrong}");
        }
    }
}
