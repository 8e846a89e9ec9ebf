//! Metrics of a program's boxes for Prometheus: `GET /metrics`, in the OpenMetrics text format.
//!
//! ```text
//!  boxes ── once a second ──► Directory, or LatestState of tocsin run ──► Source ◄── a scrape ── Prometheus
//! ```
//!
//! A scrape reads what the boxes showed last, at most a second ago. It never asks a box, so no scrape can hold one up.

mod exposition;
mod lag;
mod latest_state;
mod table;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clap::Args;

use crate::manage::guard::{self, Door};
use crate::manage::{Audience, HttpListener, Listening};

pub(crate) use latest_state::own;
pub use latest_state::{LatestState, Source};

/// The media type of OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whoever reads slower than this leaves its place to others.
const LONGEST_SCRAPE: Duration = Duration::from_secs(10);

/// Whether a program shows metrics, and where.
#[derive(Debug, Clone, Default, Args)]
pub struct MetricsArgs {
    /// Show metrics for Prometheus at http://ADDRESS/metrics; port 0 takes any free port. Whoever reaches the address can
    /// read them
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<SocketAddr>,
}

/// A bound address where metrics will be shown.
#[derive(Debug)]
pub struct MetricsListener(HttpListener);

impl MetricsArgs {
    /// Binds the address, if there is one.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn open(&self) -> anyhow::Result<Option<MetricsListener>> {
        let open = |address| HttpListener::bind(address, "metrics").map(MetricsListener);
        self.metrics.map(open).transpose()
    }
}

impl MetricsListener {
    /// Where they will be shown.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Begins to answer. To be called inside a runtime.
    ///
    /// # Errors
    /// The runtime cannot take the socket.
    pub fn serve(self, source: Source) -> anyhow::Result<Listening> {
        let local = self.0.address().ip().is_loopback();
        self.0.answer(routes(source, local), LONGEST_SCRAPE)
    }
}

#[derive(Clone)]
struct ScrapeState {
    source: Source,
    /// Listens on loopback, so that only programs of this machine are meant to read.
    local: bool,
}

fn routes(source: Source, local: bool) -> Router {
    let other = || async { (StatusCode::NOT_FOUND, "there is GET /metrics\n") };
    let method = || async { (StatusCode::METHOD_NOT_ALLOWED, "there is GET /metrics\n") };
    Router::new()
        .route("/metrics", get(show))
        .fallback(other)
        .method_not_allowed_fallback(method)
        .with_state(ScrapeState { source, local })
}

async fn show(State(state): State<ScrapeState>, request: Request) -> Response {
    if let Some(sentence) =
        guard::refusal(request.headers(), &Door::plain(state.local), Audience::Programs)
    {
        return (StatusCode::MISDIRECTED_REQUEST, format!("{sentence}\n")).into_response();
    }
    match exposition::expose((state.source)()) {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
