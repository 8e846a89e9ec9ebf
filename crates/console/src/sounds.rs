//! What was heard in a call: the recordings that answering points have made of it, side by side or one side alone.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use account::call::{account_of, served_account_of};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path as AxumPath, Query, State};
use axum::http::header::RANGE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use cli::manage::{ErrorBody, trouble};
use media::recordings::{FOLDER, psap_of};
use media::wav;
use run_folder::{CALLS, Folder, RunState};
use serde::{Deserialize, Serialize};
use telemetry::{BoxKind, attempt_key};
use utoipa::ToSchema;

use crate::byte_range;
use crate::folder_work::in_folder;
use crate::shared::Shared;

/// The longest file that is read: ten minutes are 19 MB.
const LONGEST: u64 = 64 << 20;

/// Which side of a recording is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// In stereo: the caller left, the call taker right.
    #[default]
    Both,
    Caller,
    CallTaker,
}

/// A recording of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct SoundView {
    /// By which it is asked for.
    file: String,
    /// Who has recorded it: it is what was heard there.
    psap: String,
    seconds: f64,
}

/// The answer to `GET /v1/runs/{run}/calls/{attempt}/sounds`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct SoundList {
    /// A call that comes to two answering points may have two.
    recordings: Vec<SoundView>,
    /// Why there is none, and what to do to have one.
    why: Option<String>,
}

/// The recordings of a call; where there is none, why.
#[utoipa::path(
    get,
    path = "/v1/runs/{run}/calls/{attempt}/sounds",
    params(
        ("run" = String, Path, description = "The name of its folder, or latest"),
        ("attempt" = String, Path, description = "The id of its attempt, 32 hexadecimal digits"),
    ),
    responses((status = 200, body = SoundList), (status = 404, body = ErrorBody))
)]
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    AxumPath((run, attempt)): AxumPath<(String, String)>,
) -> Response {
    let listed = in_folder(&shared, run, move |folder| {
        let recordings = recordings(&folder, &attempt)?;
        let view = |(file, psap): (String, String)| {
            let seconds = seconds(&folder.join(FOLDER).join(&file));
            SoundView { file, psap, seconds }
        };
        let recordings: Vec<SoundView> = recordings.into_iter().map(view).collect();
        let why = recordings.is_empty().then(|| why_none(&folder, &attempt));
        Ok(SoundList { recordings, why })
    });
    listed.await.map_or_else(|answer| answer, |list| Json(list).into_response())
}

/// What is asked of a recording.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SoundQuery {
    #[serde(default)]
    side: Side,
}

/// A recording of a call as a WAV file of 8 kHz and 16 bits; a part of it where a Range is asked for.
#[utoipa::path(
    get,
    path = "/v1/runs/{run}/calls/{attempt}/sounds/{file}",
    params(
        ("run" = String, Path, description = "The name of its folder, or latest"),
        ("attempt" = String, Path, description = "The id of its attempt, 32 hexadecimal digits"),
        ("file" = String, Path, description = "One of the recordings of the call"),
        ("side" = Option<Side>, Query, description = "both, in stereo, caller or call_taker"),
    ),
    responses(
        (status = 200, content_type = "audio/wav", body = Vec<u8>),
        (status = 206, content_type = "audio/wav", body = Vec<u8>, description = "The part that was asked for"),
        (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 416, description = "It has no such part", body = ErrorBody),
    )
)]
pub(crate) async fn show(
    State(shared): State<Arc<Shared>>,
    AxumPath((run, attempt, file)): AxumPath<(String, String, String)>,
    query: Result<Query<SoundQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Ok(Query(SoundQuery { side })) = query else {
        return trouble(StatusCode::BAD_REQUEST, "side is both, caller or call_taker");
    };
    let read = in_folder(&shared, run, move |folder| {
        let known = recordings(&folder, &attempt)?;
        if !known.iter().any(|(name, _)| *name == file) {
            return Err(format!("the call has no recording {file:?}"));
        }
        sound(&folder.join(FOLDER).join(&file), side)
    });
    match read.await {
        Ok(octets) => byte_range::answer(octets, headers.get(RANGE), "audio/wav"),
        Err(answer) => answer,
    }
}

/// The recordings of a call, each with the answering point that has made it. Names are read from the folder alone, so that nothing
/// else is reached, whatever is asked for.
fn recordings(folder: &Path, attempt: &str) -> Result<Vec<(String, String)>, String> {
    if attempt_key(attempt).is_none() {
        return Err("the id of an attempt is 32 hexadecimal digits".to_owned());
    }
    let entries = std::fs::read_dir(folder.join(FOLDER)).into_iter().flatten();
    let plain = entries.filter_map(Result::ok).filter(|entry| {
        let kind = entry.file_type();
        kind.is_ok_and(|kind| kind.is_file())
    });
    let names = plain.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut found: Vec<(String, String)> = names
        .filter_map(|name| {
            let psap = psap_of(&name, attempt)?.to_owned();
            Some((name, psap))
        })
        .collect();
    found.sort();
    Ok(found)
}

