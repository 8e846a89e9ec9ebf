//! Work on the folder of a run: files are read beside the requests, so that none waits for the disk of another.

use std::path::PathBuf;

use axum::http::StatusCode;
use axum::response::Response;
use cli::manage::trouble;
use tokio::task::spawn_blocking;

use crate::run_name;
use crate::shared::Shared;

/// Does `work` in the folder of the run that is named so.
///
/// # Errors
/// The answer for whoever asked: there is no such run, or what `work` says is not there.
pub(crate) async fn in_folder<T: Send + 'static>(
    shared: &Shared,
    run: String,
    work: impl FnOnce(PathBuf) -> Result<T, String> + Send + 'static,
) -> Result<T, Response> {
    let runs = shared.settings.runs.clone();
    match spawn_blocking(move || work(run_name::folder(&runs, &run)?)).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(sentence)) => Err(trouble(StatusCode::NOT_FOUND, &sentence)),
        Err(error) => Err(trouble(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())),
    }
}
