//! The caller's side of the session description (RFC 3264).

use std::net::IpAddr;

use bytes::Bytes;
use media::{Agreement, Sign, announce};
use sip_proto::message::{Message, Name};
use sip_proto::sdp::{self, Direction, LocalMedia, SdpError, Session};

/// The discard port: what an inactive stream gets, where nobody listens.
const NO_PORT: u16 = 9;

/// The first offers of callers without media, who all say the same but for the session that `o=` names: drawn once.
#[derive(Debug)]
pub(crate) struct SilentOffer {
    /// What stands before and behind the number of the session.
    parts: [String; 2],
}

impl SilentOffer {
    pub(crate) fn new(ip: IpAddr) -> Self {
        // Longer than any other number of the offer, so that it stands there once.
        const SESSION: u64 = u64::MAX;
        let text = Description::new(ip, SESSION, None, None).first_offer().to_string();
        let (before, behind) = text.split_once(&SESSION.to_string()).unwrap_or((&text, ""));
        Self { parts: [before.to_owned(), behind.to_owned()] }
    }

    /// What [`Description::offer`] says at first of a caller without media.
    pub(crate) fn of(&self, session: u64) -> Bytes {
        let [before, behind] = &self.parts;
        format!("{before}{session}{behind}").into()
    }
}

/// What one caller has told the other side about its media.
#[derive(Debug)]
pub(crate) struct Description {
    local: LocalMedia,
    /// What our descriptions say that we play.
    sign: Option<Sign>,
    /// The last description we sent, once it is no longer the first offer.
    sent: Option<Box<Session>>,
}

impl Description {
    /// A telephone that listens at `port`, or, without one, offers a stream that stays inactive. `session` names it
    /// in `o=`.
    pub(crate) fn new(ip: IpAddr, session: u64, port: Option<u16>, sign: Option<Sign>) -> Self {
        let telephone = LocalMedia::telephone(session, ip, port.unwrap_or(NO_PORT));
        let direction = if port.is_some() { Direction::SendRecv } else { Direction::Inactive };
        Self { local: LocalMedia { direction, ..telephone }, sign, sent: None }
    }

    fn first_offer(&self) -> Session {
        let mut offer = sdp::offer(&self.local);
        self.sign.iter().for_each(|sign| announce(&mut offer, sign));
        offer
    }

    /// The offer of the INVITE, and of every later answer to a request without an offer.
    pub(crate) fn offer(&self) -> Bytes {
        let first = || self.first_offer().to_string();
        self.sent.as_deref().map_or_else(first, Session::to_string).into()
    }

    /// The answer to an offer inside the call, for example hold (RFC 3264 §8).
    pub(crate) fn answer(&mut self, offer: &[u8]) -> Result<Bytes, SdpError> {
        let mut answer = sdp::answer(&Session::parse(offer)?, &self.local)?;
        self.sign.iter().for_each(|sign| announce(&mut answer, sign));
        let answer = match self.sent.take() {
            Some(sent) => answer.continuing(&sent),
            None => answer.continuing(&self.first_offer()),
        };
        let text = answer.to_string().into();
        self.sent = Some(Box::new(answer));
        Ok(text)
    }

    /// Whether an answer fits our offer (RFC 3264 §6).
    pub(crate) fn check(&self, answer: &[u8]) -> Result<(), SdpError> {
        let kinds = self.sent.as_deref().map_or_else(|| self.first_offer().kinds(), Session::kinds);
        sdp::check_answer(&kinds, &Session::parse(answer)?)
    }

    /// What this and `theirs`, an offer or an answer of the other side, agree on.
    pub(crate) fn agree(&self, theirs: &[u8]) -> Option<Agreement> {
        let theirs = Session::parse(theirs).ok()?;
        match &self.sent {
            Some(sent) => Agreement::between(sent, &theirs),
            None => Agreement::between(&self.first_offer(), &theirs),
        }
    }
}

/// The session description that a message carries, alone or beside other parts.
pub(crate) fn description_of(message: &Message) -> Result<Option<Bytes>, SdpError> {
    let content_type = message.header(Name::ContentType).unwrap_or_default();
    sdp::find(content_type, &message.body())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn caller(port: Option<u16>) -> Description {
        Description::new(Ipv4Addr::LOCALHOST.into(), 7, port, Some(Sign::Clip("alert".to_owned())))
    }

    // RFC 3264 §8.4: hold with sendonly is answered recvonly; §8: the version of o= grows by one.
    #[test]
    fn hold_is_answered_and_resume_too() {
        let mut caller = caller(Some(4_002));
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
            let agreement = caller.agree(hold.as_bytes()).expect("audio");
            assert_eq!(
                (agreement.sends, agreement.receives),
                (answered.sends(), answered.receives())
            );
        }
    }

    #[test]
    fn a_caller_without_media_stays_inactive_whatever_is_offered() {
        let mut caller = caller(None);
        let offer = Session::parse(&caller.offer()).expect("our own offer");
        let audio = offer.audio().expect("an audio stream");
        assert_eq!((audio.port, offer.direction_of(audio)), (9, Direction::Inactive));
        let psap = sdp::offer(&LocalMedia::telephone(1, Ipv4Addr::LOCALHOST.into(), 4_000));
        let answer = caller.answer(psap.to_string().as_bytes()).expect("a telephone");
        assert!(String::from_utf8_lossy(&answer).contains("a=inactive"));
    }

    #[test]
    fn all_callers_without_media_offer_what_one_of_them_would() {
        for ip in ["127.0.0.1", "::1"].map(|ip| ip.parse().expect("an address")) {
            let silent = SilentOffer::new(ip);
            for session in [0, 1, 10_000_019, u64::MAX] {
                assert_eq!(silent.of(session), Description::new(ip, session, None, None).offer());
            }
        }
    }

    #[test]
    fn an_unreadable_offer_is_a_400() {
        let mut caller = caller(Some(4_002));
        assert_eq!(caller.answer(b"nonsense").expect_err("not SDP").status(), 400);
        assert_eq!(caller.agree(b"nonsense"), None);
    }
}
