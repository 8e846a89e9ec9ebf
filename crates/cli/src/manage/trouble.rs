//! Answers to requests that are not carried out, and bodies that must arrive in time.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use telemetry::visible_line;
use tokio::time::timeout;

use super::ErrorBody;

/// The longest body: a command that names hundreds of sites is shorter.
const LONGEST_BODY: usize = 16 * 1024;

/// A request that is not carried out, and the sentence why.
#[must_use]
pub fn trouble(status: StatusCode, sentence: &str) -> Response {
    (status, Json(ErrorBody { error: sentence.to_owned() })).into_response()
}

/// The body of a request, which has to arrive within `patience`.
///
/// # Errors
/// The answer to a body that is too long or does not come.
pub async fn body(body: Body, patience: Duration) -> Result<Bytes, Response> {
    match timeout(patience, to_bytes(body, LONGEST_BODY)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let what = format!("the body is broken, or longer than {LONGEST_BODY} octets");
            Err(trouble(StatusCode::PAYLOAD_TOO_LARGE, &what))
        }
        Err(_) => Err(trouble(StatusCode::REQUEST_TIMEOUT, "the body does not arrive")),
    }
}

/// The same, read as `T`; `what` it is to be stands in the sentence about another thing.
///
/// # Errors
/// The answer to it.
pub async fn read_body<T: DeserializeOwned>(
    from: Body,
    patience: Duration,
    what: &str,
) -> Result<T, Response> {
    let octets = body(from, patience).await?;
    read(&octets, what).map_err(|sentence| trouble(StatusCode::BAD_REQUEST, &sentence))
}

/// Reads a body that has come as `T`. An error is a sentence about another thing than `what`.
pub(super) fn read<T: DeserializeOwned>(octets: &[u8], what: &str) -> Result<T, String> {
    serde_json::from_slice(octets).map_err(|error| {
        // What is wrong is told in the words of whoever asked, which may move a cursor.
        let error = error.to_string();
        format!("the body is no {what}: {}", visible_line(&error))
    })
}
