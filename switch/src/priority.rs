//! Which call is let in when not all can be: RFC 7339 §5.10.1, with the namespace `esnet` of RFC 7135.

use sip_proto::message::{Name, Request};
use topology::is_emergency;

/// The importance of a new call; the greater one is held back later.
///
/// The number decides whether it is an emergency call. `Resource-Priority`, which the caller sets, counts only among
/// emergency calls, so that nobody can make an ordinary call urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Priority(u8);

impl Priority {
    pub(crate) const ORDINARY: Self = Self(0);
    /// How many there are: ordinary, and the five of `esnet`.
    pub(crate) const COUNT: usize = 6;
    /// An emergency call without `Resource-Priority` counts as `esnet.1`.
    const USUAL: u8 = 1;

    pub(crate) fn of(invite: &Request) -> Self {
        let number = invite.uri().dialled().unwrap_or_default();
        if !is_emergency(&number) {
            return Self::ORDINARY;
        }
        let values = invite.list(Name::ResourcePriority).filter_map(esnet);
        Self(values.max().unwrap_or(Self::USUAL) + 1)
    }

    pub(crate) fn is_emergency(self) -> bool {
        self > Self::ORDINARY
    }

    /// 0 for ordinary calls, less than [`COUNT`](Self::COUNT).
    pub(crate) const fn level(self) -> usize {
        self.0 as usize
    }
}

/// `esnet.0` is the lowest of five, `esnet.4` the highest (RFC 7135 §4.2). Values of other namespaces are unknown here and
/// change nothing (RFC 4412 §4.6.2).
fn esnet(value: &str) -> Option<u8> {
    let (namespace, priority) = value.split_once('.')?;
    let digit = match priority.as_bytes() {
        [digit @ b'0'..=b'4'] => digit - b'0',
        _ => return None,
    };
    namespace.eq_ignore_ascii_case("esnet").then_some(digit)
}

/// The priority of an emergency call without `Resource-Priority`.
#[cfg(test)]
pub(crate) const fn emergency_for_tests() -> Priority {
    Priority(Priority::USUAL + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn priority(uri: &str, lines: &str) -> Priority {
        let text = format!(
            "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:a@h>;tag=a\r\n\
             To: <{uri}>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n{lines}Content-Length: 0\r\n\r\n"
        );
        Priority::of(&Request::parse(text.into()).unwrap())
    }

    #[test]
    fn the_number_decides_and_esnet_orders_emergency_calls() {
        let line = |value: &str| format!("Resource-Priority: {value}\r\n");
        let plain = priority("sip:15@h", "");
        assert!(plain.is_emergency() && priority("urn:service:sos.fire", "").is_emergency());
        assert_eq!(plain, priority("sip:15@h", &line("esnet.1")));
        assert!(priority("sip:15@h", &line("esnet.0")) < plain);
        assert!(priority("sip:15@h", &line("wps.0, ESNET.4")) > plain);
        assert_eq!(priority("sip:15@h", &line("esnet.5, q735.0, esnet, esnet.44")), plain);
        assert_eq!(priority("sip:0199001234@h", &line("esnet.4")), Priority::ORDINARY);
        assert!(priority("sip:15@h", &line("esnet.4")).level() < Priority::COUNT);
    }
}
