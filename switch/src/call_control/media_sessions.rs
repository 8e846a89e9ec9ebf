//! The media of all calls: what one side describes reaches the other, with our addresses in it where media is relayed.

use std::net::IpAddr;
use std::time::Instant;

use bytes::Bytes;
use media::{Plane, PlaneCounts, StreamEvent, StreamReport};
use sip_proto::message::{Message, Method, Name, Payload};
use sip_proto::sdp::{self, SdpError, Session};

use super::call::{Call, Offer};
use super::media_relay::{MediaRelay, Obstacle};
use super::side::Side;

/// The streams of a call server, and whether descriptions are kept for its partner.
#[derive(Debug)]
pub(super) struct MediaSessions {
    plane: Plane,
    keeps_descriptions: bool,
    /// The description that was read last: whoever checks one asks for it first, and whoever passes it on comes next.
    read: Option<(Bytes, Session)>,
}

impl MediaSessions {
    pub(super) const fn new(plane: Plane, keeps_descriptions: bool) -> Self {
        Self { plane, keeps_descriptions, read: None }
    }

    /// The payload of `message` for the other side, with our addresses in its description. `tentative`: it is an offer inside
    /// the call, which comes into force only when it is accepted.
    pub(super) fn translate(
        &mut self,
        now: Instant,
        call: &mut Call,
        from: Side,
        message: &Message,
        tentative: bool,
    ) -> Result<Payload, Obstacle> {
        let payload = Payload::relay(message);
        let content_type = message.header(Name::ContentType).unwrap_or_default();
        let relays = call.relay.is_some();
        if let Some(coding) = message.content_encoding().filter(|_| relays && message.has_body()) {
            return Err(Obstacle::Encoded(coding.to_owned()));
        }
        let found = match sdp::find(content_type, payload.body()) {
            Ok(found) => found,
            Err(error) if relays => return Err(Obstacle::Description(error)),
            Err(_) => None,
        };
        let Some(description) = found else { return Ok(payload) };
        let Some(relay) = &mut call.relay else {
            if self.keeps_descriptions {
                call.descriptions.note(from, tentative, &description);
            }
            return Ok(payload);
        };
        let session = self.take_session(&description).map_err(Obstacle::Description)?;
        let places = relay.places(&mut self.plane, now, from, &session, tentative)?;
        relay.name_streams(&mut self.plane, now, &call.record.call_id);
        let readdressed = relay.readdressed(&description, &session, &places);
        let body = sdp::replace(content_type, payload.body(), &readdressed);
        if tentative {
            relay.offer(from, session, message.cseq().1 == Method::Invite);
        } else {
            relay.accept(&mut self.plane, now, from, &session);
        }
        if self.keeps_descriptions {
            call.descriptions.note(from, tentative, &description);
        }
        Ok(payload.with_body(body))
    }

    /// The same for a response or an ACK, which cannot be refused. A description that cannot be read is passed on as it is.
    pub(super) fn translate_response(
        &mut self,
        now: Instant,
        call: &mut Call,
        from: Side,
        message: &Message,
    ) -> Payload {
        self.translate(now, call, from, message, false).unwrap_or_else(|obstacle| {
            tracing::warn!(?obstacle, "a session description crosses unchanged");
            Payload::relay(message)
        })
    }

    /// The offer that `from` makes in this message, if it makes one that can be read.
    pub(super) fn offer_in(&mut self, from: Side, message: &Message) -> Option<Offer> {
        let session = self.session_of(message).ok()??;
        Some(Offer { from, kinds: session.kinds() })
    }

    /// Whether this message of `from` answers the offer that the call waits for an answer to (RFC 3264 §6, RFC 3261
    /// §13.2.1). One that is not awaited is as good as any.
    pub(super) fn check_answer(
        &mut self,
        call: &Call,
        from: Side,
        message: &Message,
    ) -> Result<(), SdpError> {
        let Some(offer) = call.offer.as_ref().filter(|offer| offer.from != from) else {
            return Ok(());
        };
        match self.session_of(message)? {
            Some(answer) => sdp::check_answer(&offer.kinds, answer),
            // An answer that has come before stands (RFC 6337 §2.2).
            None if call.has_early_answer => Ok(()),
            None => Err(SdpError::NoAnswer),
        }
    }

    /// The other side has accepted what `from` offered inside the call, or has not.
    pub(super) fn settle_offer(
        &mut self,
        now: Instant,
        call: &mut Call,
        from: Side,
        accepted: bool,
    ) {
        call.descriptions.settle(from, accepted);
        if let Some(relay) = &mut call.relay {
            relay.settle_offer(&mut self.plane, now, from, accepted);
        }
    }

