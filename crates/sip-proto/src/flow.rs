//! Where the messages of a peer come from, and so where requests reach it: a Contact or Route says where a peer believes
//! that it is (RFC 3261 §12.2.1.1, RFC 3581, RFC 5626 §1).
//!
//! | the peer | our requests inside the dialog go |
//! |---|---|
//! | spoke over TCP | over that connection; if it is lost, to where Contact or Route says |
//! | spoke over TLS or a WebSocket | over that connection, or nowhere |
//! | is behind a translator (NAT): what it writes of itself is not where its messages come from | back to where they come from |
//! | writes an address that cannot be reached from there, such as a private one | the same |
//! | began the dialog with the address of another host | the same |
//! | writes another port of its own host, moves the dialog later, or is behind a proxy | to where Contact or Route says |

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::Transport;
use crate::message::{Name, Request, Uri, Via, address_of};
use crate::transaction::Target;

/// The way between a peer and us; see the module's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// The other end: of the connection, or where datagrams come from.
    source: SocketAddr,
    transport: Transport,
    origin: Origin,
    /// Contact of the request that began the dialog. A later one moves the dialog on purpose.
    first_contact: Option<SocketAddr>,
}

/// How a flow began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Origin {
    /// We spoke first, to an address that we knew.
    Ours,
    /// The peer spoke first.
    Peer {
        /// Its Via names another place than that where its messages come from.
        is_translated: bool,
        /// No proxy is between, so Contact is that of the sender.
        is_adjacent: bool,
    },
}

impl Flow {
    /// The way that `request` came.
    #[must_use]
    pub fn of(request: &Request, source: SocketAddr, transport: Transport) -> Self {
        let via = request.via();
        let via_ip = via.ip();
        let moved_host = via_ip.is_some_and(|ip| ip != source.ip());
        // RFC 3581 §4: who asks for the answer at its source port listens there. Any other may send from one port and
        // listen at another. On a connection the port says nothing.
        let moved_port = !transport.is_reliable()
            && via_ip.is_some()
            && via.port().unwrap_or(5060) != source.port()
            && via.param("rport").is_some();
        let is_adjacent = request.list(Name::Via).nth(1).is_none();
        let origin = Origin::Peer { is_translated: moved_host || moved_port, is_adjacent };
        let contact = request.contact().and_then(|contact| address_of(&contact.uri()));
        let first_contact = contact.filter(|_| request.to_tag().is_none());
        Self { source, transport, origin, first_contact }
    }

    /// The peer goes on by a later way.
    pub fn follow(&mut self, later: Self) {
        *self = Self { first_contact: self.first_contact, ..later };
    }

    /// The way to a peer that we spoke to first.
    #[must_use]
    pub const fn towards(peer: SocketAddr, transport: Transport) -> Self {
        Self { source: peer, transport, origin: Origin::Ours, first_contact: None }
    }

    /// The other end.
    #[must_use]
    pub const fn source(&self) -> SocketAddr {
        self.source
    }

    #[must_use]
    pub const fn transport(&self) -> Transport {
        self.transport
    }

    /// The same way for another box of ours, which has none of our connections.
    pub(crate) const fn elsewhere(self) -> Self {
        match self.transport {
            Transport::Udp => self,
            _ => Self { origin: Origin::Ours, ..self },
        }
    }

    /// Where a request goes whose next hop is `hop`: the peer's Contact, or else the Route of a proxy before it.
    #[must_use]
    pub fn target(&self, hop: &Uri<'_>, is_contact: bool) -> Target {
        if self.transport.is_of_clients() {
            return self.back();
        }
        let named = hop.param("transport");
        let names =
            |wanted: Transport| named.is_some_and(|name| name.eq_ignore_ascii_case(wanted.token()));
        // This stack resolves no names.
        let Some(written) = address_of(hop) else { return self.back() };
        if self.leads_to(written, is_contact) {
            let over_tcp = self.transport == Transport::Tcp && written != self.source;
            let spare = if names(Transport::Tcp) { Transport::Tcp } else { Transport::Udp };
            let otherwise = over_tcp.then_some((written, spare));
            return match names(Transport::Udp) && self.transport == Transport::Tcp {
                true if is_routable(written.ip(), self.source.ip()) => Target::to(written),
                _ => Target { otherwise, ..self.back() },
            };
        }
        if names(Transport::Tcp) {
            return Target { transport: Some(Transport::Tcp), ..Target::to(written) };
        }
        let same_host = written.ip() == self.source.ip();
        match self.transport {
            // Its host speaks TCP, and has not said that it would rather not.
            Transport::Tcp if same_host && named.is_none() => Target {
                peer: written,
                transport: Some(Transport::Tcp),
                otherwise: Some((written, Transport::Udp)),
            },
            _ => Target::to(written),
        }
    }

