//! Every request of the management API, and how it is answered. [`TABLE`] has a row for each.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use telemetry::{attempt_key, visible_line};
use tokio::sync::Semaphore;

use super::author::{AuthorRequest, named};
use super::blast_radius::BlastRadius;
use super::box_view::BoxViews;
use super::command_log::CommandLogView;
use super::command_plan::CommandPlan;
use super::command_request::CommandRequest;
use super::command_result::CommandResults;
use super::defect_request::{DefectRequest, DefectResults};
use super::intervention::{DoneView, FaultRequest, Intervention, InterventionKind, LoadRequest};
use super::live_feed::ChronicleView;
use super::logged_sites::LoggedSites;
use super::network_view::NetworkView;
use super::open_calls::{CallAsker, CallOrder, CallSoFar, CallsInProgress};
use super::run_view::HistoryView;
use super::state_view::StateView;
use super::trouble::{body, read, read_body, trouble};
use super::{CallServerViews, ErrorBody, ManagedSites, canary_steps, events, open_api, views};

/// Those who may watch at once.
const WATCHERS: usize = 16;

/// The longest text that is searched for.
const LONGEST_SEARCH: usize = 200;

/// What every request has at hand.
#[derive(Clone)]
pub(super) struct RouteState {
    sites: Arc<dyn ManagedSites>,
    watchers: Arc<Semaphore>,
    calls: CallAsker,
    /// How long the body of a request may take to arrive.
    patience: Duration,
}

/// What answers at a path.
type Route = fn() -> MethodRouter<RouteState>;

/// Every path of the API, with what answers there.
pub(super) const TABLE: [(&str, Route); 18] = [
    ("/v1/sites", || get(show_sites)),
    ("/v1/boxes", || get(show_boxes)),
    ("/v1/network", || get(show_network)),
    ("/v1/state", || get(show_state)),
    ("/v1/history", || get(show_history)),
    ("/v1/chronicle", || get(show_chronicle)),
    ("/v1/events", || get(show_events)),
    ("/v1/calls", || get(show_calls)),
    ("/v1/calls/{attempt}", || get(show_call)),
    ("/v1/command-log", || get(show_commands)),
    ("/v1/commands", || post(command)),
    ("/v1/canaries/{id}/continue", || post(continue_canary)),
    ("/v1/canaries/{id}/abandon", || post(abandon_canary)),
    ("/v1/blast-radius", || post(blast_radius)),
    ("/v1/faults", || post(inject)),
    ("/v1/faults/{number}", || delete(end_fault)),
    ("/v1/defects", || post(arm).delete(disarm)),
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
    let sites: Arc<dyn ManagedSites> = Arc::new(LoggedSites(sites));
    let watchers = Arc::new(Semaphore::new(WATCHERS));
    let calls = CallAsker::new(Arc::clone(&sites));
    let state = RouteState { sites, watchers, calls, patience };
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
    Json(StateView::of_sites(&*state.sites)).into_response()
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

/// Which calls are meant.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallsAsked {
    #[serde(default)]
    order: CallOrder,
    #[serde(default)]
    search: String,
}

/// The calls that are in progress at this moment, as all boxes know them: the 200 newest or oldest, and how many there are.
#[utoipa::path(
    get,
    path = "/v1/calls",
    params(
        ("order" = Option<CallOrder>, Query, description = "newest or oldest first"),
        ("search" = Option<String>, Query, description = "A part of an attempt id, caller, commune, number, trunk group, site, PSAP or state"),
    ),
    responses((status = 200, body = CallsInProgress), (status = 400, body = ErrorBody))
)]
pub(super) async fn show_calls(
    State(state): State<RouteState>,
    asked: Result<Query<CallsAsked>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Ok(Query(CallsAsked { order, search })) = asked else {
        return trouble(StatusCode::BAD_REQUEST, "order is newest or oldest, search is words");
    };
    if search.len() > LONGEST_SEARCH {
        return trouble(StatusCode::BAD_REQUEST, "search for something shorter");
    }
    Json(state.calls.list(order, search.trim()).await).into_response()
}

/// A call that is in progress, and its messages so far; or what boxes have not forgotten of one that is over.
#[utoipa::path(
    get,
    path = "/v1/calls/{attempt}",
    params(("attempt" = String, Path, description = "The id of its attempt, 32 hexadecimal digits")),
    responses(
        (status = 200, body = CallSoFar),
        (status = 400, body = ErrorBody),
        (status = 404, description = "No box knows it, or none any more", body = ErrorBody),
    )
)]
pub(super) async fn show_call(
    State(state): State<RouteState>,
    Path(attempt): Path<String>,
) -> Response {
    if attempt_key(&attempt).is_none() {
        let what =
            "the id of an attempt is 32 hexadecimal digits; GET /v1/calls has those in progress";
        return trouble(StatusCode::BAD_REQUEST, what);
    }
    match state.calls.one(&attempt).await {
        Some(call) => Json(call).into_response(),
        None => {
            let what = "no box knows this call, or none any more: it is over, and its story is among the calls of the run";
            trouble(StatusCode::NOT_FOUND, what)
        }
    }
}

/// The last 1,000 commands to call servers: who, what, how long ago, and what came of it.
#[utoipa::path(get, path = "/v1/command-log", responses((status = 200, body = CommandLogView)))]
pub(super) async fn show_commands(State(state): State<RouteState>) -> Response {
    Json(state.sites.command_log().view()).into_response()
}

/// Commands sites, and says what each call server answered. Nothing is asked back: see `/v1/blast-radius`.
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
        Ok(plan) => carry_out(&state, plan).await,
        Err(sentence) => trouble(StatusCode::BAD_REQUEST, &sentence),
    }
}