    /// `side` has acknowledged what it got for its INVITE.
    pub(super) fn acknowledged(&mut self, call: &mut Call, side: Side) {
        if let Some(relay) = &mut call.relay {
            relay.acknowledged(&mut self.plane, side);
        }
    }

    /// `side` has sent a re-INVITE or an UPDATE: its media may come from elsewhere from now on.
    pub(super) fn let_move(&mut self, now: Instant, call: &Call, side: Side) {
        if let Some(relay) = &call.relay {
            relay.let_move(&mut self.plane, now, side);
        }
    }

    /// The next answering point gets the call.
    pub(super) fn begin_attempt(&mut self, now: Instant, call: &mut Call, psap: IpAddr) {
        call.descriptions.forget(Side::B);
        if let Some(relay) = &mut call.relay {
            relay.begin_attempt(&mut self.plane, now, psap);
        }
    }

    /// From the answer on, both sides should send what they have agreed on.
    pub(super) fn answered(&mut self, now: Instant, call: &mut Call) {
        if let Some(relay) = &mut call.relay {
            relay.answered(&mut self.plane, now);
        }
    }

    /// What each side of a call that is taken over is offered: the description that the other side has agreed to, with
    /// our addresses if media passes through here. From now on it does.
    pub(super) fn take_over(
        &mut self,
        now: Instant,
        call: &mut Call,
    ) -> Result<[Option<Vec<u8>>; 2], Obstacle> {
        let mut offers = [None, None];
        for side in [Side::A, Side::B] {
            let Some(said) = call.descriptions.of(side).cloned() else { continue };
            let offer = self.describe_again(now, &mut call.relay, side, &said)?;
            if let Some(relay) = &call.relay {
                relay.name_streams(&mut self.plane, now, &call.record.call_id);
            }
            offers[side.other().index()] = Some(offer);
        }
        Ok(offers)
    }

    fn describe_again(
        &mut self,
        now: Instant,
        relay: &mut Option<MediaRelay>,
        side: Side,
        said: &Bytes,
    ) -> Result<Vec<u8>, Obstacle> {
        // One that could not be read was passed on as it was, and is so again.
        let (Some(relay), Ok(session)) = (relay, Session::parse(said)) else {
            return Ok(said.to_vec());
        };
        let places = relay.places(&mut self.plane, now, side, &session, false)?;
        relay.accept(&mut self.plane, now, side, &session);
        Ok(relay.readdressed(said, &session, &places))
    }

    /// Frees the ports of a call, and returns the figures of what passed through them.
    pub(super) fn close(&mut self, now: Instant, call: &mut Call) -> Option<Vec<StreamReport>> {
        call.relay.take().map(|relay| relay.close(&mut self.plane, now))
    }

    /// Writes to the log which streams have stopped, and which are back.
    pub(super) fn log_events(&mut self, call_server: &str) {
        while let Some(event) = self.plane.poll_event() {
            // The caller may have died, or a site in between; the call record will say since when.
            let (stream, what) = match event {
                StreamEvent::Idle(stream) => (stream, "stopped without a BYE"),
                StreamEvent::Resumed(stream) => (stream, "is back"),
            };
            let port = self.plane.local(stream).map(|local| local.port());
            tracing::debug!(call_server, ?port, "media {what}");
        }
    }

    pub(super) const fn plane(&mut self) -> &mut Plane {
        &mut self.plane
    }

    pub(super) fn counts(&self) -> PlaneCounts {
        self.plane.counts()
    }

    /// The plane, which is kept when the software ends.
    pub(super) fn into_plane(self) -> Plane {
        self.plane
    }

    /// The session that a message describes, alone or beside other parts. Whoever asks for it next does not read it again.
    fn session_of(&mut self, message: &Message) -> Result<Option<&Session>, SdpError> {
        if message.has_body() && message.content_encoding().is_some() {
            return Err(SdpError::Encoded);
        }
        let content_type = message.header(Name::ContentType).unwrap_or_default();
        let Some(description) = sdp::find(content_type, &message.body())? else { return Ok(None) };
        let session = self.take_session(&description)?;
        Ok(Some(&self.read.insert((description, session)).1))
    }

    /// The session of a description, read unless it was the last one that was.
    fn take_session(&mut self, description: &Bytes) -> Result<Session, SdpError> {
        match self.read.take() {
            Some((read, session)) if read == *description => Ok(session),
            _ => Session::parse(description),
        }
    }
}