    /// Where the peer's messages come from.
    #[must_use]
    pub const fn back(&self) -> Target {
        Target { peer: self.source, transport: Some(self.transport), otherwise: None }
    }

    /// Whether the peer that writes `written` is reached by this flow rather than there.
    fn leads_to(&self, written: SocketAddr, is_contact: bool) -> bool {
        if !is_routable(written.ip(), self.source.ip()) {
            return true;
        }
        let same_host = written.ip() == self.source.ip();
        let over_tcp = self.transport == Transport::Tcp;
        match self.origin {
            Origin::Ours => over_tcp && written == self.source,
            Origin::Peer { .. } if over_tcp && same_host => true,
            Origin::Peer { is_translated, is_adjacent } => {
                // Nobody begins a dialog for another host: it has several addresses, and is known at this one.
                let is_other_host = !same_host && self.first_contact == Some(written);
                let is_elsewhere = written != self.source && (is_translated || is_other_host);
                is_contact && is_adjacent && is_elsewhere
            }
        }
    }
}

/// Whoever began a request, as the first element that saw it tells in Via (RFC 3261 §18.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// Where its packets come from.
    pub ip: IpAddr,
    /// It names another place itself.
    pub is_translated: bool,
}

impl Sender {
    /// The sender of `request`, which came from `source`, perhaps through proxies.
    #[must_use]
    pub fn of(request: &Request, source: SocketAddr) -> Self {
        let mut later = request.list(Name::Via).skip(1).filter_map(|via| Via::parse(via).ok());
        let Some(via) = later.next().map(|second| later.last().unwrap_or(second)) else {
            let flow = Flow::of(request, source, transport_of(&request.via()));
            let is_translated = matches!(flow.origin, Origin::Peer { is_translated: true, .. });
            return Self { ip: source.ip(), is_translated };
        };
        let ip = via.received().or_else(|| via.ip()).unwrap_or_else(|| source.ip());
        let seen_at = via.param("rport").and_then(|port| port.parse::<u16>().ok());
        let moved_port = transport_of(&via) == Transport::Udp
            && seen_at.is_some_and(|port| port != via.port().unwrap_or(5060));
        Self { ip, is_translated: via.ip().is_some_and(|own| own != ip) || moved_port }
    }

    /// A peer whose address is known beforehand.
    #[must_use]
    pub const fn at(ip: IpAddr) -> Self {
        Self { ip, is_translated: false }
    }

    /// The outer address of the translator that it is behind, if it is behind one: its SIP shows it, or the address that
    /// it describes for its media.
    #[must_use]
    pub fn translator(&self, described: IpAddr) -> Option<IpAddr> {
        let is_behind_one = self.is_translated || !is_routable(described, self.ip);
        is_behind_one.then_some(self.ip)
    }
}

fn transport_of(via: &Via<'_>) -> Transport {
    Transport::of_token(via.transport()).unwrap_or(Transport::Udp)
}

/// Whether what is sent to `there` can arrive, as far as is known from a message that came from `seen`: an address of
/// private use (RFC 1918, RFC 6598, RFC 4193) means something else outside of its network.
#[must_use]
pub fn is_routable(there: IpAddr, seen: IpAddr) -> bool {
    scope(there) == Scope::Everywhere || scope(there) == scope(seen)
}

/// Where an address means the same host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Nowhere,
    Host,
    Link,
    Private,
    Carrier,
    Everywhere,
}

