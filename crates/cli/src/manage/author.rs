//! Who does something by hand, as they say it themselves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of a request that needs nothing else, and may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorRequest {
    /// Who does it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Who gives a command that does not say.
const UNNAMED: &str = "management API";

/// The longest name of who gives a command, with what they say why, in octets.
const LONGEST_NAME: usize = 120;

/// Who does something, in their own words.
pub(super) fn named(by: Option<String>) -> Result<String, String> {
    let by = by.unwrap_or_else(|| UNNAMED.to_owned());
    if by.trim().is_empty() || by.len() > LONGEST_NAME || by.contains(char::is_control) {
        return Err(format!("by must be a name of 1 to {LONGEST_NAME} octets in one line"));
    }
    Ok(by)
}
