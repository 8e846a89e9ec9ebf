//! What became of a command at each call server.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one call server made of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandResult {
    pub name: String,
    pub site: String,
    pub result: CommandStatus,
    /// What it said.
    pub text: String,
    /// Until the answer, in milliseconds.
    pub ms: u64,
}

/// Whether a command was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandStatus {
    /// Its effect is there.
    Done,
    /// It has begun, and nobody wanted to wait for its effect.
    Accepted,
    /// It had begun, and was cut short.
    Aborted,
    Refused,
    TimedOut,
}

/// The answer to `POST /v1/commands`: one result for each call server, in the order of the sites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CommandResults {
    pub results: Vec<CommandResult>,
    /// With `canary`: what waits for a word. Null otherwise.
    #[serde(default)]
    pub canary: Option<CanaryView>,
}

/// A command that one site has got, and that waits for the word to go to the others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CanaryView {
    /// `POST /v1/canaries/{id}/continue` and `/abandon` name it.
    pub id: u64,
    /// Who gave the command, and why.
    pub by: String,
    pub command: String,
    /// Who has got it, and what they made of it.
    pub results: Vec<CommandResult>,
    /// The sites that wait.
    pub waits: Vec<String>,
    /// Then it lapses, and they never get it.
    pub lapses_in_s: f64,
}

impl fmt::Display for CommandStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Done => "done",
            Self::Accepted => "accepted",
            Self::Aborted => "aborted",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
        })
    }
}
