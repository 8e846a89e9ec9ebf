//! What the PSAP answers instead of taking a call.

use std::time::Duration;

use sip_proto::Rejection;
use sip_proto::reason::{Protocol, Reason, cause_of_status};
use topology::WhenFull;

/// Retry-After of a 503 because the queue is full (RFC 3261 §21.5.4).
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A refusal with the Q.850 cause that RFC 3398 gives its status.
pub(crate) fn refusal(status: u16) -> Rejection {
    Rejection::new(status).with_reason(q850(cause_of_status(status)))
}

pub(crate) fn queue_full(configured: &WhenFull) -> Rejection {
    match configured {
        WhenFull::Reject(503) => refusal(503).with_retry_after(RETRY_AFTER),
        WhenFull::Reject(status) => refusal(*status),
        // RFC 3261 §21.3.3: the Contact says where to try instead.
        WhenFull::Redirect { number, address, .. } => {
            Rejection::new(302).with_contact(format!("<sip:{number}@{address}>"))
        }
    }
}

/// A Reason header value without text: the cause is enough.
pub(crate) const fn q850(cause: u16) -> Reason {
    Reason { protocol: Protocol::Q850, cause, text: None }
}
