//! Raises the version of a description that changes on its way (RFC 3264 §8).

/// `body` with `by` added to the version in its "o=" line, and every other byte as it is. So a peer that has seen the
/// description before does not take it for the same one.
#[must_use]
pub fn advance(body: &[u8], by: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 2);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        match raised(line, by) {
            Some(line) => out.extend_from_slice(line.as_bytes()),
            None => out.extend_from_slice(line),
        }
    }
    out
}

/// An "o=" line with a higher version (RFC 8866 §5.2).
fn raised(line: &[u8], by: u64) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?.strip_prefix("o=")?;
    let mut words = line.splitn(4, ' ');
    let (name, session, version) = (words.next()?, words.next()?, words.next()?);
    let version = version.parse::<u64>().ok()?.checked_add(by)?;
    Some(format!("o={name} {session} {version} {}", words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_version_changes() {
        let text = b"v=0\r\no=- 7 9 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
        assert_eq!(
            String::from_utf8(advance(text, 3)).unwrap(),
            "v=0\r\no=- 7 12 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
        );
    }

    #[test]
    fn what_cannot_be_counted_on_stays_as_it_is() {
        for text in ["o=- 7 x IN IP4 ::1\n", "o=- 7\n", "o=- 7 18446744073709551615 IN IP4 ::1", ""]
        {
            assert_eq!(advance(text.as_bytes(), 1), text.as_bytes(), "{text:?}");
        }
    }
}
