//! Our side of a call's media: which description goes out, and which side must answer (RFC 3264, RFC
//! 6337).

use bytes::Bytes;
use media::{Agreement, Sign, announce};
use sip_proto::Rejection;
use sip_proto::message::{Message, Method, Name, Payload, Request};
use sip_proto::sdp::{self, Direction, LocalMedia, SdpError, Session};

/// The discard port, for a stream that is inactive: RFC 3264 §8.4 allows any port for it.
pub(crate) const NO_PORT: u16 = 9;

/// The offer/answer state of one call.
#[derive(Debug)]
pub(crate) struct Negotiation {
    local: LocalMedia,
    /// What our descriptions say that we play.
    sign: Option<Sign>,
    /// What both sides agreed on last.
    agreement: Option<Agreement>,
    /// What we said last, as it was written: thousands of calls keep it, and few change it.
    ours: Bytes,
    /// `ours` is an offer, and its answer has not come.
    awaits_answer: bool,
}

impl Negotiation {
    /// Prepares what the 200 will carry: the answer to the offer of the INVITE, which is `theirs`, or our offer when
    /// it had none (RFC 3261 §13.2.1).
    pub(crate) fn start(
        local: LocalMedia,
        sign: Option<Sign>,
        theirs: Option<&Session>,
    ) -> Result<Self, SdpError> {
        let mut ours = match theirs {
            Some(theirs) => sdp::answer(theirs, &local)?,
            None => sdp::offer(&local),
        };
        sign.iter().for_each(|sign| announce(&mut ours, sign));
        let agreement = theirs.and_then(|theirs| Agreement::between(&ours, theirs));
        let ours = ours.to_string().into();
        Ok(Self { local, sign, agreement, ours, awaits_answer: theirs.is_none() })
    }

    /// Whether a call gets audio: not if its offer has only an inactive stream. Without an offer it does: we make the offer.
    pub(crate) fn wants_media(theirs: Option<&Session>) -> bool {
        let is_inactive = |theirs: &Session| {
            theirs.audio().is_none_or(|audio| theirs.direction_of(audio) == Direction::Inactive)
        };
        !theirs.is_some_and(is_inactive)
    }

    /// What both sides have agreed on, once they have.
    pub(crate) fn agreement(&self) -> Option<&Agreement> {
        self.agreement.as_ref()
    }

    /// Our media has a port from now on.
    pub(crate) fn move_to(&mut self, port: u16) {
        self.local.port = port;
        self.local.direction = Direction::SendRecv;
    }

    /// What we said last.
    ///
    /// # Panics
    /// Never: what we write can be read.
    pub(crate) fn ours(&self) -> Session {
        Session::parse(&self.ours).expect("a description of our own")
    }

    /// The body of the 200 to the INVITE.
    pub(crate) fn payload(&self) -> Payload {
        Payload::sdp(self.ours.clone())
    }

    /// Takes the ACK of a 200.
    ///
    /// # Errors
    /// When it must carry an answer and has none that can be read, or one that does not answer our offer.
    pub(crate) fn confirm(&mut self, ack: &Message) -> Result<(), SdpError> {
        if !std::mem::take(&mut self.awaits_answer) {
            return Ok(());
        }
        let theirs = description(ack)?.ok_or(SdpError::NoAnswer)?;
        let ours = self.ours();
        sdp::check_answer(&ours.kinds(), &theirs)?;
        self.agreement = Agreement::between(&ours, &theirs);
        Ok(())
    }

    /// Answers a re-INVITE or an UPDATE: the body of the 200, or what refuses it. A
    /// refusal leaves the session as it was (RFC 3261 §14.2).
    pub(crate) fn modify(&mut self, request: &Request) -> Result<Payload, Rejection> {
        let refused =
            |error: SdpError| Rejection::new(error.status()).with_warning(error.to_string());
        let theirs = description(request).map_err(refused)?;
        let ours = match theirs {
            // RFC 3264 §4: one offer at a time.
            Some(_) if self.awaits_answer => return Err(Rejection::new(491)),
            Some(theirs) => {
                let mut answer = sdp::answer(&theirs, &self.local).map_err(refused)?;
                self.sign.iter().for_each(|sign| announce(&mut answer, sign));
                let answer = answer.continuing(&self.ours());
                self.agreement = Agreement::between(&answer, &theirs);
                answer
            }
            // RFC 3261 §14.2: a re-INVITE without an offer asks for ours.
            None if request.method() == Method::Invite => {
                self.awaits_answer = true;
                sdp::next_offer(&self.ours(), self.local.direction)
            }
            None => return Ok(Payload::empty()),
        };
        self.ours = ours.to_string().into();
        Ok(self.payload())
    }
}

/// The session description that a message carries, alone or beside other parts.
pub(crate) fn description(message: &Message) -> Result<Option<Session>, SdpError> {
    let content_type = message.header(Name::ContentType).unwrap_or_default();
    let found = sdp::find(content_type, &message.body())?;
    found.map(|body| Session::parse(&body)).transpose()
}
