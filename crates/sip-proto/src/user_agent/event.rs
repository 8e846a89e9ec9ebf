//! What a user agent reports to its transaction user (TU).

use std::net::SocketAddr;

use crate::Rejection;
use crate::message::{Request, Response};
use crate::reason::Reason;
use crate::transaction::ServerId;
use crate::user_agent::LegId;

/// Each leg yields exactly one terminal event ([`Event::Cancelled`], [`Event::GivenUp`],
/// [`Event::Failed`] or [`Event::Ended`]), unless the TU itself rejected it. After it the [`LegId`] is dead: operations
/// on it do nothing.
#[derive(Debug)]
pub enum Event {
    /// A new INVITE that passed validation (RFC 3261 §8.2). Answer with `ring`, `accept` or
    /// `reject`.
    Offered { leg: LegId, invite: Request, source: SocketAddr },
    /// A new INVITE has been refused: too many transactions are alive. There is no leg.
    NoRoom { invite: Request, source: SocketAddr, rejection: Box<Rejection> },
    /// Terminal. The caller sent CANCEL before the final response; 487 has been sent.
    Cancelled { leg: LegId, reason: Option<Reason> },
    /// Terminal. The caller demanded reliable provisional responses and did not acknowledge one: it has been refused (RFC 3262 §3).
    GivenUp { leg: LegId, rejection: Box<Rejection> },
    /// A provisional response above 100 to our INVITE.
    Progress { leg: LegId, response: Response },
    /// A 2xx to our INVITE. It has been acknowledged, unless our INVITE carried no offer: then the
    /// TU owes `acknowledge` with the answer.
    Answered { leg: LegId, response: Response },
    /// Terminal. Our INVITE ended without an answer (also after our own `hang_up`: then usually
    /// 487).
    Failed { leg: LegId, failure: Failure },
    /// The ACK of our 2xx arrived; it carries the answer if our 2xx carried the offer.
    Confirmed { leg: LegId, ack: Request },
    /// Our 2xx to the first INVITE has had no ACK for T2. It is sent again until 64·T1.
    Unacknowledged { leg: LegId },
    /// A re-INVITE or UPDATE from the peer. Answer with `respond`.
    Modify { leg: LegId, id: ServerId, request: Request },
    /// The peer cancelled its re-INVITE before the TU answered; 487 has been sent.
    ModifyCancelled { leg: LegId },
    /// The ACK of our 2xx to a re-INVITE arrived.
    ModifyConfirmed { leg: LegId, ack: Request },
    /// The final response to our `modify`. A 2xx to a re-INVITE has been acknowledged, unless the
    /// re-INVITE carried no offer: then the TU owes `acknowledge`. After `cancel_modify` it never
    /// owes anything.
    Modified { leg: LegId, response: Response },
    /// Another request inside the dialog (INFO, OPTIONS, MESSAGE…). Answer with `respond`.
    Request { leg: LegId, id: ServerId, request: Request },
    /// The final response to our `request`.
    Response { leg: LegId, response: Response },
    /// Terminal. The dialog is over.
    Ended { leg: LegId, end: End },
    /// A request outside any dialog that is neither INVITE nor OPTIONS, of an allowed method.
    /// Answer with `respond`.
    OutOfDialog { id: ServerId, request: Request, source: SocketAddr },
    /// What became of our `probe`.
    Probed { peer: SocketAddr, outcome: Probe },
}

/// Why an INVITE of ours was not answered.
#[derive(Debug)]
pub enum Failure {
    /// A final response of 300 or above.
    Response(Response),
    /// Timer B: no response at all within 64·T1, or no final response after our CANCEL within
    /// 64·T1.
    Timeout,
    /// The transport could not reach the peer.
    Unreachable,
}

/// Why an established dialog is over.
#[derive(Debug)]
pub enum End {
    /// The peer sent BYE; it has been answered 200.
    Bye(Request),
    /// Our `hang_up` is complete: the BYE was answered (`true`) or timed out (`false`).
    HungUp { confirmed: bool },
    /// No ACK came for our 2xx within 64·T1; a BYE was sent (RFC 3261 §13.3.1.4).
    NoAck,
    /// Nobody refreshed the session in time (RFC 4028 §10); a BYE was sent.
    Unrefreshed,
    /// The peer does not know the dialog any more: 481 or 408 to a request inside it (RFC 3261
    /// §12.2.1.2).
    PeerGone { status: u16 },
}

/// Outcome of an OPTIONS probe outside a dialog.
#[derive(Debug)]
pub enum Probe {
    /// Any final response proves that the peer is alive; 503 says that it is busy.
    Alive(Response),
    /// No response within the probe's time, or the transport failed.
    Silent,
}
