//! What the four machines have in common: what each wants done.

use bytes::Bytes;

use crate::message::Response;

/// What one machine wants done, in order.
#[derive(Debug)]
pub(super) enum Output {
    /// The first copy of a message.
    Send(Bytes),
    /// A further copy.
    Resend(Bytes),
    /// Give the response to the TU.
    Response(Response),
    /// The TU has been silent for 200 ms: send 100.
    TryingDue,
    /// Timer B, F or H.
    Timeout,
    /// The transport failed before any response.
    Unreachable,
    /// Forget this transaction.
    Terminate,
}
