//! The calls of a run, while it goes on and afterwards, and the story of one of them.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use account::call;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path as AxumPath, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use cli::manage::{ErrorBody, LadderView, trouble};
use run_folder::{CALLS, Folder, RunState, call_story, write_capture};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use telemetry::{BoxKind, CallRecord, Outcome};
use utoipa::ToSchema;

use crate::folder_work::in_folder;
use crate::shared::Shared;

/// Calls of a list.
const LISTED: usize = 200;

/// What is read from the end of each file of records while a run goes on.
const TAIL: u64 = 8 << 20;

/// The longest text that is searched for.
const LONGEST_SEARCH: usize = 200;

/// Which calls are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Choice {
    /// Rejected, timed out or lost.
    #[default]
    Failed,
    /// Those who waited longest for the first ring.
    Slowest,
    /// The latest.
    All,
}

/// A call in a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CallLine {
    attempt: String,
    number: Option<String>,
    trunk_group: Option<String>,
    site: Option<String>,
    psap: Option<String>,
    outcome: String,
    status: Option<i64>,
    /// From the start of the campaign.
    at_s: Option<f64>,
    pdd_ms: Option<f64>,
    why: Option<String>,
}

/// The answer to `GET /v1/runs/{run}/calls`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct CallList {
    calls: Vec<CallLine>,
    /// Of which calls these are: of all, or of those that were over lately while the run goes on.
    of: String,
}

/// The answer to `GET /v1/runs/{run}/calls/{attempt}`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct CallStory {
    attempt: String,
    /// Everything known of the call, in the order of time across all boxes, as `tocsin show RUN CALL` tells it.
    text: String,
    /// Its messages between all boxes; without them, `no_ladder` says why.
    ladder: Option<LadderView>,
    no_ladder: Option<String>,
}

/// What is asked of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallQuery {
    #[serde(default)]
    choice: Choice,
    /// Only those with these words.
    #[serde(default)]
    search: String,
}

/// Calls of a run: those that failed, that were slowest, or the latest, with these words in them.
#[utoipa::path(
    get,
    path = "/v1/runs/{run}/calls",
    params(
        ("run" = String, Path, description = "The name of its folder, or latest"),
        ("choice" = Option<Choice>, Query, description = "failed, slowest or all"),
        ("search" = Option<String>, Query, description = "A part of an attempt id, number, site, PSAP, outcome or reason"),
    ),
    responses(
        (status = 200, body = CallList),
        (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody),
    )
)]
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    AxumPath(run): AxumPath<String>,
    query: Result<Query<CallQuery>, QueryRejection>,
) -> Response {
    let Ok(Query(query)) = query else {
        return trouble(StatusCode::BAD_REQUEST, "choice is failed, slowest or all");
    };
    if query.search.len() > LONGEST_SEARCH {
        return trouble(StatusCode::BAD_REQUEST, "search for something shorter");
    }
    let listed = in_folder(&shared, run, move |folder| {
        let listed = match folder.join(CALLS).is_file() {
            true => kept(&folder, &query),
            false => so_far(&folder, &query),
        };
        listed.map_err(|error| format!("{error:#}"))
    });
    listed.await.map_or_else(|answer| answer, |calls| Json(calls).into_response())
}

/// The story of one call.
#[utoipa::path(
    get,
    path = "/v1/runs/{run}/calls/{attempt}",
    params(
        ("run" = String, Path, description = "The name of its folder, or latest"),
        ("attempt" = String, Path, description = "The id of its attempt, or a unique beginning of it"),
    ),
    responses((status = 200, body = CallStory), (status = 404, body = ErrorBody))
)]
pub(crate) async fn show(
    State(shared): State<Arc<Shared>>,
    AxumPath((run, attempt)): AxumPath<(String, String)>,
) -> Response {
    let story = in_folder(&shared, run, move |folder| {
        story(&folder, attempt).map_err(|error| format!("{error:#}"))
    });
    story.await.map_or_else(|answer| answer, |story| Json(story).into_response())
}

/// Everything known of a call of the run in `folder`. This is the place for other ways to tell it.
fn story(folder: &Path, attempt: String) -> anyhow::Result<CallStory> {
    let place = Folder::open(folder);
    let files = place.record_files();
    let text = match folder.join(CALLS).is_file() {
        true => call::tell(&place.calls()?, &files, &attempt)?,
        // The run goes on: its records tell what is over.
        false => call::tell_served(RunState::load(folder)?.started_us, &files, &attempt)?,
    };
    let (ladder, no_ladder) = match call_story(folder, &attempt) {
        Ok(story) => (Some(LadderView::of(&story)), None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    Ok(CallStory { attempt, text, ladder, no_ladder })
}

/// The messages of one call, as a capture for Wireshark.
#[utoipa::path(
    get,
    path = "/v1/runs/{run}/calls/{attempt}/capture",
    params(
        ("run" = String, Path, description = "The name of its folder, or latest"),
        ("attempt" = String, Path, description = "The id of its attempt, or a unique beginning of it"),
    ),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>, description = "A pcapng file"),
        (status = 404, body = ErrorBody),
    )
)]
pub(crate) async fn capture(
    State(shared): State<Arc<Shared>>,
    AxumPath((run, attempt)): AxumPath<(String, String)>,
) -> Response {
    let written = in_folder(&shared, run, move |folder| {
        let written = call_story(&folder, &attempt).and_then(|story| {
            let mut octets = Vec::new();
            write_capture(&folder, &[story], &mut octets)?;
            Ok(octets)
        });
        written.map_err(|error| format!("{error:#}"))
    });
    match written.await {
        Ok(octets) => ([(CONTENT_TYPE, "application/octet-stream")], octets).into_response(),
        Err(answer) => answer,
    }
}

