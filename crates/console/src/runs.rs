//! Runs that were and that go on: the list of them, one of them, its files, and two side by side.

use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path as AxumPath, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cli::manage::{ErrorBody, read_body, trouble};
use run_folder::Standing;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use crate::folder_work::in_folder;
use crate::live::attached;
use crate::run_name;
use crate::shared::Shared;

/// Runs that a list shows.
const LISTED: usize = 200;

/// The longest file that is read whole.
const LONGEST: u64 = 64 << 20;

/// A report opens in a world of its own: what a stranger wrote into a call reaches nothing of the console, even if it ran.
const SANDBOX: &str = "sandbox allow-scripts allow-popups";

/// The answer to `GET /v1/runs`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RunList {
    /// The newest first: name, campaign, verdict, attempts, asr, `pdd_p99_us`, `duration_s`, `started_at`.
    #[schema(value_type = Vec<Object>)]
    runs: Vec<Value>,
    /// The run that is watched and commanded, if one goes on.
    attached: Option<String>,
    /// Whether campaigns can be started here.
    can_start: bool,
}

/// The answer to `GET /v1/runs/{run}`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RunDetail {
    name: String,
    /// `starting`, `running`, `ended`, `broken` or `not started`.
    standing: String,
    /// Of a run that has ended: what stands in `summary.json`.
    #[schema(value_type = Option<Object>)]
    summary: Option<Value>,
    /// Files that can be read.
    files: Vec<String>,
    /// The command line that it was started by.
    command: Option<String>,
    /// What it complained of, if it was started here.
    complained: Option<String>,
}

/// The answer to `GET /v1/compare`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct ComparisonView {
    /// As `tocsin compare` tells it.
    text: String,
}

/// The runs of the folder, the newest first, and which of them goes on.
#[utoipa::path(get, path = "/v1/runs", responses((status = 200, body = RunList)))]
pub(crate) async fn list(State(shared): State<Arc<Shared>>) -> Response {
    let runs = shared.settings.runs.clone();
    let words = ["runs", "--json", "--last", &LISTED.to_string(), "--runs"].map(str::to_owned);
    let words = [&words[..], &[runs.display().to_string()]].concat();
    let told = match shared.program.ask(&words).await {
        Ok(answer) if answer.code == Some(0) => answer.said,
        Ok(answer) => return trouble(StatusCode::CONFLICT, answer.complained.trim()),
        Err(sentence) => return trouble(StatusCode::SERVICE_UNAVAILABLE, &sentence),
    };
    let found = spawn_blocking(move || attached(&runs)).await.ok().flatten();
    let attached = shared.own_run.clone().or_else(|| found.map(|(name, _)| name));
    let runs = serde_json::from_str(&told).unwrap_or_default();
    let can_start = !shared.settings.campaigns.is_empty();
    Json(RunList { runs, attached, can_start }).into_response()
}

/// How a run stands, what it came to, and which files it has left.
#[utoipa::path(
    get,
    path = "/v1/runs/{run}",
    params(("run" = String, Path, description = "The name of its folder, or latest")),
    responses((status = 200, body = RunDetail), (status = 404, body = ErrorBody))
)]
pub(crate) async fn show(
    State(shared): State<Arc<Shared>>,
    AxumPath(run): AxumPath<String>,
) -> Response {
    let detail = in_folder(&shared, run, |folder| Ok(detail(&folder)));
    match detail.await {
        Ok(mut detail) => {
            detail.complained = shared.started.complained(&detail.name);
            if detail.summary.is_some() {
                shared.told_end.notify_one();
            }
            Json(detail).into_response()
        }
        Err(answer) => answer,
    }
}

fn detail(folder: &Path) -> RunDetail {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let summary = text("summary.json").and_then(|text| serde_json::from_str(&text).ok());
    RunDetail {
        name: name.unwrap_or_default(),
        standing: Standing::of(folder).as_str().to_owned(),
        summary,
        files: run_name::files(folder),
        command: text("command.txt").map(|text| text.trim().to_owned()),
        complained: None,
    }
}

/// A file that a run has left, as it is.
#[utoipa::path(
    get,
    path = "/v1/runs/{run}/files/{file}",
    params(
        ("run" = String, Path, description = "The name of its folder, or latest"),
        ("file" = String, Path, description = "One of the files that the run shows"),
    ),
    responses(
        (status = 200, body = String, content_type = "application/octet-stream"),
        (status = 404, body = ErrorBody),
    )
)]
pub(crate) async fn file(
    State(shared): State<Arc<Shared>>,
    AxumPath((run, file)): AxumPath<(String, String)>,
) -> Response {
    send(&shared, run, file).await
}

