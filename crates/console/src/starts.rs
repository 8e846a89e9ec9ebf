//! Campaigns: which there are, whether one is right with changed values, to start one, and to stop it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path as AxumPath, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cli::manage::{Access, DoneView, ErrorBody, read_body, trouble};
use run_folder::{Standing, names};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;

use crate::live::drain;
use crate::run_name;
use crate::shared::Shared;
use crate::started::Complaints;

/// Campaign files of a list.
const LISTED: usize = 300;

/// The longest campaign file.
const LONGEST: u64 = 1 << 20;

/// How long a run may take to make its folder.
const BEGIN: Duration = Duration::from_secs(30);

/// Between two looks for it.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A campaign file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub(crate) struct CampaignFile {
    file: String,
    /// What stands in it.
    text: String,
}

/// The answer to `GET /v1/campaigns`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct CampaignList {
    campaigns: Vec<CampaignFile>,
}

/// The body of `POST /v1/check` and `POST /v1/runs`: a campaign file, and what is changed in it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartRequest {
    /// A campaign file of the list.
    #[serde(default)]
    file: Option<String>,
    /// Or a run that is to be run again: the same file, changes and seed.
    #[serde(default)]
    again: Option<String>,
    /// `KEY=VALUE` each.
    #[serde(default)]
    set: Vec<String>,
    #[serde(default)]
    seed: Option<u64>,
    /// How long all phases last together, such as `2m`.
    #[serde(default)]
    duration: Option<String>,
    /// The highest rate, in calls per second.
    #[serde(default)]
    rate: Option<f64>,
}

/// The answer to `POST /v1/check`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct CheckView {
    is_right: bool,
    /// What the campaign means, or every mistake in it.
    text: String,
}

/// The answer to `POST /v1/runs`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct StartView {
    /// The name of its folder.
    run: String,
}

/// The campaign files that can be started here.
#[utoipa::path(get, path = "/v1/campaigns", responses((status = 200, body = CampaignList)))]
pub(crate) async fn campaigns(State(shared): State<Arc<Shared>>) -> Response {
    let folders = shared.settings.campaigns.clone();
    let campaigns = spawn_blocking(move || found(&folders)).await.unwrap_or_default();
    Json(CampaignList { campaigns }).into_response()
}

/// Files with a network and phases: what is a campaign, right or not.
fn found(folders: &[PathBuf]) -> Vec<CampaignFile> {
    let mut files = BTreeSet::new();
    for folder in folders {
        for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            let is_toml = path.extension().is_some_and(|kind| kind == "toml");
            let is_short = path.metadata().is_ok_and(|it| it.is_file() && it.len() <= LONGEST);
            let text = (is_toml && is_short).then(|| fs::read_to_string(&path).ok()).flatten();
            let Some(text) = text else { continue };
            let has = |word: &str| text.lines().any(|line| line.trim_start().starts_with(word));
            if has("network") && has("[[phases]]") {
                files.insert(CampaignFile { file: path.display().to_string(), text });
            }
        }
    }
    files.into_iter().take(LISTED).collect()
}

impl StartRequest {
    /// The campaign file, which must be one of the list, and the options that say what is changed.
    fn words(&self, shared: &Shared) -> Result<(String, Vec<String>), String> {
        let mut words = Vec::new();
        let (file, set, seed) = match (&self.file, &self.again) {
            (Some(file), None) => {
                let is_known = |one: &CampaignFile| one.file == *file;
                if !found(&shared.settings.campaigns).iter().any(is_known) {
                    return Err(format!("no campaign of the list is called {file:?}"));
                }
                (file.clone(), self.set.clone(), self.seed)
            }
            (None, Some(run)) => {
                let folder = run_name::folder(&shared.settings.runs, run)?;
                let Origin { file, mut set, is_virtual } = of_receipt(&folder)?;
                set.extend(self.set.iter().cloned());
                let time = if is_virtual { "--virtual-time" } else { "--real-time" };
                words.push(time.to_owned());
                (file, set, self.seed)
            }
            _ => return Err("name a file, or a run that is to be run again".to_owned()),
        };
        let mut option = |name: &str, value: String| words.push(format!("--{name}={value}"));
        set.into_iter().for_each(|one| option("set", one));
        if let Some(seed) = seed {
            option("seed", seed.to_string());
        }
        if let Some(duration) = &self.duration {
            option("duration", duration.clone());
        }
        if let Some(rate) = self.rate {
            option("rate", rate.to_string());
        }
        Ok((file, words))
    }
}

/// What a run was made from.
struct Origin {
    file: String,
    /// All changes; a seed that was given is one of them.
    set: Vec<String>,
    is_virtual: bool,
}

fn of_receipt(folder: &Path) -> Result<Origin, String> {
    let text = fs::read_to_string(folder.join("receipt.json"));
    let receipt: Option<Value> = text.ok().and_then(|text| serde_json::from_str(&text).ok());
    let receipt = receipt.unwrap_or_default();
    let inputs = &receipt["inputs"];
    let file = inputs["campaign"]["file"].as_str();
    let file = file.ok_or("the run does not say which file it was made from")?;
    let set = inputs["set"].as_array().into_iter().flatten();
    let set = set.filter_map(|one| one.as_str().map(str::to_owned)).collect();
    Ok(Origin { file: file.to_owned(), set, is_virtual: receipt["world"] == "virtual" })
}

