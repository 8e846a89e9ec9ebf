//! For programs.

use crate::story::Story;

/// The story as JSON, with the names of its fields.
#[must_use]
pub fn json(story: &Story) -> String {
    let text = serde_json::to_string_pretty(story).expect("a story has text keys only");
    telemetry::visible(&text).into_owned()
}
