//! What callers hear of this PSAP, and what is heard of them.
//!
//! ```text
//!   183 ──► early media: ring-back tone or announcement
//!   200 ──► the call taker: a melody, a recording, an echo, or nothing (mute)
//!           and from now on what comes from the caller is judged: is it the right voice?
//! ```

use std::time::Instant;

use media::{Agreement, ExpectedSound, Plane, Sign, StreamId, Voice};
use rand::RngExt as _;
use sip_proto::Rejection;
use sip_proto::flow::Sender;
use sip_proto::message::{Method, Name, Payload, Request};
use sip_proto::reason::Reason;
use sip_proto::sdp::{Direction, LocalMedia, SdpError};
use sip_proto::user_agent::LegId;
use topology::{Audio, Waiting};
use trace::CallKey;

use super::{Output, Psap};
use crate::melodies::Melodies;
use crate::negotiation::{NO_PORT, Negotiation, description};
use crate::refusal::refusal;

impl Psap {
    /// Finds a port for the media of a call and negotiates it. A caller who offers no media gets none.
    pub(super) fn negotiate(
        &mut self,
        now: Instant,
        invite: &Request,
        melodies: Melodies,
    ) -> Result<(Negotiation, Option<StreamId>), Box<Rejection>> {
        let refused =
            |error: SdpError| Box::new(refusal(error.status()).with_warning(error.to_string()));
        let offer = description(invite).map_err(refused)?;
        let wants_media = Negotiation::wants_media(offer.as_ref());
        let ip = self.config.address.ip();
        let stream = match wants_media {
            true => Some(self.plane.open(ip).map_err(|shortage| {
                let reason = Reason::q850(47, "Resource unavailable, unspecified");
                Box::new(refusal(503).with_reason(reason).with_warning(shortage.to_string()))
            })?),
            false => None,
        };
        let call = || CallKey::of(invite.call_id()).number();
        stream.inspect(|stream| self.plane.name_call(now, *stream, call));
        let port = stream.and_then(|stream| self.plane.local(stream));
        let session_id = u64::from(self.rng.random::<u32>());
        let telephone =
            LocalMedia::telephone(session_id, ip, port.map_or(NO_PORT, |local| local.port()));
        let direction = if wants_media { Direction::SendRecv } else { Direction::Inactive };
        let sign = match &self.config.audio {
            Audio::Tones => Some(Sign::Melody(melodies.ours)),
            Audio::Clip(name) => Some(Sign::Clip(name.clone())),
            Audio::Echo => None,
        };
        match Negotiation::start(LocalMedia { direction, ..telephone }, sign, offer.as_ref()) {
            Ok(negotiation) => Ok((negotiation, stream)),
            Err(error) => {
                stream.map(|stream| self.plane.close(now, stream));
                Err(refused(error))
            }
        }
    }

    /// The provisional response while a caller waits: 180, or 183 with sound of ours (RFC 3960).
    pub(super) fn progress(&mut self, now: Instant, leg: LegId) {
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let sound = match &self.config.waiting {
            Waiting::Ringing => None,
            Waiting::RingBack => Some(&self.sounds.ring_back),
            Waiting::Announcement(name) => self.sounds.clips.get(name),
        };
        let (status, payload) = match (sound, call.stream, call.media.agreement()) {
            (Some(sound), Some(stream), Some(agreement)) => {
                talk(&mut self.plane, now, stream, agreement, call.sender);
                // A caller need not speak before the answer.
                self.plane.expect(now, stream, false);
                self.plane.set_voice(stream, Voice::Clip(sound.clone()));
                (183, call.media.payload())
            }
            _ => (180, Payload::empty()),
        };
        self.agent.ring(now, leg, status, &payload);
    }

