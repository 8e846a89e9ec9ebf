//! Call records of the switch: opened when the INVITE arrives, closed when the call is over.

use sip_proto::Rejection;
use sip_proto::message::Request;
use sip_proto::reason::{Reason, cause_of_status};
use telemetry::{BoxKind, CallRecord, Outcome};

/// The record of a call that has just arrived at `at`, in Unix microseconds.
pub(crate) fn open(
    kind: BoxKind,
    node: &str,
    attempt: String,
    invite: &Request,
    at: u64,
) -> CallRecord {
    CallRecord {
        call_id: invite.call_id().to_owned(),
        number: invite.uri().dialled().unwrap_or_default(),
        commune: invite.commune().map(str::to_owned),
        outcome: Outcome::Rejected,
        ..CallRecord::open(kind, node, attempt, at)
    }
}

/// The record of a call that this box refused at `at`.
pub(crate) fn refused(record: CallRecord, rejection: &Rejection, at: u64) -> CallRecord {
    let cause = rejection.reason.as_ref().map(Reason::q850_cause);
    CallRecord {
        end_us: at,
        outcome: Outcome::Rejected,
        status: Some(rejection.status),
        cause: Some(cause.unwrap_or_else(|| cause_of_status(rejection.status))),
        reason: rejection.warning.clone(),
        ..record
    }
}