fn seconds(path: &Path) -> f64 {
    let read = File::open(path).ok().and_then(|file| wav::seconds(BufReader::new(file)).ok());
    read.unwrap_or_default()
}

/// One side of a recording, or both, as a file.
fn sound(path: &Path, side: Side) -> Result<Vec<u8>, String> {
    let place = |error: String| format!("{}: {error}", path.display());
    let length = path.metadata().map_err(|error| place(error.to_string()))?.len();
    if length > LONGEST {
        return Err(place("it is too long for a browser; open it there".to_owned()));
    }
    let octets = std::fs::read(path).map_err(|error| place(error.to_string()))?;
    let (caller, call_taker) = wav::read_sides(&octets).map_err(place)?;
    if caller.is_empty() {
        return Err(place("nothing is in it yet: it is being written, or nobody spoke".to_owned()));
    }
    match side {
        Side::Both => Ok(octets),
        Side::Caller => wav::write_side(&caller).map_err(place),
        Side::CallTaker => wav::write_side(&call_taker).map_err(place),
    }
}

/// Why a call has no recording.
fn why_none(folder: &Path, attempt: &str) -> String {
    let place = Folder::open(folder);
    let files = place.record_files();
    let account = match folder.join(CALLS).is_file() {
        true => place.calls().and_then(|calls| account_of(&calls, &files, attempt)),
        false => RunState::load(folder)
            .and_then(|state| served_account_of(state.started_us, &files, attempt)),
    };
    let records = account.map(|account| account.records).unwrap_or_default();
    let of_psap = records.iter().rev().find(|record| record.kind == BoxKind::Psap);
    let name = records.iter().rev().find_map(|record| record.psap.clone());
    let psap = name.as_deref().unwrap_or("NAME");
    let fix = format!(
        "start the run with --set psaps.{psap}.record=1, on real sockets; 0.1 records a tenth of its answered calls"
    );
    if of_psap.is_some_and(|record| record.answer_us.is_none()) {
        return format!("No call taker answered at {psap}: there is nothing to hear");
    }
    if !records.is_empty() && of_psap.is_none() {
        return "It came to no answering point: there is nothing to hear".to_owned();
    }
    if folder.join(FOLDER).is_dir() {
        return format!(
            "{psap} records none of its calls, or a share that this one is not of: {fix}"
        );
    }
    format!("No answering point of this run records its calls: {fix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> String {
        "0a".repeat(16)
    }

    fn run() -> tempfile::TempDir {
        let run = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(run.path().join(FOLDER)).expect("a folder");
        let sound = |name: String| {
            let file = File::create(run.path().join(FOLDER).join(name)).expect("a file");
            wav::write_stereo(file, &[1; 16_000], &[2; 16_000]).expect("a recording");
        };
        sound(format!("samu-59-{}.wav", attempt()));
        sound(format!("samu-59-{}-2.wav", attempt()));
        sound(format!("samu-59-{}.wav", "0b".repeat(16)));
        run
    }

    #[test]
    fn the_recordings_of_a_call_are_found_and_no_other_file() {
        let run = run();
        let passwd = run.path().join(FOLDER).join(format!("link-{}.wav", attempt()));
        std::os::unix::fs::symlink("/etc/passwd", passwd).expect("a link");
        let found = recordings(run.path(), &attempt()).expect("recordings");
        let names: Vec<&str> = found.iter().map(|(name, _)| &name[..]).collect();
        let name = |end: &str| format!("samu-59-{}{end}.wav", attempt());
        assert_eq!(names, [name("-2"), name("")]);
        assert!(found.iter().all(|(_, psap)| psap == "samu-59"), "{found:?}");
        for wrong in ["", "..", "0a", "../../etc/passwd", &format!("{}/", attempt())] {
            assert!(recordings(run.path(), wrong).is_err(), "{wrong}");
        }
        for wrong in ["x.wav", "samu-59-.wav", "samu-59.txt"] {
            assert_eq!(psap_of(wrong, &attempt()), None, "{wrong}");
        }
        assert_eq!(psap_of(&format!("a-{}-x.wav", attempt()), &attempt()), None);
    }

    #[test]
    fn each_side_is_heard_alone_and_both_as_they_were() {
        let run = run();
        let path = run.path().join(FOLDER).join(format!("samu-59-{}.wav", attempt()));
        assert!((seconds(&path) - 2.0).abs() < 1e-9);
        assert_eq!(sound(&path, Side::Both).expect("both"), std::fs::read(&path).expect("a file"));
        for (side, sample) in [(Side::Caller, 1), (Side::CallTaker, 2)] {
            let one = sound(&path, side).expect("one side");
            assert_eq!(one, wav::write_side(&[sample; 16_000]).expect("a file"), "{side:?}");
        }
        std::fs::write(&path, "RIFF").expect("a file");
        assert!(sound(&path, Side::Both).is_err());
    }

    #[test]
    fn a_call_without_a_recording_says_how_to_have_one() {
        let run = tempfile::tempdir().expect("a folder");
        let why = why_none(run.path(), &attempt());
        assert!(why.contains("No answering point of this run records"), "{why}");
        assert!(why.contains("--set psaps.NAME.record=1"), "{why}");
    }
}
