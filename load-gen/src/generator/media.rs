//! What callers say, and what they hear.

use std::sync::Arc;
use std::time::Instant;

use media::{
    Agreement, Clip, Expectation, Melody, Plane, Settings, Singer, StreamId, Verdict, Voice,
};
use sip_proto::message::{Message, Name};
use sip_proto::sdp;
use sip_proto::user_agent::LegId;

use super::{Call, Generator};
use crate::mix::Caller;

/// The media of all callers.
#[derive(Debug)]
pub(super) struct CallerMedia {
    pub(super) plane: Plane,
    /// `None`: callers sing the melody of their call.
    clip: Option<Arc<Clip>>,
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
    pub(super) fn new(plane: Plane, clip: Option<Arc<Clip>>, digits: String) -> Self {
        Self { plane, clip, digits }
    }

    /// What the description of a caller says that it sings.
    pub(super) fn sings(&self, attempt: u128) -> Option<Melody> {
        self.clip.is_none().then(|| Melody::of(attempt, Singer::Caller))
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
        let sung = Voice::Melody(Melody::of(line.attempt, Singer::Caller));
        let voice = media.clip.as_ref().map_or(sung, |clip| Voice::Clip(Arc::clone(clip)));
        media.plane.set_voice(line.stream, voice);
        if answered && !line.listens {
            line.listens = true;
            media.plane.listen(line.stream, expectation(line.attempt, agreement, response));
            if !media.digits.is_empty() {
                media.plane.dial(line.stream, &media.digits);
            }
        }
    }

    /// A later description of the other side: hold, resume, another address.
    pub(super) fn change_line(&mut self, now: Instant, leg: LegId, offer: &[u8]) {
        let (Some(call), Some(media)) = (self.calls.get_mut(&leg), &mut self.media) else { return };
        if let (Some(line), Some(agreement)) = (call.line, call.media.agree(offer)) {
            media.plane.talk(now, line.stream, &agreement);
            call.agreement = Some(Box::new(agreement));
        }
    }

    /// The caller has hung up, or the call is over. Harmless when that was so before.
    pub(super) fn close_line(&mut self, now: Instant, call: &mut Call) {
        let (Some(line), Some(media)) = (call.line.take(), &mut self.media) else { return };
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
fn expectation(attempt: u128, agreement: &Agreement, response: &Message) -> Expectation {
    let Some(announced) = agreement.melody else { return Expectation::AnySound };
    let ours = format!("{attempt:032x}");
    let knows_us = response.session_id().is_some_and(|id| id.remote() == Some(&ours));
    Expectation::Melody(if knows_us { Melody::of(attempt, Singer::Psap) } else { announced })
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
