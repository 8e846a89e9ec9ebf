//! The socket of the console, and everything that is answered there.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use cli::manage::{Audience, HttpListener, Listening, Token, trouble};
use cli::{ServerIdentity, TlsArgs};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::live::Live;
use crate::program::Program;
use crate::shared::{ConsoleSettings, Shared};
use crate::started::Started;
use crate::tickets::Tickets;
use crate::{calls, open_api, page, runs, sounds, starts};

/// The certificate of a console that has made it itself, with its key, in the folder of runs.
const KEPT: &str = ".console.pem";

/// How long a page may take to hear how its run ended.
const FAREWELL: Duration = Duration::from_secs(2);

/// A console whose address is bound.
#[derive(Debug)]
pub struct ConsoleListener {
    listener: HttpListener,
    token: Token,
    /// `None`: plain HTTP, on this machine alone.
    identity: Option<ServerIdentity>,
}

/// A console as long as this is kept.
#[derive(Debug)]
#[must_use = "it ends when dropped"]
pub struct Console {
    _listening: Listening,
    shared: Arc<Shared>,
}

/// What answers at a path.
type Route = fn() -> MethodRouter<Arc<Shared>>;

/// Every path of the console beside those of the management API, with what answers there.
pub(crate) const TABLE: [(&str, Route); 13] = [
    ("/v1/runs", || get(runs::list).post(starts::start)),
    ("/v1/runs/{run}", || get(runs::show)),
    ("/v1/runs/{run}/stop", || post(starts::stop)),
    ("/v1/runs/{run}/files/{file}", || get(runs::file)),
    ("/v1/runs/{run}/calls", || get(calls::list)),
    ("/v1/runs/{run}/calls/{attempt}", || get(calls::show)),
    ("/v1/runs/{run}/calls/{attempt}/capture", || get(calls::capture)),
    ("/v1/runs/{run}/calls/{attempt}/sounds", || get(sounds::list)),
    ("/v1/runs/{run}/calls/{attempt}/sounds/{file}", || get(sounds::show)),
    ("/v1/compare", || get(runs::compare)),
    ("/v1/campaigns", || get(starts::campaigns)),
    ("/v1/check", || post(starts::check)),
    ("/v1/tickets", || post(runs::ticket)),
];

impl ConsoleListener {
    /// Binds `address`; port 0 takes any free port. Beyond this machine it speaks TLS, by the files of `tls` or a certificate of its
    /// own, which is kept in the folder `runs`.
    ///
    /// # Errors
    /// The address cannot be had, or a file is no certificate.
    pub fn bind(address: SocketAddr, tls: &TlsArgs, runs: &Path) -> anyhow::Result<Self> {
        let listener = HttpListener::bind(address, "the console")?;
        let identity = tls.identity(address, &runs.join(KEPT))?;
        let listener = listener.secured(identity.clone());
        Ok(Self { listener, token: Token::draw()?, identity })
    }

    /// The link to the page. The token stands behind `#`, which no browser sends and no log keeps.
    #[must_use]
    pub fn link(&self) -> String {
        let token = self.token.credentials();
        let token = token.trim_start_matches("Bearer ");
        let address = self.listener.address();
        match &self.identity {
            Some(identity) => format!("https://{}/#token={token}", identity.host(address)),
            None => format!("http://{address}/#token={token}"),
        }
    }

    /// What the person who starts it is to know of its certificate, in lines.
    #[must_use]
    pub fn told(&self) -> &[String] {
        self.identity.as_ref().map(ServerIdentity::told).unwrap_or_default()
    }

    /// Begins to answer. `live` is the network that is watched and commanded. To be called inside a runtime.
    ///
    /// # Errors
    /// The runtime cannot take the socket.
    pub fn serve(self, settings: ConsoleSettings, live: Live) -> anyhow::Result<Console> {
        let Self { listener, token, .. } = self;
        let patience = listener.patience();
        let shared = Arc::new(Shared {
            program: Program::new(settings.program.clone()),
            started: Started::default(),
            tickets: Tickets::default(),
            patience,
            own_run: live.own_run(),
            told_end: Notify::new(),
            settings,
        });
        let admission = listener.admission(token, Audience::OwnPage);
        let add =
            |router: Router<Arc<Shared>>, (path, route): (&str, Route)| router.route(path, route());
        let document = || async { Json(open_api::document()) };
        let routes = TABLE.into_iter().fold(Router::new(), add).with_state(Arc::clone(&shared));
        let routes = routes
            .merge(live.routes(patience))
            .route("/openapi.json", get(document))
            .fallback(nothing_there)
            .method_not_allowed_fallback(other_method);
        let open = page::routes().merge(runs::with_ticket(Arc::clone(&shared)));
        let routes = admission.guard_page(open).merge(admission.guard(routes));
        let routes = routes.layer(axum::middleware::from_fn(page::protect));
        Ok(Console { _listening: listener.answer(routes, Duration::MAX)?, shared })
    }
}

impl Console {
    /// Waits a little for somebody who watches to hear how the run ended.
    pub async fn tell_end(&self) {
        let _ = timeout(FAREWELL, self.shared.told_end.notified()).await;
    }
}

async fn nothing_there() -> axum::response::Response {
    let what = "there is no such thing; /openapi.json says what there is";
    trouble(axum::http::StatusCode::NOT_FOUND, what)
}

async fn other_method() -> axum::response::Response {
    let what = "that is asked in another way; /openapi.json says how";
    trouble(axum::http::StatusCode::METHOD_NOT_ALLOWED, what)
}
