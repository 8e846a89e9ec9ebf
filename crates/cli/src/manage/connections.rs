//! The HTTP connections that are open, and which of them makes room for the next: whoever has asked nothing yet.
//!
//! ```text
//!   accepted (──► handshake) ──► head read ──► asked ──► answered ──► closed
//!      │ makes room for others                 │ keeps its place     │ must be read in time
//! ```
//!
//! All come from this machine as a rule, so that a limit for each source would not tell `tocsin ctl` from whoever holds sixty
//! connections open. Those who hold and do not ask give their place instead, those first whose source holds most.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use super::events::StreamProgress;
use crate::ServerIdentity;
use crate::tls::{Greeted, greet};

/// Connections at once.
pub(super) const MOST_CONNECTIONS: usize = 64;

/// The longest head of a request.
const LONGEST_HEAD: usize = 16 * 1024;

/// An answer that goes on, and of which nothing is taken for so long, is read by nobody.
const UNREAD: Duration = Duration::from_secs(10);

/// Between two log lines about connections that gave their place.
const INTERVAL: Duration = Duration::from_secs(10);

/// The open connections, the oldest first.
pub(super) struct Connections {
    routes: Router,
    patience: Duration,
    longest: Duration,
    purpose: &'static str,
    /// `None`: plain HTTP.
    identity: Option<Arc<ServerIdentity>>,
    tasks: JoinSet<()>,
    open: Vec<Open>,
    told: Option<Instant>,
    /// Connections that gave their place and of which nothing was told.
    untold: u64,
}

struct Open {
    peer: SocketAddr,
    state: Arc<ConnectionState>,
    task: AbortHandle,
}

/// What a connection tells its owner.
#[derive(Default)]
struct ConnectionState {
    /// Its request has come, and its answer is being made.
    has_asked: AtomicBool,
    answered: Notify,
    /// How its answer is read, of one that goes on and on.
    stream: OnceLock<StreamProgress>,
}

impl Connections {
    pub(super) fn new(
        routes: Router,
        (patience, longest): (Duration, Duration),
        purpose: &'static str,
        identity: Option<ServerIdentity>,
    ) -> Self {
        Self {
            routes,
            patience,
            longest,
            purpose,
            identity: identity.map(Arc::new),
            tasks: JoinSet::new(),
            open: Vec::new(),
            told: None,
            untold: 0,
        }
    }

    /// Serves one request on a new connection. Whoever hangs up drops what it asked for.
    pub(super) fn serve(&mut self, stream: TcpStream, peer: SocketAddr) {
        while self.tasks.try_join_next().is_some() {}
        self.open.retain(|one| !one.task.is_finished());
        if self.open.len() >= MOST_CONNECTIONS && !self.make_way() {
            self.complain(peer);
            return; // all are being answered
        }
        let state = Arc::new(ConnectionState::default());
        let (patience, longest, purpose) = (self.patience, self.longest, self.purpose);
        let (routes, noted) = (self.routes.clone(), Arc::clone(&state));
        let identity = self.identity.clone();
        let connection = async move {
            let Some(identity) = identity else {
                return answer(stream, routes, patience, noted).await;
            };
            match greet(&identity, stream, patience).await {
                Greeted::Secured(stream) => return answer(*stream, routes, patience, noted).await,
                Greeted::Plain => {
                    tracing::debug!("plain HTTP came for {purpose}, which speaks TLS")
                }
                Greeted::Failed(why) => tracing::debug!(why, "no handshake for {purpose}"),
            }
            Ok(())
        };
        let task = self.tasks.spawn(async move {
            match timeout(longest, connection).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a connection for {purpose} broke"),
                Err(_) => tracing::debug!("a connection for {purpose} took too long"),
            }
        });
        self.open.push(Open { peer, state, task });
    }

    /// Closes the oldest connection that has asked nothing yet, of the source that holds most of these; false when there is
    /// none.
    pub(super) fn make_way(&mut self) -> bool {
        let mut held: HashMap<IpAddr, usize> = HashMap::new();
        let is_waiting = |one: &&Open| !one.state.has_asked.load(Ordering::Relaxed);
        for one in self.open.iter().filter(is_waiting) {
            *held.entry(one.peer.ip()).or_default() += 1;
        }
        let heaviest = held.into_iter().max_by_key(|(source, count)| (*count, *source));
        let Some((source, _)) = heaviest else { return false };
        let oldest = self.open.iter().position(|one| one.peer.ip() == source && is_waiting(&one));
        let Some(oldest) = oldest else { return false };
        let Open { peer, task, .. } = self.open.remove(oldest);
        task.abort();
        self.complain(peer);
        true
    }

    fn complain(&mut self, peer: SocketAddr) {
        let now = Instant::now();
        if self.told.is_some_and(|told| now < told + INTERVAL) {
            self.untold += 1;
            return;
        }
        let (purpose, others) = (self.purpose, std::mem::take(&mut self.untold));
        self.told = Some(now);
        tracing::warn!(%peer, others, "a connection for {purpose} was closed: too many are open");
    }
}

/// Waits until nobody has taken a piece of an answer for so long that nobody reads it.
async fn until_unread(progress: &StreamProgress) {
    let mut before = progress.pieces();
    loop {
        sleep(UNREAD).await;
        let now = progress.pieces();
        if now == before {
            return;
        }
        before = now;
    }
}

/// Answers one request, which has to come within `patience`, and its answer to be read within it.
async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    routes: Router,
    patience: Duration,
    state: Arc<ConnectionState>,
) -> hyper::Result<()> {
    let (answered, routes) = (Arc::clone(&state), TowerToHyperService::new(routes));
    let service = service_fn(move |request: Request<Incoming>| {
        state.has_asked.store(true, Ordering::Relaxed);
        let (answer, state) = (routes.call(request), Arc::clone(&state));
        async move {
            let mut response: Response<Body> = answer.await?;
            if let Some(progress) = response.extensions_mut().remove::<StreamProgress>() {
                let _ = state.stream.set(progress);
            }
            state.answered.notify_one();
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(LONGEST_HEAD)
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        ended = connection => ended,
        () = async {
            answered.answered.notified().await;
            match answered.stream.get() {
                None => sleep(patience).await,
                Some(progress) => until_unread(progress).await,
            }
        } => Ok(()),
    }
}
