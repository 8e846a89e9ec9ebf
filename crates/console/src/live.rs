//! The network that is watched and commanded: of the run in this process, or of one that goes on in the folder of runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use cli::manage::{Access, ManagedSites, StreamProgress, api, api_paths, body, trouble};
use futures_util::TryStreamExt as _;
use run_folder::{Standing, names};
use tokio::time::timeout;

/// Run folders that are looked at for one that goes on.
const LOOKED_AT: usize = 50;

/// How long a run may take to hear that its campaign is to end.
const LONGEST: Duration = Duration::from_secs(5);

/// Whom the page watches and commands.
#[expect(missing_debug_implementations, reason = "sites are whatever the run has")]
pub enum Live {
    /// The run of this process, and the name of its folder.
    Here(Arc<dyn ManagedSites>, String),
    /// The newest run that goes on in this folder.
    Attached(PathBuf),
    /// Nobody: a run whose network is another one's.
    Nobody(String),
}

impl Live {
    /// The run of this process, if it has one.
    pub(crate) fn own_run(&self) -> Option<String> {
        match self {
            Self::Here(_, run) | Self::Nobody(run) => Some(run.clone()),
            Self::Attached(_) => None,
        }
    }

    /// The management API of the network.
    pub(crate) fn routes(self, patience: Duration) -> Router {
        let proxied = |state: Attachment| {
            let add = |router: Router<Attachment>, path| router.route(path, any(pass_on));
            api_paths().fold(Router::new(), add).with_state(state)
        };
        match self {
            Self::Here(sites, _) => api(sites, patience),
            Self::Attached(runs) => proxied(Attachment { runs: Some(runs), patience }),
            Self::Nobody(_) => proxied(Attachment { runs: None, patience }),
        }
    }
}

#[derive(Debug, Clone)]
struct Attachment {
    runs: Option<PathBuf>,
    patience: Duration,
}

/// The newest run in `runs` that goes on and can be managed: its name, and the way there.
pub(crate) fn attached(runs: &Path) -> Option<(String, Access)> {
    let names = names(runs).ok()?;
    names.into_iter().rev().take(LOOKED_AT).find_map(|name| {
        let folder = runs.join(&name);
        let goes_on = Standing::of(&folder).goes_on();
        let access = goes_on.then(|| Access::read(&folder.join("manage.json")).ok())?;
        Some((name, access?))
    })
}

/// Passes a request on to the run that goes on, and its answer back.
async fn pass_on(State(to): State<Attachment>, request: Request) -> Response {
    let nobody = "no run goes on; start one, here or with tocsin run";
    let Some(runs) = to.runs else {
        let what = "this run calls a network that it has not started: it can be neither seen nor commanded here";
        return trouble(StatusCode::CONFLICT, what);
    };
    let found = tokio::task::spawn_blocking(move || attached(&runs)).await.ok().flatten();
    let Some((name, access)) = found else { return trouble(StatusCode::CONFLICT, nobody) };
    let (head, content) = request.into_parts();
    let content = match body(content, to.patience).await {
        Ok(content) => content,
        Err(answer) => return answer,
    };
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let asked = access.request(head.method, path, Body::from(content));
    let Ok(asked) = asked else { return trouble(StatusCode::BAD_REQUEST, "that cannot be asked") };
    match ask(access, asked).await {
        Ok(answer) => answer,
        Err(error) => {
            let what = format!("run {name} does not answer: {error}");
            trouble(StatusCode::BAD_GATEWAY, &what)
        }
    }
}

async fn ask(access: Access, asked: Request) -> anyhow::Result<Response> {
    let mut sender = access.open().await?;
    let answer = sender.send_request(asked).await?;
    let kind = answer.headers().get(CONTENT_TYPE).cloned();
    let kind = kind.unwrap_or_else(|| HeaderValue::from_static("application/json"));
    let is_stream = kind.as_bytes().starts_with(b"text/event-stream");
    let mut passed = Response::new(Body::empty());
    *passed.status_mut() = answer.status();
    passed.headers_mut().insert(CONTENT_TYPE, kind);
    let progress = StreamProgress::default();
    let noted = progress.clone();
    let pieces = Body::new(answer.into_body()).into_data_stream();
    // The connection to the run is kept as long as its answer is read.
    *passed.body_mut() = Body::from_stream(pieces.inspect_ok(move |_| {
        let _ = &sender;
        noted.note();
    }));
    if is_stream {
        passed.extensions_mut().insert(progress);
    }
    Ok(passed)
}

/// Has the run at `access` end its campaign; false if it did not.
pub(crate) async fn drain(access: Access) -> bool {
    let order = serde_json::json!({ "load": "drain", "by": "console: stop" });
    let asked = access.request(Method::POST, "/v1/load", Body::from(order.to_string()));
    let Ok(asked) = asked else { return false };
    let answer = timeout(LONGEST, ask(access, asked)).await;
    answer.is_ok_and(|answer| answer.is_ok_and(|it| it.status().is_success()))
}