/// Calls of a run that has ended, from its database.
fn kept(folder: &Path, query: &CallQuery) -> anyhow::Result<CallList> {
    let database: Connection = Folder::open(folder).calls()?;
    let (condition, order) = match query.choice {
        Choice::Failed => ("outcome IN ('rejected', 'timed_out', 'lost')", "intended_us"),
        Choice::Slowest => ("pdd_us IS NOT NULL", "pdd_us DESC"),
        Choice::All => ("true", "intended_us DESC"),
    };
    let text = "attempt || ' ' || coalesce(number, '') || ' ' || coalesce(trunk_group, '') || ' ' || coalesce(site, '') \
                || ' ' || coalesce(psap, '') || ' ' || outcome || ' ' || coalesce(status, '') || ' ' || coalesce(why, '')";
    let wanted = format!(
        "SELECT attempt, number, trunk_group, site, psap, outcome, status, intended_us / 1e6, pdd_us / 1e3, \
         coalesce(why, contradiction) FROM attempts WHERE {condition} AND instr(lower({text}), lower(?)) > 0 \
         ORDER BY {order} LIMIT {LISTED}"
    );
    let mut statement = database.prepare(&wanted)?;
    let lines = statement.query_map([&query.search], |row| {
        Ok(CallLine {
            attempt: row.get(0)?,
            number: row.get(1)?,
            trunk_group: row.get(2)?,
            site: row.get(3)?,
            psap: row.get(4)?,
            outcome: row.get(5)?,
            status: row.get(6)?,
            at_s: row.get(7)?,
            pdd_ms: row.get(8)?,
            why: row.get(9)?,
        })
    })?;
    let calls = lines.collect::<Result<_, _>>()?;
    Ok(CallList { calls, of: "all calls of the run".to_owned() })
}

/// Calls that are over of a run that goes on, from the ends of what its callers have recorded.
fn so_far(folder: &Path, query: &CallQuery) -> anyhow::Result<CallList> {
    let started_us = RunState::load(folder).map_or(0, |state| state.started_us);
    let files = Folder::open(folder).record_files();
    let of_callers = files.iter().filter(|file| {
        file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("load"))
    });
    let mut records = Vec::new();
    let mut is_whole = true;
    for file in of_callers {
        let (text, whole) = tail(file)?;
        is_whole &= whole;
        let lines = text.lines().filter_map(|line| serde_json::from_str::<CallRecord>(line).ok());
        records.extend(lines.filter(|record| record.kind == BoxKind::Generator));
    }
    let search = query.search.to_lowercase();
    let mut calls: Vec<(u64, CallLine)> = records
        .into_iter()
        .filter(|record| match query.choice {
            Choice::Failed => {
                matches!(record.outcome, Outcome::Rejected | Outcome::TimedOut | Outcome::Lost)
            }
            Choice::Slowest => record.ring_us.or(record.answer_us).is_some(),
            Choice::All => true,
        })
        .map(|record| (record.end_us, line(record, started_us)))
        .filter(|(_, line)| search.is_empty() || words(line).contains(&search))
        .collect();
    match query.choice {
        Choice::Slowest => calls.sort_by(|(_, one), (_, other)| {
            other.pdd_ms.unwrap_or_default().total_cmp(&one.pdd_ms.unwrap_or_default())
        }),
        _ => calls.sort_by_key(|(end, _)| std::cmp::Reverse(*end)),
    }
    let calls = calls.into_iter().take(LISTED).map(|(_, line)| line).collect();
    let of = if is_whole { "calls that are over so far" } else { "the latest calls that are over" };
    Ok(CallList { calls, of: format!("{of}, as their callers saw them") })
}

/// The last lines of a file, and whether these are all.
fn tail(path: &Path) -> std::io::Result<(String, bool)> {
    let mut file = File::open(path)?;
    let from = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from))?;
    let mut octets = Vec::new();
    file.take(TAIL).read_to_end(&mut octets)?;
    Ok((String::from_utf8_lossy(&octets).into_owned(), from == 0))
}

fn line(record: CallRecord, started_us: u64) -> CallLine {
    let begin = record.intended_us.unwrap_or(record.start_us);
    let since = |us: u64, from: u64| us.saturating_sub(from) as f64;
    let rang = record.ring_us.or(record.answer_us);
    CallLine {
        attempt: record.attempt,
        number: Some(record.number),
        trunk_group: record.trunk_group,
        site: record.site,
        psap: record.psap,
        outcome: record.outcome.to_string().replace(' ', "_"),
        status: record.status.map(i64::from),
        at_s: (started_us > 0).then(|| since(begin, started_us) / 1e6),
        pdd_ms: rang.map(|us| since(us, begin) / 1e3),
        why: record.reason,
    }
}

fn words(line: &CallLine) -> String {
    let texts = [&line.number, &line.trunk_group, &line.site, &line.psap, &line.why];
    let texts: Vec<&str> = texts.into_iter().flatten().map(String::as_str).collect();
    let status = line.status.map(|status| status.to_string()).unwrap_or_default();
    format!("{} {} {} {status}", line.attempt, texts.join(" "), line.outcome).to_lowercase()
}
