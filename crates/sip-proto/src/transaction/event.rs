//! What a TU is told.

use std::net::SocketAddr;

use super::client_table::ClientId;
use super::server_table::ServerId;
use crate::message::{BrokenBye, Request, Response};
use crate::{Rejection, Transport};

/// What a TU is told.
#[derive(Debug)]
pub enum Event<O> {
    /// A new request other than ACK and CANCEL.
    Request { id: ServerId, request: Request, source: SocketAddr, transport: Transport },
    /// An INVITE outside of any dialog has been refused, without a transaction: there are too many. It is told once, whatever
    /// copies of it come.
    NoRoom { invite: Request, source: SocketAddr, rejection: Box<Rejection> },
    /// An ACK that no transaction absorbed: it is for a 2xx. `owner` is set while the INVITE's
    /// transaction lives.
    Ack { owner: Option<O>, request: Request, source: SocketAddr, transport: Transport },
    /// A CANCEL for an INVITE without a final response; the CANCEL itself has been answered.
    Cancel { invite: ServerId, owner: Option<O>, cancel: Request },
    /// A response to a request of ours.
    Response { id: ClientId, owner: O, response: Response },
    /// A request of ours ended without a final response.
    Failed { id: ClientId, owner: O, failure: Failure },
    /// A BYE was malformed and has been refused.
    BrokenBye(BrokenBye),
    /// No ACK came for our 300-699 (Timer H).
    NoAck { owner: Option<O> },
}

/// Why a client transaction ended without a final response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    Timeout,
    Unreachable,
}
