//! What is asked over HTTP and how it is answered. Nothing is read from whoever has not shown the token.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::time::timeout;

use super::box_view::BoxViews;
use super::command_log::LoggedSites;
use super::command_request::CommandPlan;
use super::{ErrorBody, ManagedSites, Token, guard, views};

/// The longest body: a command that names hundreds of sites is shorter.
const LONGEST_BODY: usize = 16 * 1024;

/// What every request has at hand.
#[derive(Clone)]
struct RouteState {
    sites: Arc<dyn ManagedSites>,
    log: Arc<LoggedSites>,
    token: Token,
    /// How long the body of a request may take to arrive.
    patience: Duration,
    /// Listens on loopback.
    local: bool,
}

pub(super) fn routes(
    sites: Arc<dyn ManagedSites>,
    token: Token,
    patience: Duration,
    local: bool,
) -> Router {
    let log = Arc::new(LoggedSites::new(sites));
    let sites = Arc::clone(&log) as Arc<dyn ManagedSites>;
    let state = RouteState { sites, log, token, patience, local };
    Router::new()
        .route("/v1/sites", get(show_sites))
        .route("/v1/boxes", get(show_boxes))
        .route("/v1/command-log", get(show_commands))
        .route("/v1/commands", post(command))
        .fallback(nothing_there)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(state.clone(), admit))
        .with_state(state)
}

async fn admit(State(state): State<RouteState>, request: Request, next: Next) -> Response {
    if let Some(sentence) = guard::refusal(request.headers(), state.local) {
        return trouble(StatusCode::MISDIRECTED_REQUEST, sentence);
    }
    let shown = request.headers().get(AUTHORIZATION);
    if shown.is_some_and(|shown| state.token.admits(shown.as_bytes())) {
        return next.run(request).await;
    }
    let what = "show the token of manage.json: \"Authorization: Bearer TOKEN\"";
    let challenge = [(WWW_AUTHENTICATE, "Bearer")];
    (challenge, trouble(StatusCode::UNAUTHORIZED, what)).into_response()
}

async fn show_sites(State(state): State<RouteState>) -> Response {
    Json(views(&*state.sites)).into_response()
}

async fn show_boxes(State(state): State<RouteState>) -> Response {
    Json(BoxViews::of(state.sites.boxes())).into_response()
}

async fn show_commands(State(state): State<RouteState>) -> Response {
    Json(state.log.view()).into_response()
}

async fn command(State(state): State<RouteState>, body: Body) -> Response {
    let body = match timeout(state.patience, to_bytes(body, LONGEST_BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let what = format!("the body is broken, or longer than {LONGEST_BODY} octets");
            return trouble(StatusCode::PAYLOAD_TOO_LARGE, &what);
        }
        Err(_) => return trouble(StatusCode::REQUEST_TIMEOUT, "the body does not arrive"),
    };
    match CommandPlan::read(&body, state.sites.members()) {
        Ok(plan) => Json(plan.carry_out(&state.sites).await).into_response(),
        Err(sentence) => trouble(StatusCode::BAD_REQUEST, &sentence),
    }
}

async fn nothing_there() -> Response {
    let what = "there are GET /v1/sites, GET /v1/boxes, GET /v1/command-log and POST /v1/commands";
    trouble(StatusCode::NOT_FOUND, what)
}

async fn other_method() -> Response {
    let what = "GET shows sites, boxes and the command log, POST gives commands";
    trouble(StatusCode::METHOD_NOT_ALLOWED, what)
}

fn trouble(status: StatusCode, sentence: &str) -> Response {
    (status, Json(ErrorBody { error: sentence.to_owned() })).into_response()
}
