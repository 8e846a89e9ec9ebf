//! Our side of a call's media: which description goes out, and who owes an answer (RFC 3264, RFC
//! 6337).

use sip_proto::message::{Message, Method, Name, Payload, Request};
use sip_proto::sdp::{self, LocalMedia, SdpError, Session};

/// The offer/answer state of one call.
#[derive(Debug)]
pub(crate) struct Negotiation {
    local: LocalMedia,
    /// What we said last.
    ours: Session,
    /// `ours` is an offer, and its answer has not come.
    awaits_answer: bool,
}

impl Negotiation {
    /// Prepares what the 200 will carry: the answer to the offer of the INVITE, or our offer when
    /// it had none (RFC 3261 §13.2.1).
    pub(crate) fn start(local: LocalMedia, invite: &Message) -> Result<Self, SdpError> {
        let (ours, awaits_answer) = match description(invite)? {
            Some(theirs) => (sdp::answer(&theirs, &local)?, false),
            None => (sdp::offer(&local), true),
        };
        Ok(Self { local, ours, awaits_answer })
    }

    /// The body of the 200 to the INVITE.
    pub(crate) fn payload(&self) -> Payload {
        Payload::sdp(self.ours.to_string())
    }

    /// Takes the ACK of a 200. `false` when it owed us an answer and has none that can be read.
    pub(crate) fn confirm(&mut self, ack: &Message) -> bool {
        let complete = !self.awaits_answer || matches!(description(ack), Ok(Some(_)));
        self.awaits_answer = false;
        complete
    }

    /// Answers a re-INVITE or an UPDATE: the body of the 200, or the status that refuses it. A
    /// refusal leaves the session as it was (RFC 3261 §14.2).
    pub(crate) fn modify(&mut self, request: &Request) -> Result<Payload, u16> {
        let theirs = description(request).map_err(|error| error.status())?;
        self.ours = match theirs {
            // RFC 3264 §4: one offer at a time.
            Some(_) if self.awaits_answer => return Err(491),
            Some(theirs) => {
                let answer = sdp::answer(&theirs, &self.local).map_err(|error| error.status())?;
                answer.continuing(&self.ours)
            }
            // RFC 3261 §14.2: a re-INVITE without an offer asks for ours.
            None if request.method() == Method::Invite => {
                self.awaits_answer = true;
                sdp::next_offer(&self.ours, self.local.direction)
            }
            None => return Ok(Payload::empty()),
        };
        Ok(self.payload())
    }
}

/// The session description that a message carries, alone or beside other parts.
fn description(message: &Message) -> Result<Option<Session>, SdpError> {
    let content_type = message.header(Name::ContentType).unwrap_or_default();
    let found = sdp::find(content_type, &message.body());
    found.map(|body| Session::parse(&body)).transpose()
}