/// Whether a campaign is right with these changes, and what it means. Nothing is started.
#[utoipa::path(
    post,
    path = "/v1/check",
    request_body = StartRequest,
    responses((status = 200, body = CheckView), (status = 400, body = ErrorBody))
)]
pub(crate) async fn check(State(shared): State<Arc<Shared>>, from: Body) -> Response {
    let asked = match read_body::<StartRequest>(from, shared.patience, "campaign").await {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    let (file, options) = match asked.words(&shared) {
        Ok(words) => words,
        Err(sentence) => return trouble(StatusCode::BAD_REQUEST, &sentence),
    };
    let words = [vec!["check".to_owned()], options, vec!["--".to_owned(), file]].concat();
    match shared.program.ask(&words).await {
        Ok(answer) => {
            let is_right = answer.code == Some(0);
            let text = if is_right { answer.said } else { answer.complained };
            Json(CheckView { is_right, text }).into_response()
        }
        Err(sentence) => trouble(StatusCode::SERVICE_UNAVAILABLE, &sentence),
    }
}

/// Starts a campaign. The answer comes when its run has a folder, or with the mistakes why it has none.
#[utoipa::path(
    post,
    path = "/v1/runs",
    request_body = StartRequest,
    responses(
        (status = 200, body = StartView),
        (status = 400, body = ErrorBody),
        (status = 409, description = "Nothing can be started here", body = ErrorBody),
    )
)]
pub(crate) async fn start(State(shared): State<Arc<Shared>>, from: Body) -> Response {
    let asked = match read_body::<StartRequest>(from, shared.patience, "campaign").await {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    if shared.settings.campaigns.is_empty() {
        let what = "this page belongs to one run; tocsin console starts others";
        return trouble(StatusCode::CONFLICT, what);
    }
    let started = match asked.words(&shared) {
        Ok((file, options)) => begin(&shared, file, options).await,
        Err(sentence) => Err(sentence),
    };
    match started {
        Ok(run) => Json(StartView { run }).into_response(),
        Err(sentence) => trouble(StatusCode::BAD_REQUEST, &sentence),
    }
}

/// Starts the process of a run, and waits for its folder.
async fn begin(shared: &Shared, file: String, options: Vec<String>) -> Result<String, String> {
    let runs = &shared.settings.runs;
    let known = |runs: &Path| names(runs).unwrap_or_default().into_iter().collect::<BTreeSet<_>>();
    let before = known(runs);
    let place = vec!["run".to_owned(), "--quiet".to_owned(), format!("--runs={}", runs.display())];
    let words = [place, options, vec!["--".to_owned(), file]].concat();
    let mut command = shared.program.command(&words);
    // A run outlives the console: what it has done is in its folder.
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let complaints = Complaints::default();
    let reading = child.stderr.take().map(|from| tokio::spawn(complaints.clone().read(from)));
    let until = Instant::now() + BEGIN;
    loop {
        if let Some(run) = known(runs).difference(&before).next().cloned() {
            let (kill, killed) = oneshot::channel();
            shared.started.add(&run, complaints, kill);
            tokio::spawn(async move {
                tokio::select! {
                    _ = child.wait() => {}
                    Ok(()) = killed => drop(child.kill().await),
                }
            });
            return Ok(run);
        }
        let ended = child.try_wait().map_err(|error| error.to_string())?;
        if let Some(status) = ended {
            if let Some(reading) = reading {
                let _ = reading.await;
            }
            let said = complaints.text();
            let said = said.trim().trim_start_matches("error: ");
            return Err(if said.is_empty() {
                format!("it ended with {status}")
            } else {
                said.to_owned()
            });
        }
        if Instant::now() >= until {
            let _ = child.kill().await;
            return Err(format!("no run began within {} s", BEGIN.as_secs()));
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// Ends a run that goes on: nobody calls any more, and it tells its result. A run that cannot be asked, and was started here, is
/// killed.
#[utoipa::path(
    post,
    path = "/v1/runs/{run}/stop",
    params(("run" = String, Path, description = "The name of its folder, or latest")),
    responses(
        (status = 200, body = DoneView),
        (status = 404, body = ErrorBody),
        (status = 409, description = "It does not go on, or cannot be asked", body = ErrorBody),
    )
)]
pub(crate) async fn stop(
    State(shared): State<Arc<Shared>>,
    AxumPath(run): AxumPath<String>,
) -> Response {
    let folder = match run_name::folder(&shared.settings.runs, &run) {
        Ok(folder) => folder,
        Err(sentence) => return trouble(StatusCode::NOT_FOUND, &sentence),
    };
    if !Standing::of(&folder).goes_on() {
        return trouble(StatusCode::CONFLICT, "the run does not go on");
    }
    if let Ok(access) = Access::read(&folder.join("manage.json"))
        && drain(access).await
    {
        let done =
            "nobody calls any more; the result comes when the last calls have ended".to_owned();
        return Json(DoneView { done }).into_response();
    }
    if shared.started.kill(&run) {
        return Json(DoneView { done: "its process was killed".to_owned() }).into_response();
    }
    let what = "the run cannot be asked: end it where it was started, by Ctrl-C";
    trouble(StatusCode::CONFLICT, what)
}
