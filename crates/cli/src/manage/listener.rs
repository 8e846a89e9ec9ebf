//! A socket for HTTP, of the management plane or for metrics, and its patience with those who connect to it.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::routes::routes;
use super::{ManagedSites, Token};

/// Requests at once; further ones wait until one of these is answered.
const MOST_CONNECTIONS: usize = 64;

/// How long a request may take to arrive: head and body each.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest head of a request.
const LONGEST_HEAD: usize = 16 * 1024;

/// A bound socket that nobody answers yet.
#[derive(Debug)]
pub struct HttpListener {
    socket: TcpListener,
    address: SocketAddr,
    /// What it is for, in a word.
    purpose: &'static str,
    pub(super) patience: Duration,
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
        Ok(Self { socket, address, purpose, patience: PATIENCE })
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
        let routes = routes(sites, token, self.patience);
        // A command to many sites, one after the other, takes what it takes.
        self.answer(routes, Duration::MAX)
    }

    /// Answers requests as `routes` say, each within `longest` or not at all. To be called inside a runtime.
    ///
    /// # Errors
    /// The runtime cannot take the socket.
    pub(crate) fn answer(self, routes: Router, longest: Duration) -> anyhow::Result<Listening> {
        let Self { socket, purpose, patience, .. } = self;
        let socket = tokio::net::TcpListener::from_std(socket).context("cannot listen")?;
        Ok(Listening(tokio::spawn(accept(socket, routes, (patience, longest), purpose))))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves one request per connection. Whoever hangs up drops what it asked for.
async fn accept(
    socket: tokio::net::TcpListener,
    routes: Router,
    (patience, longest): (Duration, Duration),
    purpose: &'static str,
) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut open = JoinSet::new(); // they end with this task
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        while open.try_join_next().is_some() {}
        let stream = match socket.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection for {purpose}");
                sleep(patience).await; // no file descriptors: there may be some later
                continue;
            }
        };
        let service = TowerToHyperService::new(routes.clone());
        let connection = http1::Builder::new()
            .keep_alive(false)
            .max_buf_size(LONGEST_HEAD)
            .timer(TokioTimer::new())
            .header_read_timeout(patience)
            .serve_connection(TokioIo::new(stream), service);
        open.spawn(async move {
            match timeout(longest, connection).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a connection for {purpose} broke"),
                Err(_) => tracing::debug!("a connection for {purpose} took too long"),
            }
            drop(place);
        });
    }
}
