//! The OpenAPI document of the console: that of the management API, and what the console answers beside it.

use utoipa::OpenApi;

use crate::{calls, runs, sounds, starts};

#[derive(OpenApi)]
#[openapi(paths(
    runs::list,
    runs::show,
    runs::file,
    runs::compare,
    runs::ticket,
    calls::list,
    calls::show,
    calls::capture,
    sounds::list,
    sounds::show,
    starts::campaigns,
    starts::check,
    starts::start,
    starts::stop,
))]
#[derive(Debug)]
struct ConsoleApi;

/// The document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = cli::manage::document();
    document.merge(ConsoleApi::openapi());
    document
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::server::TABLE;

    #[test]
    fn every_route_of_the_console_is_in_the_document_and_no_other() {
        let told = serde_json::to_value(ConsoleApi::openapi()).expect("JSON");
        let told: BTreeSet<&str> =
            told["paths"].as_object().expect("paths").keys().map(String::as_str).collect();
        assert_eq!(told, TABLE.iter().map(|(path, _)| *path).collect());
        let whole = serde_json::to_value(document()).expect("JSON");
        for path in ["/v1/runs", "/v1/commands", "/v1/events"] {
            assert!(whole["paths"][path].is_object(), "{path}");
        }
        let methods = whole["paths"]["/v1/runs"].as_object().expect("methods");
        assert!(methods.contains_key("get") && methods.contains_key("post"), "{methods:?}");
    }
}
