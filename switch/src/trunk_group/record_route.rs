//! What a trunk group writes into Record-Route: by which address, and over which transport, each side reaches it inside the
//! dialog (RFC 3261 §16.6 item 4).

use sip_proto::Transport;

/// The Record-Route values of one trunk group, by the transport of the caller.
///
/// Sites take UDP and TCP, and the size of a request decides. A caller that speaks TCP may have nothing else: towards it the
/// route names TCP. Where the transport changes, a proxy writes one value for each side (RFC 5658 §5): the upper one is
/// what the site sees first, the lower one what the caller sees first.
#[derive(Debug)]
pub(super) struct RecordRoutes {
    udp: String,
    tcp: String,
}

impl RecordRoutes {
    /// Those of the trunk group `name`, which is reached at `sent_by`. The user part tells the call server by which trunk
    /// group the call came.
    pub(super) fn new(name: &str, sent_by: &str) -> Self {
        let udp = format!("<sip:{name}@{sent_by};lr>");
        let tcp = format!("{udp}, <sip:{name}@{sent_by};transport=tcp;lr>");
        Self { udp, tcp }
    }

    /// The values for a call of a caller that speaks over `transport`.
    pub(super) fn towards(&self, transport: Transport) -> &str {
        if transport.is_reliable() { &self.tcp } else { &self.udp }
    }
}
