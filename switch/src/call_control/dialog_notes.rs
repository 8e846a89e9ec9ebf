//! What happens in the dialog of a call that comes straight from a telephone, for its record. Of a call that comes by a trunk
//! group the trunk group tells it.

use std::net::SocketAddr;
use std::time::Instant;

use sip_proto::message::{Request, Response};
use sip_proto::user_agent::{End, Event, Failure, LegId};
use telemetry::DialogRecord;

use super::CallControl;
use super::side::Side;

/// What is told of a new call.
pub(super) fn begin(invite: &Request, source: SocketAddr) -> Option<Box<DialogRecord>> {
    DialogRecord::of(invite, source)
}

impl CallControl {
    /// Notes an event before it takes effect: afterwards its call may be over.
    pub(super) fn note_event(&mut self, now: Instant, event: &Event) {
        let at = self.records.micros(now);
        let mut with = |leg: &LegId, note: &dyn Fn(&mut DialogRecord, &str)| {
            let Some((id, side)) = self.calls.find(*leg) else { return };
            let dialog = self.calls.get_mut(id).and_then(|call| call.record.dialog.as_mut());
            if let Some(dialog) = dialog {
                note(dialog, said_by(side));
            }
        };
        match event {
            Event::Progress { leg, response } | Event::Answered { leg, response } => {
                with(leg, &|dialog, _| dialog.note_answer(response));
            }
            Event::Confirmed { leg, ack } => with(leg, &|dialog, _| dialog.note_answer(ack)),
            Event::Modify { leg, request, .. }
            | Event::Request { leg, request, .. }
            | Event::Ended { leg, end: End::Bye(request) } => {
                with(leg, &|dialog, who| dialog.note_request(at, who, request));
            }
            Event::Modified { leg, response } | Event::Response { leg, response } => {
                with(leg, &|dialog, who| note_response(dialog, at, who, response));
            }
            Event::Failed { leg, failure: Failure::Response(response) } => {
                with(leg, &|dialog, who| {
                    dialog.note_response(at, who, "the call", response.status());
                });
            }
            Event::Cancelled { leg, .. } | Event::ModifyCancelled { leg } => {
                with(leg, &|dialog, who| dialog.note(at, format!("{who} sends CANCEL")));
            }
            _ => {}
        }
    }
}

fn note_response(dialog: &mut DialogRecord, at: u64, who: &str, response: &Response) {
    dialog.note_response(at, who, response.cseq().1.as_str(), response.status());
}

const fn said_by(side: Side) -> &'static str {
    match side {
        Side::A => "the caller",
        Side::B => "the callee",
    }
}