/// Gives a command: to all, or to the first site, and the others wait for a word.
async fn carry_out(state: &RouteState, plan: CommandPlan) -> Response {
    let Some(patience) = plan.canary() else {
        return Json(plan.carry_out(&state.sites).await).into_response();
    };
    if let Err(sentence) = state.sites.canaries().check() {
        return trouble(StatusCode::CONFLICT, &sentence);
    }
    Json(canary_steps::begin(&state.sites, plan, patience).await).into_response()
}

/// Gives a command that waits after its first site to the others.
#[utoipa::path(
    post,
    path = "/v1/canaries/{id}/continue",
    params(("id" = u64, Path, description = "The number that the answer to the command had, and `GET /v1/state` has")),
    request_body = Option<AuthorRequest>,
    responses(
        (status = 200, body = CommandResults),
        (status = 404, description = "There is none", body = ErrorBody),
        (status = 409, description = "Somebody has continued or abandoned it, or it has lapsed", body = ErrorBody),
    )
)]
pub(super) async fn continue_canary(
    State(state): State<RouteState>,
    Path(id): Path<String>,
    from: Body,
) -> Response {
    let (id, by) = match numbered(&id, from, state.patience).await {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    match canary_steps::go_on(&state.sites, id, by).await {
        Ok(results) => Json(results).into_response(),
        Err((status, sentence)) => trouble(status, &sentence),
    }
}

/// Ends a command that waits after its first site: the others never get it.
#[utoipa::path(
    post,
    path = "/v1/canaries/{id}/abandon",
    params(("id" = u64, Path, description = "The number that the answer to the command had, and `GET /v1/state` has")),
    request_body = Option<AuthorRequest>,
    responses(
        (status = 200, body = DoneView),
        (status = 404, description = "There is none", body = ErrorBody),
        (status = 409, description = "Somebody has continued or abandoned it, or it has lapsed", body = ErrorBody),
    )
)]
pub(super) async fn abandon_canary(
    State(state): State<RouteState>,
    Path(id): Path<String>,
    from: Body,
) -> Response {
    let (id, by) = match numbered(&id, from, state.patience).await {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    match canary_steps::abandon(&state.sites, id, by).await {
        Ok(done) => Json(DoneView { done }).into_response(),
        Err((status, sentence)) => trouble(status, &sentence),
    }
}

/// A number in a path, and who asks.
async fn numbered(id: &str, from: Body, patience: Duration) -> Result<(u64, String), Response> {
    let Ok(number) = id.parse() else {
        let what = format!("{:?} is no number", visible_line(id));
        return Err(trouble(StatusCode::NOT_FOUND, &what));
    };
    author(from, patience).await.map(|by| (number, by))
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

/// Ends a fault that acts before its time: heals ways, lets a frozen machine go on, gives a killed one its power back.
#[utoipa::path(
    delete,
    path = "/v1/faults/{number}",
    params(("number" = u64, Path, description = "The number that `GET /v1/state` has under `run.impaired`")),
    request_body = Option<AuthorRequest>,
    responses(
        (status = 200, body = DoneView),
        (status = 404, description = "That is no number", body = ErrorBody),
        (status = 409, description = "It does not act, or cannot be ended", body = ErrorBody),
    )
)]
pub(super) async fn end_fault(
    State(state): State<RouteState>,
    Path(number): Path<String>,
    from: Body,
) -> Response {
    match numbered(&number, from, state.patience).await {
        Ok((number, by)) => {
            let what = InterventionKind::EndFault(number);
            intervene(&state, Ok(Intervention { by, what })).await
        }
        Err(answer) => answer,
    }
}

/// Arms a latent defect in the software of some sites, without a release that has it. `POST /v1/blast-radius` with the command
/// `arm DEFECT KEY=VALUE` says before what it touches.
#[utoipa::path(
    post,
    path = "/v1/defects",
    request_body = DefectRequest,
    responses((status = 200, body = DefectResults), (status = 400, body = ErrorBody))
)]
pub(super) async fn arm(State(state): State<RouteState>, from: Body) -> Response {
    change_defect(&state, from, true).await
}

/// Takes a latent defect out of the software of some sites, whoever armed it.
#[utoipa::path(
    delete,
    path = "/v1/defects",
    request_body = DefectRequest,
    responses((status = 200, body = DefectResults), (status = 400, body = ErrorBody))
)]
pub(super) async fn disarm(State(state): State<RouteState>, from: Body) -> Response {
    change_defect(&state, from, false).await
}

async fn change_defect(state: &RouteState, from: Body, armed: bool) -> Response {
    let asked = match read_body::<DefectRequest>(from, state.patience, "defect").await {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    match asked.check(armed, state.sites.members(), state.sites.network()) {
        Ok((plan, BlastRadius { touched, of, against })) => {
            let CommandResults { results, .. } = plan.carry_out(&state.sites).await;
            Json(DefectResults { results, touched, of, against }).into_response()
        }
        Err(sentence) => trouble(StatusCode::BAD_REQUEST, &sentence),
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

/// Who sends this body, which may be empty.
async fn author(from: Body, patience: Duration) -> Result<String, Response> {
    let octets = body(from, patience).await?;
    let asked = match octets.is_empty() {
        true => Ok(AuthorRequest::default()),
        false => read(&octets, "author"),
    };
    let by = asked.and_then(|asked: AuthorRequest| named(asked.by));
    by.map_err(|sentence| trouble(StatusCode::BAD_REQUEST, &sentence))
}
