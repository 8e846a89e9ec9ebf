//! The media of one call: opened with it, changed by what the other side describes, closed with it.

use std::time::Instant;

use sip_proto::message::{Message, Name};
use sip_proto::sdp;
use sip_proto::user_agent::LegId;

use super::Generator;
use super::caller_media::CallerStream;
use crate::caller::Caller;

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
        let content_type = response.header(Name::ContentType).unwrap_or_default();
        if let Ok(Some(theirs)) = sdp::find(content_type, &response.body()) {
            call.agreement = call.media.agree(&theirs).map(Box::new);
        }
        if let Some(agreement) = &call.agreement {
            media.talk(now, line, agreement, response, answered);
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
            call.attempt.note_media(report);
        }
    }
}
