//! By what addresses a node is reached, one for each transport, and what it writes of itself in Record-Route.

use std::net::{IpAddr, SocketAddr};

use sip_proto::Transport;
use sip_proto::message::host_port;

/// Where a node is reached.
#[derive(Debug)]
pub(crate) struct Names {
    /// All of them, the one for UDP and TCP first.
    addresses: Vec<SocketAddr>,
    /// Those of transports that have a port of their own.
    own: Vec<(Transport, SocketAddr)>,
}

impl Names {
    /// Those of the node that listens at `address`, and where `settings` says so.
    pub(crate) fn new(settings: &topology::Access, address: SocketAddr) -> Self {
        let of = |transport, address: Option<SocketAddr>| Some((transport, address?));
        let own: Vec<_> = [
            of(Transport::Tls, settings.tls),
            of(Transport::Ws, settings.ws),
            of(Transport::Wss, settings.wss),
        ]
        .into_iter()
        .flatten()
        .collect();
        let addresses = [address].into_iter().chain(own.iter().map(|(_, own)| *own)).collect();
        Self { addresses, own }
    }

    /// Those of transports that have a port of their own.
    pub(crate) fn own(&self) -> &[(Transport, SocketAddr)] {
        &self.own
    }

    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Whether this is the IP address of one of them.
    pub(crate) fn has_ip(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|address| address.ip() == ip)
    }

    /// The value of Record-Route by which `user` of this node is reached over `transport`. With TLS it names that, whatever RFC 5630
    /// §5.3 thinks of it: telephones know a `sip:` URI without it as one for UDP.
    pub(crate) fn record_route(&self, user: &str, transport: Transport, is_sips: bool) -> String {
        let own = self.own.iter().find(|(one, _)| *one == transport);
        let address = own.map_or_else(|| self.addresses.first(), |(_, address)| Some(address));
        let place = address.map(|address| host_port(*address)).unwrap_or_default();
        let scheme = if is_sips { "sips" } else { "sip" };
        let parameter = match transport {
            Transport::Udp => String::new(),
            // RFC 3261 §26.2.2: the scheme says it.
            Transport::Tls if is_sips => String::new(),
            transport => format!(";transport={}", transport.parameter()),
        };
        format!("<{scheme}:{user}@{place}{parameter};lr>")
    }
}
