//! Every request of the management API, and how it is answered. [`TABLE`] has a row for each.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::blast_radius::BlastRadius;
use super::box_view::BoxViews;
use super::command_log::{CommandLogView, LoggedSites};
use super::command_request::{CommandPlan, CommandRequest, CommandResults};
use super::intervention::{DoneView, FaultRequest, Intervention, LoadRequest};
use super::live_feed::ChronicleView;
use super::network_view::NetworkView;
use super::run_view::HistoryView;
use super::state_view::StateView;
use super::trouble::{body, read_body, trouble};
use super::{CallServerViews, ErrorBody, ManagedSites, events, open_api, views};

/// Those who may watch at once.
const WATCHERS: usize = 16;

/// What every request has at hand.
#[derive(Clone)]
pub(super) struct RouteState {
    sites: Arc<dyn ManagedSites>,
    log: Arc<LoggedSites>,
    watchers: Arc<Semaphore>,
    /// How long the body of a request may take to arrive.
    patience: Duration,
}

/// What answers at a path.
type Route = fn() -> MethodRouter<RouteState>;

/// Every path of the API, with what answers there.
pub(super) const TABLE: [(&str, Route); 12] = [
    ("/v1/sites", || get(show_sites)),
    ("/v1/boxes", || get(show_boxes)),
    ("/v1/network", || get(show_network)),
    ("/v1/state", || get(show_state)),
    ("/v1/history", || get(show_history)),
    ("/v1/chronicle", || get(show_chronicle)),
    ("/v1/events", || get(show_events)),
    ("/v1/command-log", || get(show_commands)),
    ("/v1/commands", || post(command)),
    ("/v1/blast-radius", || post(blast_radius)),
    ("/v1/faults", || post(inject)),
    ("/v1/load", || post(change_load)),
];

/// The routes for those who are admitted.
pub(super) fn routes(sites: Arc<dyn ManagedSites>, patience: Duration) -> Router {
    let document = || async { Json(open_api::document()) };
    api(sites, patience)
        .route("/openapi.json", get(document))
        .fallback(nothing_there)
        .method_not_allowed_fallback(other_method)
}

/// Every path of the API.
pub fn api_paths() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(path, _)| *path)
}

/// The routes of the network alone, for a socket that has others beside them.
pub fn api(sites: Arc<dyn ManagedSites>, patience: Duration) -> Router {
    let log = Arc::new(LoggedSites::new(sites));
    let sites = Arc::clone(&log) as Arc<dyn ManagedSites>;
    let watchers = Arc::new(Semaphore::new(WATCHERS));
    let state = RouteState { sites, log, watchers, patience };
    let add =
        |router: Router<RouteState>, (path, route): (&str, Route)| router.route(path, route());
    TABLE.into_iter().fold(Router::new(), add).with_state(state)
}

/// Every call server: name, site, state, and what it last showed of itself.
#[utoipa::path(get, path = "/v1/sites", responses((status = 200, body = CallServerViews)))]
pub(super) async fn show_sites(State(state): State<RouteState>) -> Response {
    Json(views(&*state.sites)).into_response()
}

/// Every box of any kind, by name, with all that it counts.
#[utoipa::path(get, path = "/v1/boxes", responses((status = 200, body = BoxViews)))]
pub(super) async fn show_boxes(State(state): State<RouteState>) -> Response {
    Json(BoxViews::of(state.sites.boxes())).into_response()
}

/// The network of the file: what a map is drawn from. It does not change while the network runs.
#[utoipa::path(get, path = "/v1/network", responses((status = 200, body = NetworkView)))]
pub(super) async fn show_network(State(state): State<RouteState>) -> Response {
    Json(state.sites.network()).into_response()
}

/// The network at this moment, and how its run stands.
#[utoipa::path(get, path = "/v1/state", responses((status = 200, body = StateView)))]
pub(super) async fn show_state(State(state): State<RouteState>) -> Response {
    let run = state.sites.feed().run();
    Json(StateView::of(state.sites.network(), &state.sites.boxes(), run)).into_response()
}

/// The last ten minutes of a run, second by second; nothing where no campaign runs.
#[utoipa::path(get, path = "/v1/history", responses((status = 200, body = HistoryView)))]
pub(super) async fn show_history(State(state): State<RouteState>) -> Response {
    Json(state.sites.feed().history()).into_response()
}

/// The last 1,000 things that happened.
#[utoipa::path(get, path = "/v1/chronicle", responses((status = 200, body = ChronicleView)))]
pub(super) async fn show_chronicle(State(state): State<RouteState>) -> Response {
    Json(state.sites.feed().chronicle()).into_response()
}

/// Where a watcher goes on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsFrom {
    /// The number of the last line that is known.
    #[serde(default)]
    after: u64,
}

