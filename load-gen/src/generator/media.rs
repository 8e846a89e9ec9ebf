//! What callers say, and what they hear.

use std::sync::Arc;
use std::time::Instant;

use media::{
    Agreement, Clips, Expectation, Melody, Plane, Settings, Sign, Singer, StreamId, Verdict, Voice,
};
use sip_proto::message::{Message, Name};
use sip_proto::sdp;
use sip_proto::user_agent::LegId;

use super::Generator;
use crate::mix::Caller;
use campaign::{CallerAudio, Callers};

/// The media of all callers.
#[derive(Debug)]
pub(super) struct CallerMedia {
    pub(super) plane: Plane,
    audio: CallerAudio,
    clips: Clips,
    digits: String,
}

/// One caller on the line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    stream: StreamId,
    attempt: u128,
    /// The answer has come, and the caller listens.
    listens: bool,
}

impl CallerMedia {
    pub(super) fn new(plane: Plane, callers: &Callers, clips: Clips) -> Self {
        let (audio, digits) = (callers.audio.clone(), callers.digits.clone());
        Self { plane, audio, clips, digits }
    }

    /// What the description of a caller says that it plays.
    pub(super) fn sign(&self, attempt: u128) -> Sign {
        match &self.audio {
            CallerAudio::Tones => Sign::Melody(Melody::of(attempt, Singer::Caller)),
            CallerAudio::Clip(name) => Sign::Clip(name.clone()),
        }
    }

    fn voice(&self, attempt: u128) -> Voice {
        match &self.audio {
            CallerAudio::Tones => Voice::Melody(Melody::of(attempt, Singer::Caller)),
            // The campaign was checked against its network.
            CallerAudio::Clip(name) => {
                self.clips.get(name).map_or(Voice::Mute, |clip| Voice::Clip(Arc::clone(clip)))
            }
        }
    }
}

impl Generator {
    /// A port for the media of a new call. A caller who should speak and finds none places the call without media,
    /// and the generator accuses itself of it.
    pub(super) fn open_line(&mut self, caller: &Caller) -> (Option<Line>, Option<u16>) {
        let ip = self.config.address.ip();
        let Some(media) = self.media.as_mut().filter(|_| caller.speaks) else {
            return (None, None);
        };
        let Ok(stream) = media.plane.open(ip) else {
            self.counts.without_port += 1;
            return (None, None);
        };
        let line = Line { stream, attempt: caller.attempt, listens: false };
        (Some(line), media.plane.local(stream).map(|local| local.port()))
    }

    /// A response with a description: early media (RFC 3960), or the answer.
    pub(super) fn hear(&mut self, now: Instant, leg: LegId, response: &Message, answered: bool) {
        let (Some(call), Some(media)) = (self.calls.get_mut(&leg), &mut self.media) else { return };
        let Some(line) = &mut call.line else { return };
        let content_type = response.header(Name::ContentType).unwrap_or_default();
        if let Some(theirs) = sdp::find(content_type, &response.body()) {
            call.agreement = call.media.agree(&theirs).map(Box::new);
        }
        let Some(agreement) = &call.agreement else { return };
        media.plane.talk(now, line.stream, agreement);
        if !answered && !line.listens {
            // A PSAP need not send anything before the answer.
            media.plane.expect(now, line.stream, false);
        }
        let voice = media.voice(line.attempt);
        media.plane.set_voice(line.stream, voice);
        if answered && !line.listens {
            line.listens = true;
            let expectation = expectation(line.attempt, agreement, response, &media.clips);
            media.plane.listen(line.stream, expectation);
            if !media.digits.is_empty() {
                media.plane.dial(line.stream, &media.digits);
            }
        }
    }

    /// A later description of the other side: hold, resume, another address.
    pub(super) fn change_line(&mut self, now: Instant, leg: LegId, offer: &[u8]) {
        let (Some(call), Some(media)) = (self.calls.get_mut(&leg), &mut self.media) else { return };
        let Some(line) = call.line else { return };
        match call.media.agree(offer) {
            Some(agreement) => {
                media.plane.talk(now, line.stream, &agreement);
                call.agreement = Some(Box::new(agreement));
            }
            None => media.plane.hush(now, line.stream),
        }
    }

    /// The caller has hung up, or the call is over. Harmless when that was so before.
    pub(super) fn close_line(&mut self, now: Instant, leg: LegId) {
        let (Some(call), Some(media)) = (self.calls.get_mut(&leg), &mut self.media) else { return };
        let Some(line) = call.line.take() else { return };
        let Some(mut report) = media.plane.close(now, line.stream) else { return };
        // No agreement on media is one way of hearing nothing.
        if call.attempt.is_answered() && !line.listens {
            report.verdict = Some(Verdict::Silent);
        }
        if call.attempt.is_answered() || report.received > 0 {
            call.attempt.note_media(report);
        }
    }
}

/// Whose voice a caller expects. The PSAP knows the id of the attempt if its Session-ID gives it back (RFC 7989 §6);
/// then it must sing what follows from that, whatever its description says.
fn expectation(
    attempt: u128,
    agreement: &Agreement,
    response: &Message,
    clips: &Clips,
) -> Expectation {
    let ours = format!("{attempt:032x}");
    let knows_us = response.session_id().is_some_and(|id| id.remote() == Some(&ours));
    let known = knows_us.then(|| Melody::of(attempt, Singer::Psap));
    Expectation::of(agreement.sign.as_ref(), known, clips)
}

/// The plane of a generator, if any of its callers has media.
pub(super) fn plane_of(config: &super::Config, seed: u64) -> Plane {
    let settings = Settings {
        addresses: vec![config.address.ip()],
        ports: config.media_ports.clone(),
        idle_after: config.idle_after,
        dated: true,
    };
    let (start, unix) = config.clock.origin();
    Plane::new(&settings, seed, start, unix)
}
