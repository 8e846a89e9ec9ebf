//! The media of one call: opened with it, changed by what the other side describes, closed with it.

use std::time::Instant;

use bytes::Bytes;
use sip_proto::Rejection;
use sip_proto::message::{Message, Method, Name, Payload, Request};
use sip_proto::sdp::SdpError;
use sip_proto::transaction::ServerId;
use sip_proto::user_agent::LegId;

use super::caller_media::CallerStream;
use super::notes::heard;
use super::{Call, Generator};
use crate::caller::Caller;
use crate::media::description_of;

impl Call {
    /// The answer to our offer that a message carries, if it fits.
    fn check(&self, message: &Message, may_be_without: bool) -> Result<Option<Bytes>, SdpError> {
        match description_of(message)? {
            Some(answer) => self.media.check(&answer).map(|()| Some(answer)),
            None if may_be_without => Ok(None),
            None => Err(SdpError::NoAnswer),
        }
    }
}

impl Generator {
    /// A port for the media of a new call. A caller who should speak and finds none places the call without media,
    /// and the generator accuses itself of it.
    pub(super) fn open_line(&mut self, caller: &Caller) -> (Option<CallerStream>, Option<u16>) {
        let ip = self.config.address.ip();
        let Some(media) = self.media.as_mut().filter(|_| caller.speaks) else {
            return (None, None);
        };
        let Some((line, port)) = media.open(ip, caller.attempt) else {
            self.counts.without_port += 1;
            return (None, None);
        };
        (Some(line), port)
    }

    /// A response with a description: early media (RFC 3960), or the answer.
    pub(super) fn hear(&mut self, now: Instant, leg: LegId, response: &Message, answered: bool) {
        let (Some(call), Some(media)) = (self.calls.get_mut(&leg), &mut self.media) else { return };
        let Some(line) = &mut call.line else { return };
        if let Ok(Some(theirs)) = description_of(response) {
            call.agreement = call.media.agree(&theirs).map(Box::new);
        }
        if let Some(agreement) = &call.agreement {
            media.talk(now, line, agreement, response, answered);
        }
    }

    /// An answer that does not fit the offer ends the call (RFC 3264 §6, RFC 3261 §13.2.2.4), if its caller would speak.
    pub(super) fn check_answer(&mut self, now: Instant, leg: LegId, response: &Message) {
        let Some(call) = self.calls.get_mut(&leg).filter(|call| call.line.is_some()) else {
            return;
        };
        // What came with a provisional response stands (RFC 6337 §2.2).
        let may_be_without = call.agreement.is_some();
        if let Err(error) = call.check(response, may_be_without) {
            call.attempt.fail(format!("media failure: {error}"));
            self.hang_up(now, leg);
        }
    }

    /// The ACK of our 200 to a re-INVITE: if that made an offer, it must carry the answer (RFC 3261 §13.2.1).
    pub(super) fn handle_ack(&mut self, now: Instant, leg: LegId, ack: &Request) {
        let Some(call) = self.calls.get_mut(&leg) else { return };
        if !std::mem::take(&mut call.awaits_answer) || call.line.is_none() {
            return;
        }
        match call.check(ack, false) {
            Ok(Some(answer)) => self.change_line(now, leg, &answer),
            Ok(None) => {}
            Err(error) => {
                call.attempt.fail(format!("media failure: {error}"));
                self.hang_up(now, leg);
            }
        }
    }

    /// A re-INVITE or UPDATE: hold, resume, or a refresh.
    pub(super) fn handle_modify(
        &mut self,
        now: Instant,
        leg: LegId,
        id: ServerId,
        request: &Request,
    ) {
        let Some(call) = self.calls.get_mut(&leg) else {
            return self.agent.respond(now, id, 481, &Payload::empty());
        };
        let Call { media, awaits_answer, .. } = &mut **call;
        let offer = match description_of(request) {
            Ok(offer) => offer,
            Err(error) => return self.agent.decline(now, id, &refusal_of(&error)),
        };
        let Some(offer) = offer else {
            // RFC 3261 §14.2: an INVITE without an offer asks for ours. An UPDATE does not.
            let asks = request.method() == Method::Invite;
            let payload = if asks { Payload::sdp(media.offer()) } else { Payload::empty() };
            *awaits_answer = asks;
            return self.agent.respond(now, id, 200, &payload);
        };
        match media.answer(&offer) {
            Ok(answer) => {
                self.agent.respond(now, id, 200, &Payload::sdp(answer));
                self.change_line(now, leg, &offer);
            }
            Err(error) => self.agent.decline(now, id, &refusal_of(&error)),
        }
    }

    /// DTMF that the other side tells by INFO.
    pub(super) fn note_digits(&mut self, leg: LegId, request: &Request) {
        if request.method() != Method::Info {
            return;
        }
        let kind = request.header(Name::ContentType).unwrap_or_default();
        let digits = media::dtmf::digits_of_info(kind, &request.body());
        let line = self.calls.get(&leg).and_then(|call| call.line);
        if let (Some(line), Some(media)) = (line, &mut self.media) {
            media.note_digits(line, &digits);
        }
    }

    /// A later description of the other side: hold, resume, another address.
    pub(super) fn change_line(&mut self, now: Instant, leg: LegId, offer: &[u8]) {
        let (Some(call), Some(media)) = (self.calls.get_mut(&leg), &mut self.media) else { return };
        let Some(line) = call.line else { return };
        let agreement = call.media.agree(offer);
        media.change(now, line, agreement.as_ref());
        if let Some(agreement) = agreement {
            call.agreement = Some(Box::new(agreement));
        }
    }

    /// The caller has hung up, or the call is over. Harmless when that was so before.
    pub(super) fn close_line(&mut self, now: Instant, leg: LegId) {
        let (Some(call), Some(media)) = (self.calls.get_mut(&leg), &mut self.media) else { return };
        let Some(line) = call.line.take() else { return };
        if let Some(report) = media.close(now, line, call.attempt.is_answered()) {
            self.notes.note_of(call.key, || heard(&report));
            call.attempt.note_media(report);
        }
    }
}

/// How a change that cannot be made is refused.
fn refusal_of(error: &SdpError) -> Rejection {
    Rejection::new(error.status()).with_warning(error.to_string())
}
