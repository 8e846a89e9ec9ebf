//! The caller's side of the session description (RFC 3264).

use std::net::IpAddr;

use bytes::Bytes;
use sip_proto::sdp::{self, LocalMedia, SdpError, Session};

/// First RTP port of a caller, and how many even ports follow.
const FIRST_PORT: u16 = 16_384;
const PORTS: u64 = 16_384;

/// What one caller has told the other side about its media.
#[derive(Debug)]
pub(crate) struct Description {
    local: LocalMedia,
    /// The last description we sent, once it is no longer the first offer.
    sent: Option<Box<Session>>,
}

impl Description {
    /// A telephone with a port of its own; call number `index` decides which.
    pub(crate) fn new(address: IpAddr, index: u64) -> Self {
        let port = FIRST_PORT + 2 * (index % PORTS) as u16;
        Self { local: LocalMedia::telephone(index, address, port), sent: None }
    }

    /// The offer of the INVITE, and of every later answer to a request without an offer.
    pub(crate) fn offer(&self) -> Bytes {
        let first = || sdp::offer(&self.local).to_string();
        self.sent.as_deref().map_or_else(first, Session::to_string).into()
    }

    /// The answer to an offer inside the call, for example hold (RFC 3264 §8).
    pub(crate) fn answer(&mut self, offer: &[u8]) -> Result<Bytes, SdpError> {
        let answer = sdp::answer(&Session::parse(offer)?, &self.local)?;
        let answer = match self.sent.take() {
            Some(sent) => answer.continuing(&sent),
            None => answer.continuing(&sdp::offer(&self.local)),
        };
        let text = answer.to_string().into();
        self.sent = Some(Box::new(answer));
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use sip_proto::sdp::Direction;

    use super::*;

    #[test]
    fn ports_are_even_and_of_one_call_each() {
        let port = |index| Description::new(Ipv4Addr::LOCALHOST.into(), index).local.port;
        assert_eq!((port(0), port(1), port(16_383)), (16_384, 16_386, 49_150));
        assert_eq!(port(16_384), port(0));
    }

    // RFC 3264 §8.4: hold with sendonly is answered recvonly; §8: the version of o= grows by one.
    #[test]
    fn hold_is_answered_and_resume_too() {
        let mut caller = Description::new(Ipv4Addr::LOCALHOST.into(), 7);
        let first = Session::parse(&caller.offer()).expect("our own offer");
        let psap = LocalMedia::telephone(1, Ipv4Addr::LOCALHOST.into(), 4_000);
        let theirs = sdp::offer(&psap);
        for (offered, answered, version) in [
            (Direction::SendOnly, Direction::RecvOnly, 1),
            (Direction::SendRecv, Direction::SendRecv, 2),
        ] {
            let hold = sdp::next_offer(&theirs, offered).to_string();
            let answer = caller.answer(hold.as_bytes()).expect("a telephone answers a telephone");
            let answer = Session::parse(&answer).expect("our own answer");
            let audio = answer.audio().expect("an audio stream");
            assert_eq!(answer.direction_of(audio), answered);
            assert_eq!(answer.origin.version, first.origin.version + version);
        }
    }

    #[test]
    fn an_unreadable_offer_is_a_400() {
        let mut caller = Description::new(Ipv4Addr::LOCALHOST.into(), 7);
        assert_eq!(caller.answer(b"nonsense").expect_err("not SDP").status(), 400);
    }
}
