//! Header lines of every message that makes or refreshes a dialog: Contact first, then Allow, Supported and who we are.

use super::option_tag::RELIABLE;
use super::validate::Capabilities;
use crate::Transport;
use crate::message::{BY_TCP, Name};

/// The lines, written once.
#[derive(Debug)]
pub(super) struct DialogLines {
    /// In a request, User-Agent says who we are (RFC 3261 §20.41). Its Contact names the transport when it is sent.
    pub(super) request: Vec<u8>,
    /// The same of an INVITE with an offer. No other request of ours lets its provisional responses be reliable (`reliable.rs`).
    pub(super) offer: Vec<u8>,
    /// In a response by UDP, where Server says it (RFC 3261 §20.35).
    udp_response: Vec<u8>,
    /// In a response by TCP: its Contact names the transport, as the peer may have no other.
    tcp_response: Vec<u8>,
}

impl DialogLines {
    /// Those of the user agent `product` that is reached at `sent_by` and can do what `abilities` say; `state` is the line of
    /// [`origin_state`].
    pub(super) fn new(sent_by: &str, abilities: &Capabilities, product: &str, state: &str) -> Self {
        let contact = format!("Contact: <sip:{sent_by}>\r\n");
        let all = contact.clone() + &abilities.lines();
        let unacknowledged = contact + &abilities.without(RELIABLE).lines();
        let response = format!("{all}Server: {product}\r\n{state}");
        let request = |lines| format!("{lines}User-Agent: {product}\r\n").into_bytes();
        Self {
            request: request(unacknowledged),
            offer: request(all),
            tcp_response: response.replacen('>', BY_TCP, 1).into_bytes(),
            udp_response: response.into_bytes(),
        }
    }

    /// Those of a response that goes by `transport`.
    pub(super) fn response(&self, transport: Option<Transport>) -> &[u8] {
        match transport {
            Some(transport) if transport.is_reliable() => &self.tcp_response,
            Some(_) | None => &self.udp_response,
        }
    }
}

/// The line that tells the present start of this node.
pub(super) fn origin_state(start: Option<u64>) -> String {
    let line = start.map(|id| format!("{}: {id}\r\n", Name::OriginStateId.as_str()));
    line.unwrap_or_default()
}
