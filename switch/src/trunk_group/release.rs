//! A site is down, and its answered calls with it: the trunk group releases them towards the callers, as a border element
//! does that has lost the link behind it (3GPP TS 24.229 §5.2.8.1.2, where a proxy sends the BYE).

use std::time::Instant;

use sip_proto::message::Payload;
use sip_proto::reason::Reason;
use telemetry::{CallRecord, Outcome, Party};

use super::call::{Call, CallId, Owner, State};
use super::{TrunkGroup, Wake};

/// Q.850: destination out of order.
const OUT_OF_ORDER: u16 = 27;

impl TrunkGroup {
    /// The answered calls that go over the member at `index` are ended: at once, or when nobody has taken them over.
    pub(super) fn orphan_calls(&mut self, now: Instant, index: usize) {
        for (_, call) in &mut self.calls {
            let is_there = call.circuit.as_ref().is_some_and(|(at, _)| *at == index);
            call.is_orphan |= is_there && call.state == State::Answered;
        }
        match self.takeover_within {
            Some(time) => self.deadlines.push(now + time, Wake::Orphans(index)),
            None => self.release_orphans(now, index),
        }
    }

    /// Ends those that have stayed there.
    pub(super) fn release_orphans(&mut self, now: Instant, index: usize) {
        let there = |call: &Call| call.circuit.as_ref().is_some_and(|(at, _)| *at == index);
        let ids: Vec<_> = self
            .calls
            .iter()
            .filter(|(_, call)| there(call) && call.is_orphan)
            .map(|(slot, call)| CallId { slot, nonce: call.nonce })
            .collect();
        for id in ids {
            self.release_call(now, id);
        }
    }

    fn release_call(&mut self, now: Instant, id: CallId) {
        self.release(id, false);
        let Some(mut call) = self.remove(now, id) else { return };
        if let Some(dialog) = call.towards_caller.take() {
            let reason = Reason::q850(OUT_OF_ORDER, "Destination out of order");
            let payload = Payload::empty().with_header("Reason", &reason.to_string());
            self.transactions.end_dialog(now, *dialog, &payload, Owner::Nobody);
        }
        self.counts.lost += 1;
        let site = call.record.site.as_deref().unwrap_or_default();
        let why = format!("site {site} was found down");
        self.records.push_back(CallRecord {
            end_us: self.micros(now),
            outcome: Outcome::Lost,
            cause: Some(OUT_OF_ORDER),
            ended_by: Some(Party::Network),
            reason: Some(why),
            ..call.record
        });
    }
}