async fn send(shared: &Shared, run: String, file: String) -> Response {
    let name = file.clone();
    let read = in_folder(shared, run, move |folder| {
        let path = run_name::file(&folder, &name)?;
        let length = path.metadata().map_or(0, |it| it.len());
        if length > LONGEST {
            return Err(format!("{} is too long for a browser; open it there", path.display()));
        }
        std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    });
    match read.await {
        Ok(octets) => {
            let head = [(CONTENT_TYPE, kind(&file)), (CONTENT_SECURITY_POLICY, SANDBOX)];
            (head, octets).into_response()
        }
        Err(answer) => answer,
    }
}

fn kind(file: &str) -> &'static str {
    match file.rsplit_once('.').map(|(_, kind)| kind) {
        Some("html") => "text/html; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("xml") => "application/xml",
        Some("csv") => "text/csv; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

/// Two runs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pair {
    before: String,
    after: String,
}

/// Two runs side by side, as `tocsin compare` tells them.
#[utoipa::path(
    get,
    path = "/v1/compare",
    params(
        ("before" = String, Query, description = "The run to compare with"),
        ("after" = String, Query, description = "The run that is judged"),
    ),
    responses(
        (status = 200, body = ComparisonView),
        (status = 404, body = ErrorBody),
        (status = 409, description = "They cannot be compared", body = ErrorBody),
    )
)]
pub(crate) async fn compare(
    State(shared): State<Arc<Shared>>,
    pair: Result<Query<Pair>, QueryRejection>,
) -> Response {
    let Ok(Query(Pair { before, after })) = pair else {
        return trouble(StatusCode::BAD_REQUEST, "name two runs: before and after");
    };
    let runs = &shared.settings.runs;
    for name in [&before, &after] {
        if let Err(sentence) = run_name::folder(runs, name) {
            return trouble(StatusCode::NOT_FOUND, &sentence);
        }
    }
    let words = ["compare", "--runs", &runs.display().to_string(), "--", &before, &after];
    match shared.program.ask(&words.map(str::to_owned)).await {
        Ok(answer) if matches!(answer.code, Some(0 | 1)) => {
            Json(ComparisonView { text: answer.said }).into_response()
        }
        Ok(answer) => {
            let said = answer.complained.trim().trim_start_matches("error: ");
            trouble(StatusCode::CONFLICT, said)
        }
        Err(sentence) => trouble(StatusCode::SERVICE_UNAVAILABLE, &sentence),
    }
}

/// The body of `POST /v1/tickets`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TicketRequest {
    run: String,
    file: String,
}

/// The answer to it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct TicketView {
    /// Where the file opens for ten minutes without the token.
    url: String,
}

/// A link to one file of a run, for a window of its own.
#[utoipa::path(
    post,
    path = "/v1/tickets",
    request_body = TicketRequest,
    responses((status = 200, body = TicketView), (status = 404, body = ErrorBody))
)]
pub(crate) async fn ticket(State(shared): State<Arc<Shared>>, from: Body) -> Response {
    let asked = read_body::<TicketRequest>(from, shared.patience, "ticket").await;
    let TicketRequest { run, file } = match asked {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    let runs = &shared.settings.runs;
    let found = run_name::folder(runs, &run).and_then(|folder| run_name::file(&folder, &file));
    match found.map(|_| shared.tickets.give(&run, &file)) {
        Ok(Ok(word)) => {
            let url = format!("/runs/{run}/{file}?ticket={word}");
            Json(TicketView { url }).into_response()
        }
        Ok(Err(error)) => trouble(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        Err(sentence) => trouble(StatusCode::NOT_FOUND, &sentence),
    }
}

#[derive(Debug, Default, Deserialize)]
struct Shown {
    #[serde(default)]
    ticket: String,
}

/// Files of runs for windows that show a ticket.
pub(crate) fn with_ticket(shared: Arc<Shared>) -> Router {
    let open = async |State(shared): State<Arc<Shared>>,
                      AxumPath((run, file)): AxumPath<(String, String)>,
                      shown: Result<Query<Shown>, QueryRejection>| {
        let Query(Shown { ticket }) = shown.unwrap_or_default();
        match shared.tickets.admits(&ticket, &run, &file) {
            true => send(&shared, run, file).await,
            false => trouble(
                StatusCode::UNAUTHORIZED,
                "this link is over; open the file from the console again",
            ),
        }
    };
    Router::new().route("/runs/{run}/{file}", get(open)).with_state(shared)
}
