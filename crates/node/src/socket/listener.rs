//! Where a box takes connections beside those at its address.

use std::fmt;
use std::net::SocketAddr;

use sip_proto::Transport;
use tokio_rustls::TlsAcceptor;

/// A further place where a box takes connections.
#[derive(Clone)]
pub struct Listener {
    pub(crate) entry: Entry,
    pub(crate) address: SocketAddr,
    /// The key of the configuration that gives the address.
    pub(crate) setting: String,
}

/// What is spoken on the connections that come in at one place.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) transport: Transport,
    /// The certificate, where TLS is spoken.
    pub(crate) tls: Option<TlsAcceptor>,
}

impl Entry {
    /// That of the address of the box.
    pub(crate) const TCP: Self = Self { transport: Transport::Tcp, tls: None };

    /// Whether messages come in frames.
    pub(crate) const fn is_websocket(&self) -> bool {
        matches!(self.transport, Transport::Ws | Transport::Wss)
    }
}

impl Listener {
    /// TLS at `address`.
    #[must_use]
    pub fn tls(address: SocketAddr, setting: String, tls: TlsAcceptor) -> Self {
        Self { entry: Entry { transport: Transport::Tls, tls: Some(tls) }, address, setting }
    }

    /// WebSockets for SIP at `address` (RFC 7118); secured with TLS if there is a certificate.
    #[must_use]
    pub fn websocket(address: SocketAddr, setting: String, tls: Option<TlsAcceptor>) -> Self {
        let transport = if tls.is_some() { Transport::Wss } else { Transport::Ws };
        Self { entry: Entry { transport, tls }, address, setting }
    }
}

/// Without the key.
impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = self.entry.transport;
        f.debug_struct("Listener")
            .field("transport", &transport)
            .field("address", &self.address)
            .finish()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entry").field(&self.transport).finish()
    }
}
