//! What happens in the dialog of a telephone's call, for its record.

use std::time::Instant;

use sip_proto::message::Request;
use sip_proto::user_agent::{End, Event, LegId};

use super::Psap;

impl Psap {
    /// Notes an event before it takes effect: afterwards its call may be over.
    pub(super) fn note_event(&mut self, now: Instant, event: &Event) {
        match event {
            Event::Modify { leg, request, .. }
            | Event::Request { leg, request, .. }
            | Event::Confirmed { leg, ack: request }
            | Event::Ended { leg, end: End::Bye(request) } => self.note_request(now, *leg, request),
            Event::Cancelled { leg, .. } | Event::ModifyCancelled { leg } => {
                self.note(now, *leg, "the caller sends CANCEL");
            }
            _ => {}
        }
    }

    fn note_request(&mut self, now: Instant, leg: LegId, request: &Request) {
        let at = self.clock.micros(now);
        if let Some(dialog) = self.calls.get_mut(&leg).and_then(|call| call.attempt.dialog()) {
            dialog.note_request(at, "the caller", request);
        }
    }

    /// Something else has happened.
    pub(super) fn note(&mut self, now: Instant, leg: LegId, what: &str) {
        let at = self.clock.micros(now);
        if let Some(dialog) = self.calls.get_mut(&leg).and_then(|call| call.attempt.dialog()) {
            dialog.note(at, what);
        }
    }
}