    /// The call taker has answered: speaks, and listens.
    pub(super) fn begin_talk(&mut self, now: Instant, leg: LegId) {
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let (Some(stream), Some(agreement)) = (call.stream, call.media.agreement()) else { return };
        let (sign, clips) = (agreement.sign.as_ref(), &self.sounds.clips);
        let expectation = ExpectedSound::of(sign, call.melodies.theirs, clips);
        let voice = match &self.config.audio {
            _ if !call.plan.speaks => Voice::Mute,
            Audio::Tones => Voice::Melody(call.melodies.ours),
            Audio::Echo => Voice::Echo,
            Audio::Clip(name) => {
                self.sounds.clips.get(name).map_or(Voice::Mute, |clip| Voice::Clip(clip.clone()))
            }
        };
        talk(&mut self.plane, now, stream, agreement, call.sender);
        self.plane.set_voice(stream, voice);
        self.plane.listen(stream, expectation);
        if call.records {
            self.plane.record(now, stream);
        }
    }

    /// What was agreed on has changed: hold, resume, another address.
    pub(super) fn change_talk(&mut self, now: Instant, leg: LegId) {
        let Some(call) = self.calls.get_mut(&leg) else { return };
        match (call.stream, call.media.agreement()) {
            (Some(stream), Some(agreement)) => {
                talk(&mut self.plane, now, stream, agreement, call.sender);
            }
            (Some(stream), None) => self.plane.hush(now, stream),
            (None, _) => {}
        }
    }

    /// The caller has acknowledged what it got for its INVITE: it gets as much media as there is.
    pub(super) fn release_media(&mut self, leg: LegId) {
        if let Some(stream) = self.calls.get(&leg).and_then(|call| call.stream) {
            self.plane.confirm(stream);
        }
    }

    /// The caller has sent a re-INVITE or an UPDATE: its media may come from elsewhere. What it names in a re-INVITE is its
    /// own only when it has acknowledged.
    pub(super) fn await_move(&mut self, now: Instant, leg: LegId, method: Method) {
        let Some(stream) = self.calls.get(&leg).and_then(|call| call.stream) else { return };
        self.plane.let_move(now, stream);
        if method == Method::Invite {
            self.plane.hold_back(stream);
        }
    }

    /// A re-INVITE adds media to a call that has none; true if it gets a stream.
    pub(super) fn add_stream(&mut self, now: Instant, leg: LegId, request: &Request) -> bool {
        let ip = self.config.address.ip();
        let Some(call) = self.calls.get_mut(&leg) else { return false };
        let is_new = call.stream.is_none();
        let wants_media = |request| {
            let offer = description(request)?;
            Ok::<_, SdpError>(Negotiation::wants_media(offer.as_ref()))
        };
        if is_new && matches!(wants_media(request), Ok(true)) {
            // Without a port the answer goes on saying that there is no media.
            call.stream = self.plane.open(ip).ok();
            let key = || CallKey::of(request.call_id()).number();
            call.stream.inspect(|stream| self.plane.name_call(now, *stream, key));
            if let Some(local) = call.stream.and_then(|stream| self.plane.local(stream)) {
                call.media.move_to(local.port());
            }
        }
        is_new && call.stream.is_some()
    }

    /// DTMF by INFO: the digits stand in the record, also of a call without audio.
    pub(super) fn note_digits(&mut self, leg: LegId, info: &Request) {
        let kind = info.header(Name::ContentType).unwrap_or_default();
        let digits = media::dtmf::digits_of_info(kind, &info.body());
        let Some(call) = self.calls.get_mut(&leg) else { return };
        if !call.stream.is_some_and(|stream| self.plane.note_digits(stream, &digits)) {
            call.attempt.note_digits(&digits);
        }
    }

    /// Ends the media of a call and notes its figures. Does nothing when it has ended.
    pub(super) fn close_media(&mut self, now: Instant, leg: LegId) {
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let Some(stream) = call.stream.take() else { return };
        if let Some(recording) = self.plane.take_recording(stream) {
            let (psap, attempt) = (self.config.name.clone(), call.attempt.id().to_owned());
            self.outputs.push_back(Output::Recording(Box::new(crate::Recorded {
                psap,
                attempt,
                recording,
            })));
        }
        if let Some(report) = self.plane.close(now, stream) {
            call.attempt.media.push(report);
        }
    }
}

/// What was agreed on with a caller who is where `sender` is.
fn talk(plane: &mut Plane, now: Instant, stream: StreamId, agreement: &Agreement, sender: Sender) {
    plane.talk(now, stream, agreement);
    let translator = agreement.peer.and_then(|peer| sender.translator(peer.ip()));
    plane.expect_from(stream, translator);
}