/// What happens, as Server-Sent Events: `state` once a second, `chronicle` as it happens, `missed` where the watcher was too slow,
/// `end` when nothing will happen any more.
#[utoipa::path(
    get,
    path = "/v1/events",
    params(("after" = Option<u64>, Query, description = "Tell of the chronicle what comes after this line")),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 503, description = "16 watch already", body = ErrorBody),
    )
)]
pub(super) async fn show_events(
    State(state): State<RouteState>,
    from: Result<Query<EventsFrom>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Ok(Query(EventsFrom { after })) = from else {
        return trouble(StatusCode::BAD_REQUEST, "after must be the number of a line");
    };
    match Arc::clone(&state.watchers).try_acquire_owned() {
        Ok(place) => events::stream(Arc::clone(&state.sites), after, place),
        Err(_) => {
            let what = format!("{WATCHERS} watch already; close one of their pages");
            trouble(StatusCode::SERVICE_UNAVAILABLE, &what)
        }
    }
}

/// The last 1,000 commands to call servers: who, what, how long ago, and what came of it.
#[utoipa::path(get, path = "/v1/command-log", responses((status = 200, body = CommandLogView)))]
pub(super) async fn show_commands(State(state): State<RouteState>) -> Response {
    Json(state.log.view()).into_response()
}

/// Commands sites, and says what each call server answered. Nothing is asked back, not even for all sites at once: see
/// `/v1/blast-radius`.
#[utoipa::path(
    post,
    path = "/v1/commands",
    request_body = CommandRequest,
    responses((status = 200, body = CommandResults), (status = 400, body = ErrorBody))
)]
pub(super) async fn command(State(state): State<RouteState>, from: Body) -> Response {
    let octets = match body(from, state.patience).await {
        Ok(octets) => octets,
        Err(answer) => return answer,
    };
    match CommandPlan::read(&octets, state.sites.members()) {
        Ok(plan) => Json(plan.carry_out(&state.sites).await).into_response(),
        Err(sentence) => trouble(StatusCode::BAD_REQUEST, &sentence),
    }
}

/// How a command is to be looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Precaution {
    /// The first site gets it alone and is looked at before the others follow.
    #[serde(default)]
    canary: bool,
}

/// How many sites a command would touch at once, and what speaks against it. Nothing is commanded.
#[utoipa::path(
    post,
    path = "/v1/blast-radius",
    params(("canary" = Option<bool>, Query, description = "The first site is looked at before the others follow")),
    request_body = CommandRequest,
    responses((status = 200, body = BlastRadius), (status = 400, body = ErrorBody))
)]
pub(super) async fn blast_radius(
    State(state): State<RouteState>,
    precaution: Result<Query<Precaution>, axum::extract::rejection::QueryRejection>,
    from: Body,
) -> Response {
    let Ok(Query(Precaution { canary })) = precaution else {
        return trouble(StatusCode::BAD_REQUEST, "canary must be true or false");
    };
    let octets = match body(from, state.patience).await {
        Ok(octets) => octets,
        Err(answer) => return answer,
    };
    match CommandPlan::read(&octets, state.sites.members()) {
        Ok(plan) => Json(BlastRadius::of(&plan, canary, state.sites.network())).into_response(),
        Err(sentence) => trouble(StatusCode::BAD_REQUEST, &sentence),
    }
}

/// Injects a fault into the run that goes on: kills, restarts or freezes a machine, or impairs ways.
#[utoipa::path(
    post,
    path = "/v1/faults",
    request_body = FaultRequest,
    responses(
        (status = 200, body = DoneView),
        (status = 400, body = ErrorBody),
        (status = 409, description = "It cannot be done now", body = ErrorBody),
    )
)]
pub(super) async fn inject(State(state): State<RouteState>, from: Body) -> Response {
    let asked = read_body::<FaultRequest>(from, state.patience, "fault").await;
    match asked.map(|asked| asked.check(state.sites.network())) {
        Ok(checked) => intervene(&state, checked).await,
        Err(answer) => answer,
    }
}

/// Pauses, resumes, raises or ends the load of the run that goes on, or has people in some communes call more often for a while.
#[utoipa::path(
    post,
    path = "/v1/load",
    request_body = LoadRequest,
    responses(
        (status = 200, body = DoneView),
        (status = 400, body = ErrorBody),
        (status = 409, description = "It cannot be done now", body = ErrorBody),
    )
)]
pub(super) async fn change_load(State(state): State<RouteState>, from: Body) -> Response {
    let asked = read_body::<LoadRequest>(from, state.patience, "load").await;
    match asked.map(|asked| asked.check(state.sites.network())) {
        Ok(checked) => intervene(&state, checked).await,
        Err(answer) => answer,
    }
}

async fn intervene(state: &RouteState, checked: Result<Intervention, String>) -> Response {
    let what = match checked {
        Ok(what) => what,
        Err(sentence) => return trouble(StatusCode::BAD_REQUEST, &sentence),
    };
    match state.sites.intervene(what).await {
        Ok(done) => Json(DoneView { done }).into_response(),
        Err(sentence) => trouble(StatusCode::CONFLICT, &sentence),
    }
}

async fn nothing_there() -> Response {
    let paths = TABLE.map(|(path, _)| path).join(", ");
    let what = format!("there are {paths}; /openapi.json says what each is for");
    trouble(StatusCode::NOT_FOUND, &what)
}

async fn other_method() -> Response {
    let what = "that is asked in another way; /openapi.json says how";
    trouble(StatusCode::METHOD_NOT_ALLOWED, what)
}
