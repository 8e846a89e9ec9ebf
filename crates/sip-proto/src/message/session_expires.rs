//! Session-Expires and Min-SE: for how long a session goes on without a refresh (RFC 4028 §4, §5).

use super::grammar::trim;
use super::{Message, Name};

/// The longest time that is believed, in seconds: a day. More would be a session without an end.
const LONGEST: u32 = 86_400;

/// What Session-Expires says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionExpires {
    /// The session ends so many seconds after its last refresh.
    pub seconds: u32,
    pub refresher: Option<Refresher>,
}

/// Which side refreshes: the one that sent the request in question, or the one that answered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresher {
    Uac,
    Uas,
}

impl Message {
    /// Session-Expires, if it is there and can be read. Nobody is left without help for the sake of one that cannot.
    #[must_use]
    pub fn session_expires(&self) -> Option<SessionExpires> {
        let mut parts = self.header(Name::SessionExpires)?.split(';');
        let seconds = delta_seconds(parts.next()?)?;
        let refresher = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            if !trim(name).eq_ignore_ascii_case("refresher") {
                return None;
            }
            match trim(value) {
                side if side.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
                side if side.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
                _ => None,
            }
        });
        Some(SessionExpires { seconds, refresher })
    }

    /// Min-SE in seconds: a shorter session is refused on the way (RFC 4028 §5).
    #[must_use]
    pub fn min_se(&self) -> Option<u32> {
        delta_seconds(self.header(Name::MinSe)?.split(';').next()?)
    }

    /// True if Supported has this option tag (RFC 3261 §20.37).
    #[must_use]
    pub fn supports(&self, tag: &str) -> bool {
        self.list(Name::Supported).any(|have| have.eq_ignore_ascii_case(tag))
    }
}

fn delta_seconds(text: &str) -> Option<u32> {
    let digits = trim(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(LONGEST).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Request;

    fn read(lines: &str) -> Option<SessionExpires> {
        let text = format!(
            "UPDATE sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 UPDATE\r\nMax-Forwards: 70\r\n{lines}Content-Length: 0\r\n\r\n"
        );
        Request::parse(text.into()).expect("a sound request").session_expires()
    }

    #[test]
    fn what_can_be_read_is_read_and_the_rest_is_as_if_it_were_not_there() {
        let of = |seconds, refresher| Some(SessionExpires { seconds, refresher });
        assert_eq!(read("Session-Expires: 1800\r\n"), of(1800, None));
        assert_eq!(read("x: 90 ; refresher = UAS;a=b\r\n"), of(90, Some(Refresher::Uas)));
        assert_eq!(read("Session-Expires: 90;x;refresher=uac\r\n"), of(90, Some(Refresher::Uac)));
        assert_eq!(read("Session-Expires: 90;refresher=me\r\n"), of(90, None));
        assert_eq!(read("Session-Expires: 99999999999999\r\n"), of(LONGEST, None));
        for wrong in ["", "x: \r\n", "x: -1\r\n", "x: soon\r\n", "x: ;refresher=uac\r\n"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
