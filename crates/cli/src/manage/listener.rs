//! A socket for HTTP, of the management plane or for metrics, and its patience with those who connect to it.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::connections::Connections;
use super::guard::Door;
use super::routes::routes;
use super::{Admission, Audience, ManagedSites, Token};
use crate::ServerIdentity;

/// How long a request may take to arrive, head and body each, and its answer to be read.
const PATIENCE: Duration = Duration::from_secs(5);

/// Rest after a connection that could not be taken.
const PAUSE: Duration = Duration::from_millis(100);

/// A bound socket that nobody answers yet.
#[derive(Debug)]
pub struct HttpListener {
    socket: TcpListener,
    address: SocketAddr,
    /// What it is for, in a word.
    purpose: &'static str,
    pub(super) patience: Duration,
    /// `None`: plain HTTP.
    identity: Option<ServerIdentity>,
}

/// Answers as long as this is kept.
#[derive(Debug)]
pub struct Listening(JoinHandle<()>);

impl HttpListener {
    /// Binds `address`; port 0 takes any free port. `purpose` is what it is for, in a word.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn bind(address: SocketAddr, purpose: &'static str) -> anyhow::Result<Self> {
        let place = || format!("cannot listen at {address} for {purpose}");
        let socket = TcpListener::bind(address).with_context(place)?;
        socket.set_nonblocking(true).with_context(place)?;
        let address = socket.local_addr().with_context(place)?;
        Ok(Self { socket, address, purpose, patience: PATIENCE, identity: None })
    }

    /// The same, which speaks TLS if it is somebody.
    #[must_use]
    pub fn secured(self, identity: Option<ServerIdentity>) -> Self {
        Self { identity, ..self }
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests about `sites` from those who show `token`. To be called inside a runtime.
    ///
    /// # Errors
    /// The runtime cannot take the socket.
    pub fn serve(self, sites: Arc<dyn ManagedSites>, token: Token) -> anyhow::Result<Listening> {
        let admission = self.admission(token, Audience::Programs);
        let routes = admission.guard(routes(sites, self.patience));
        // A command to many sites, one after the other, takes what it takes.
        self.answer(routes, Duration::MAX)
    }

    /// Who is answered here.
    #[must_use]
    pub fn admission(&self, token: Token, audience: Audience) -> Admission {
        let is_local = self.address.ip().is_loopback();
        let door = match &self.identity {
            Some(identity) => Door::secured(is_local, identity.names()),
            None => Door::plain(is_local),
        };
        Admission { token, door, audience }
    }

    /// How long a body may take to arrive.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// Answers requests as `routes` say, each within `longest` or not at all. To be called inside a runtime.
    ///
    /// # Errors
    /// The runtime cannot take the socket.
    pub fn answer(self, routes: Router, longest: Duration) -> anyhow::Result<Listening> {
        let Self { socket, purpose, patience, identity, .. } = self;
        let socket = tokio::net::TcpListener::from_std(socket).context("cannot listen")?;
        // They end with this task.
        let connections = Connections::new(routes, (patience, longest), purpose, identity);
        Ok(Listening(tokio::spawn(accept(socket, connections, purpose))))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Takes every connection at once, so that nobody waits for those who only hold theirs.
async fn accept(
    socket: tokio::net::TcpListener,
    mut connections: Connections,
    purpose: &'static str,
) {
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => connections.serve(stream, peer),
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection for {purpose}");
                // No file descriptors: one that has asked nothing yet may give its own.
                connections.make_way();
                sleep(PAUSE).await;
            }
        }
    }
}
