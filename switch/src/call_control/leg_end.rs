//! How the calls that were placed for a call have ended, as its record tells it.

use sip_proto::user_agent::{End, Failure};
use telemetry::CallRecord;

/// How a leg towards an answering point has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct LegEnd {
    /// When its peer had said that it is over, in Unix microseconds, if it did.
    at: Option<u64>,
    /// The refusal of its INVITE.
    status: Option<u16>,
}

impl LegEnd {
    /// The dialog of the leg is over, at `now`.
    pub(super) fn of_dialog(end: &End, now: u64) -> Self {
        let is_told = match end {
            End::Bye(_) | End::NoAck => true,
            End::HungUp { confirmed } => *confirmed,
            End::PeerGone { status } => *status == 481,
            End::Unrefreshed => false,
        };
        Self { at: is_told.then_some(now), status: None }
    }

    /// Its INVITE was not answered.
    pub(super) fn of_failure(failure: &Failure, now: u64) -> Self {
        match failure {
            Failure::Response(response) => Self { at: Some(now), status: Some(response.status()) },
            Failure::Timeout | Failure::Unreachable => Self { at: None, status: None },
        }
    }

    /// Writes it into the record of the call, for the leg at `place`.
    pub(super) fn note(self, record: &mut CallRecord, place: usize) {
        if let Some(leg) = record.legs.get_mut(place) {
            leg.end_us = leg.end_us.or(self.at);
            leg.status = leg.status.or(self.status);
        }
    }
}
