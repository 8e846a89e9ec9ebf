//! What happens to calls on the side of their callers, for the flight recorder.

use std::time::{Duration, Instant};

use media::{SoundVerdict, StreamReport};
use sip_proto::user_agent::LegId;
use trace::CallKey;

use super::Generator;
use super::caller_media::CallerStream;
use crate::caller::{CallChange, Caller};

impl Generator {
    /// The INVITE of a call is on its way. Returns the key of the call.
    pub(super) fn note_start(
        &mut self,
        now: Instant,
        leg: LegId,
        caller: &Caller,
        line: Option<CallerStream>,
    ) -> CallKey {
        let call = self.notes.key(self.agent.calling_id(leg).unwrap_or_default());
        let trunk_groups = &self.config.trunk_groups;
        self.notes.note_of(call, || {
            let group = trunk_groups.get(caller.trunk_group).map_or("?", |(name, _)| &name[..]);
            let Caller { number, nth, index, .. } = caller;
            format!("dials {number} by {group}: call {nth} of caller {index}")
        });
        if let (Some(line), Some(media)) = (line, &mut self.media) {
            media.name_call(now, line, call.number());
        }
        call
    }

    /// What the person does next; `None`: nothing.
    pub(super) fn note_next(&mut self, call: CallKey, next: Option<(Duration, &CallChange)>) {
        let groups = &self.config.trunk_groups;
        let name = |at: usize| groups.get(at).map_or("?", |(name, _)| &name[..]);
        self.notes.note_of(call, || match next {
            None => "gives up for good".to_owned(),
            Some((gap, way)) => {
                let way = match way {
                    CallChange::AsBefore => String::new(),
                    CallChange::OtherNetwork(at) => format!(" by {}", name(*at)),
                    CallChange::OtherNumber(number) => format!(", with {number}"),
                    CallChange::TenDigits(ten) => format!(", with {}", ten.digits),
                };
                format!("will call again in {:.1} s{way}", gap.as_secs_f64())
            }
        });
    }
}

/// What the caller heard.
pub(super) fn heard(report: &StreamReport) -> String {
    let what = match report.verdict {
        Some(SoundVerdict::Heard) => "heard the call taker",
        Some(SoundVerdict::Silent) => "heard nothing",
        Some(SoundVerdict::Garbled) => "heard noise",
        Some(SoundVerdict::WrongParty) => "heard somebody else",
        Some(SoundVerdict::Unjudged) | None => "got media",
    };
    format!("{what}: {} of {} packets", report.received, report.expected)
}
