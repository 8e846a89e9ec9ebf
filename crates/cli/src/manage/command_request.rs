//! A command to some sites, as it is asked for.

use std::fmt;
use std::time::Duration;

use operations::{Action, ParseActionError};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use topology::{format_duration, parse_duration};
use utoipa::ToSchema;

/// How long a canary waits if nothing else is said.
pub(super) const LAPSE: Duration = Duration::from_secs(600);

/// What an operator asks for: the body of `POST /v1/commands`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandRequest {
    #[schema(value_type = String, example = "restart clean")]
    pub command: RequestedCommand,
    #[schema(value_type = Object, example = json!(["alpha", "beta"]))]
    pub sites: SiteSelection,
    /// Who gives it, and why, in the words of whoever asks: it stands in what is told of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(default)]
    pub manner: RequestManner,
    /// Between the answer of a site and the command to the next one.
    #[serde(default, with = "words")]
    #[schema(value_type = String, example = "2s")]
    pub interval: Duration,
    /// How long each call server may take to answer.
    #[serde(default = "default_timeout", with = "words")]
    #[schema(value_type = String, example = "30s")]
    pub timeout: Duration,
    /// Whether to wait for the effect of what was accepted: for service after a restart.
    #[serde(default = "always")]
    pub wait: bool,
    /// How long an effect may take from the acceptance on; then the command counts as aborted.
    #[serde(default = "default_effect_timeout", with = "words")]
    #[schema(value_type = String, example = "1h")]
    pub effect_timeout: Duration,
    /// Whether the first site gets it alone, and the others when somebody says so: see `/v1/canaries/{id}/continue`.
    #[serde(default)]
    pub canary: bool,
    /// How long the others wait for that word; then they never get it.
    #[serde(default = "default_lapse", with = "words")]
    #[schema(value_type = String, example = "10m")]
    pub lapses_after: Duration,
}

impl CommandRequest {
    /// A command to these sites at once, with nothing else said.
    #[must_use]
    pub const fn of(command: RequestedCommand, sites: SiteSelection, by: Option<String>) -> Self {
        Self {
            command,
            sites,
            by,
            manner: RequestManner::Parallel,
            interval: Duration::ZERO,
            timeout: default_timeout(),
            wait: true,
            effect_timeout: default_effect_timeout(),
            canary: false,
            lapses_after: LAPSE,
        }
    }
}

/// A command, from a person or from a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RequestedCommand {
    /// As an operator types it: `restart clean`, `load r8`. It is parsed where the request is checked, so that a slip is
    /// answered with a sentence of its own.
    Words(String),
    /// From whoever has parsed it already: `{"restart": {"clean": true}}`.
    Action(Action),
}

impl<'de> Deserialize<'de> for RequestedCommand {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(RequestedCommandVisitor)
    }
}

/// Text is words; an object is an action.
struct RequestedCommandVisitor;

impl<'de> Visitor<'de> for RequestedCommandVisitor {
    type Value = RequestedCommand;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, words: &str) -> Result<Self::Value, E> {
        Ok(RequestedCommand::Words(words.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Action::deserialize(MapAccessDeserializer::new(map)).map(RequestedCommand::Action)
    }
}

impl RequestedCommand {
    pub(super) fn action(self) -> Result<Action, ParseActionError> {
        match self {
            Self::Words(words) => words.parse(),
            Self::Action(action) => action.check().map(|()| action),
        }
    }
}

/// Which sites are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SiteSelection {
    /// The word `all`.
    Word(String),
    /// Names of sites, and of single call servers of a site with several.
    Names(Vec<String>),
}

/// In what order the sites get a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestManner {
    /// All at once.
    #[default]
    Parallel,
    /// One after the other, in the order in which they are named.
    Serial,
}

const fn always() -> bool {
    true
}

/// How long an effect may take if nothing else is said.
const fn default_effect_timeout() -> Duration {
    Duration::from_secs(3_600)
}

const fn default_lapse() -> Duration {
    LAPSE
}

/// How long a call server may take to answer if nothing else is said.
const fn default_timeout() -> Duration {
    Duration::from_secs(30)
}

impl SiteSelection {
    /// Every site of the network.
    #[must_use]
    pub fn all() -> Self {
        Self::Word("all".to_owned())
    }
}

/// Durations as files write them: `500ms`, `30s`.
mod words {
    use super::*;

    pub(super) fn serialize<S: serde::Serializer>(
        duration: &Duration,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format_duration(*duration))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(from)?;
        parse_duration(&text).map_err(serde::de::Error::custom)
    }
}