fn scope(ip: IpAddr) -> Scope {
    if ip.is_unspecified() {
        return Scope::Nowhere;
    }
    if ip.is_loopback() {
        return Scope::Host;
    }
    match ip {
        IpAddr::V4(ip) if ip.is_link_local() => Scope::Link,
        IpAddr::V4(ip) if ip.is_private() => Scope::Private,
        // RFC 6598 §7.
        IpAddr::V4(ip) if ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64 => Scope::Carrier,
        IpAddr::V6(ip) if ip.is_unicast_link_local() => Scope::Link,
        IpAddr::V6(ip) if ip.is_unique_local() => Scope::Private,
        _ => Scope::Everywhere,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address with a port")
    }

    /// The flow of a request with these Vias.
    fn flow(vias: &[&str], contact: &str, source: &str, transport: Transport) -> Flow {
        let vias: String = vias
            .iter()
            .map(|via| format!("Via: SIP/2.0/{} {via};branch=z9hG4bKa\r\n", transport.token()))
            .collect();
        let text = format!(
            "INVITE sip:15@127.0.0.2 SIP/2.0\r\n{vias}From: <sip:a@x>;tag=ft\r\nTo: <sip:15@127.0.0.2>\r\n\
             Call-ID: c\r\nCSeq: 5 INVITE\r\nContact: <{contact}>\r\n\r\n"
        );
        Flow::of(&Request::parse(Bytes::from(text)).expect("a request"), at(source), transport)
    }

    fn contact(flow: Flow, uri: &str) -> (String, Option<Transport>) {
        let target = flow.target(&Uri::parse(uri).expect("a URI"), true);
        (target.peer.to_string(), target.transport)
    }

    // RFC 5626 §1: the only way to a telephone behind a translator is that of its own messages.
    #[test]
    fn a_translated_peer_is_reached_where_its_datagrams_come_from() {
        let udp = Some(Transport::Udp);
        for (via, source, uri) in [
            ("192.168.1.20:5060;rport", "203.0.113.5:40000", "sip:a@192.168.1.20:5060"),
            ("192.168.1.20:5060", "203.0.113.5:40000", "sip:a@192.168.1.20:5060"),
            // The translator changes only the port.
            ("127.0.0.1:5060;rport", "127.0.0.1:40000", "sip:a@127.0.0.1:5060"),
            // Its Via is honest, as a telephone's that has learnt its outer address for that alone.
            ("203.0.113.5:40000;rport", "203.0.113.5:40000", "sip:a@10.1.2.3"),
            ("127.0.0.1:40000;rport", "127.0.0.1:40000", "sip:a@100.64.0.1"),
            ("192.0.2.1:5060;rport", "192.0.2.1:5060", "sip:a@198.51.100.9"),
            ("[2001:db8::1]:5060;rport", "[2001:db8::1]:5060", "sip:a@[fd00::1]"),
            ("phone.local;rport", "203.0.113.5:40000", "sip:a@phone.local"),
        ] {
            let flow = flow(&[via], uri, source, Transport::Udp);
            assert_eq!(contact(flow, uri), (source.to_owned(), udp), "{via} {uri}");
        }
    }

    // RFC 3261 §12.2.1.1.
    #[test]
    fn a_contact_that_can_be_true_is_believed() {
        for (vias, source, uri, peer) in [
            // It listens at another port than it sends from.
            (vec!["192.0.2.1:5060"], "192.0.2.1:33000", "sip:a@192.0.2.1:5060", "192.0.2.1:5060"),
            (
                vec!["192.0.2.1:5060;rport"],
                "192.0.2.1:5060",
                "sip:a@192.0.2.1:5999",
                "192.0.2.1:5999",
            ),
            // A proxy that stays out of the dialog.
            (
                vec!["192.0.2.1", "198.51.100.9"],
                "192.0.2.1:5060",
                "sip:a@198.51.100.9",
                "198.51.100.9:5060",
            ),
            (vec!["10.0.0.1", "10.0.0.9"], "10.0.0.1:5060", "sip:a@10.0.0.9", "10.0.0.9:5060"),
        ] {
            let flow = flow(&vias, uri, source, Transport::Udp);
            assert_eq!(contact(flow, uri), (peer.to_owned(), None), "{vias:?} {uri}");
        }
    }

    // RFC 3261 §12.2: a target refresh.
    #[test]
    fn a_later_contact_moves_the_dialog() {
        let mut first = flow(&["192.0.2.1"], "sip:a@192.0.2.1", "192.0.2.1:5060", Transport::Udp);
        first.follow(flow(&["192.0.2.1"], "sip:a@198.51.100.9", "192.0.2.1:5060", Transport::Udp));
        assert_eq!(contact(first, "sip:a@198.51.100.9"), ("198.51.100.9:5060".to_owned(), None));
    }

    #[test]
    fn who_speaks_over_a_connection_is_answered_there() {
        let flow = flow(&["192.0.2.1:5060"], "sip:a@x", "192.0.2.1:33000", Transport::Tcp);
        for (uri, spare) in [
            ("sip:a@192.0.2.1:5060;transport=tcp", Transport::Tcp),
            ("sip:a@192.0.2.1:5060;transport=TCP", Transport::Tcp),
            ("sip:a@192.0.2.1:5060", Transport::Udp),
        ] {
            for is_contact in [true, false] {
                let target = flow.target(&Uri::parse(uri).expect("a URI"), is_contact);
                assert_eq!(
                    (target.peer, target.transport),
                    (at("192.0.2.1:33000"), Some(Transport::Tcp))
                );
                assert_eq!(target.otherwise, Some((at("192.0.2.1:5060"), spare)), "{uri}");
            }
        }
        // It says that it wants datagrams there.
        assert_eq!(
            contact(flow, "sip:a@192.0.2.1:5060;transport=udp"),
            ("192.0.2.1:5060".to_owned(), None)
        );
        // A proxy elsewhere has no part in this connection.
        let route = Uri::parse("sip:198.51.100.9;lr").expect("a URI");
        assert_eq!(flow.target(&route, false), Target::to(at("198.51.100.9:5060")));
    }

    // RFC 7118 §5: what a browser writes of itself is nowhere.
    #[test]
    fn a_client_of_tls_or_a_websocket_is_reached_by_its_own_connection_alone() {
        for transport in [Transport::Tls, Transport::Ws, Transport::Wss] {
            let flow = flow(&["df7jal23ls0d.invalid"], "sip:a@x", "192.0.2.1:33000", transport);
            for uri in
                ["sip:a@df7jal23ls0d.invalid;transport=ws", "sip:a@192.0.2.1:5060;transport=udp"]
            {
                let target = flow.target(&Uri::parse(uri).expect("a URI"), true);
                assert_eq!(target, flow.back(), "{uri}");
                assert_eq!((target.transport, target.otherwise), (Some(transport), None));
            }
        }
    }

    #[test]
    fn a_translator_is_seen_through_proxies_too() {
        let seen = |vias: &[&str], source: &str, described: &str| {
            let vias: String = vias
                .iter()
                .map(|via| format!("Via: SIP/2.0/UDP {via};branch=z9hG4bKa\r\n"))
                .collect();
            let text = format!(
                "INVITE sip:15@x SIP/2.0\r\n{vias}From: <sip:a@x>;tag=f\r\nTo: <sip:15@x>\r\nCall-ID: c\r\n\
                 CSeq: 1 INVITE\r\n\r\n"
            );
            let request = Request::parse(Bytes::from(text)).expect("a request");
            let described = described.parse().expect("an address");
            Sender::of(&request, at(source)).translator(described).map(|ip| ip.to_string())
        };
        let outer = Some("203.0.113.5".to_owned());
        let proxy = "192.0.2.1:5060;rport";
        for (via, described, expected) in [
            ("10.0.0.9:5060;received=203.0.113.5;rport=40000", "10.0.0.9", outer.clone()),
            ("203.0.113.5:5060;received=203.0.113.5;rport=40000", "203.0.113.5", outer.clone()),
            ("203.0.113.5:5060;received=203.0.113.5;rport=5060", "203.0.113.5", None),
            ("203.0.113.5:5060", "203.0.113.5", None),
            ("203.0.113.5:5060", "198.51.100.7", None),
            ("203.0.113.5:5060", "192.168.1.7", outer.clone()),
        ] {
            assert_eq!(seen(&[proxy, via], "192.0.2.1:5060", described), expected, "{via}");
        }
        let direct = |via, source, described| seen(&[via], source, described);
        assert_eq!(direct("10.0.0.9:5060;rport", "203.0.113.5:40000", "10.0.0.9"), outer);
        assert_eq!(direct("203.0.113.5:5060;rport", "203.0.113.5:40000", "203.0.113.5"), outer);
        assert_eq!(direct("203.0.113.5;rport", "203.0.113.5:5060", "203.0.113.5"), None);
    }

    #[test]
    fn a_peer_that_we_called_is_where_it_says() {
        let called = Flow::towards(at("192.0.2.1:5060"), Transport::Udp);
        assert_eq!(contact(called, "sip:a@198.51.100.9"), ("198.51.100.9:5060".to_owned(), None));
        let unreachable = contact(called, "sip:a@192.168.0.9");
        assert_eq!(unreachable, ("192.0.2.1:5060".to_owned(), Some(Transport::Udp)));
        let called = Flow::towards(at("192.0.2.1:5060"), Transport::Tcp);
        let tcp = Some(Transport::Tcp);
        assert_eq!(contact(called, "sip:a@192.0.2.1:5060"), ("192.0.2.1:5060".to_owned(), tcp));
        assert_eq!(contact(called, "sip:a@192.0.2.1:5070"), ("192.0.2.1:5070".to_owned(), tcp));
    }
}
