//! A command to some sites, and what became of it at each.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use contract::{EffectEnd, Reply};
use futures_util::future::join_all;
use operations::{Action, OrderResult, ParseActionError};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use telemetry::visible_line;
use tokio::time::{Instant, sleep, timeout};
use topology::{format_duration, parse_duration};
use utoipa::ToSchema;

use super::author::named;
use super::noted_command::NotedCommand;
use super::{ManagedCallServer, ManagedSites};

/// Longer than any equipment takes to start; a request must end one day.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// A campaign of a day is a long one.
const LONGEST_EFFECT: Duration = Duration::from_secs(24 * 3_600);

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
    fn action(self) -> Result<Action, ParseActionError> {
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandResults {
    pub results: Vec<CommandResult>,
}

/// A request that makes sense in this network.
#[derive(Debug)]
pub struct CommandPlan {
    by: String,
    action: Action,
    /// The call servers of each step get the command at once.
    steps: Vec<Vec<ManagedCallServer>>,
    interval: Duration,
    timeout: Duration,
    wait: bool,
    effect_timeout: Duration,
}

impl CommandPlan {
    /// Reads the body of `POST /v1/commands`, and checks it against the call servers of the network.
    ///
    /// # Errors
    /// A sentence about what is wrong.
    pub fn read(body: &[u8], members: Vec<ManagedCallServer>) -> Result<Self, String> {
        let request = serde_json::from_slice(body);
        // What is wrong is told in the words of whoever asked, which may move a cursor.
        let words = |error: serde_json::Error| visible_line(&error.to_string()).into_owned();
        let request = request.map_err(|error| format!("the body is no order: {}", words(error)))?;
        Self::new(request, members)
    }

    /// What each of them is told.
    #[must_use]
    pub const fn action(&self) -> &Action {
        &self.action
    }

    /// Who gets the command, step by step.
    #[must_use]
    pub fn steps(&self) -> &[Vec<ManagedCallServer>] {
        &self.steps
    }

    /// Between two steps.
    pub(super) const fn interval(&self) -> Duration {
        self.interval
    }

    /// Checks a request against the network.
    ///
    /// # Errors
    /// A sentence about what is wrong.
    fn new(request: CommandRequest, members: Vec<ManagedCallServer>) -> Result<Self, String> {
        let CommandRequest { command, sites, by, manner, interval, timeout, wait, effect_timeout } =
            request;
        let by = named(by)?;
        let action = command.action().map_err(|error| error.to_string())?;
        for (what, time, longest) in [
            ("interval", interval, LONGEST_WAIT),
            ("timeout", timeout, LONGEST_WAIT),
            ("effect_timeout", effect_timeout, LONGEST_EFFECT),
        ] {
            if time > longest {
                let longest = format_duration(longest);
                return Err(format!("{what} is too long; at most {longest}"));
            }
        }
        let chosen = choose(&sites, members)?;
        let steps = match manner {
            RequestManner::Parallel => vec![chosen.into_iter().flatten().collect()],
            RequestManner::Serial => chosen,
        };
        Ok(Self { by, action, steps, interval, timeout, wait, effect_timeout })
    }

    /// Gives the command step by step. Dropped before its end, it gives it to no further site.
    pub(super) async fn carry_out(&self, sites: &Arc<dyn ManagedSites>) -> CommandResults {
        let mut results = Vec::new();
        for (number, step) in self.steps.iter().enumerate() {
            if number > 0 {
                sleep(self.interval).await;
            }
            results.extend(join_all(step.iter().map(|member| self.command(sites, member))).await);
        }
        CommandResults { results }
    }

    async fn command(
        &self,
        sites: &Arc<dyn ManagedSites>,
        member: &ManagedCallServer,
    ) -> CommandResult {
        let start = Instant::now();
        let noted = NotedCommand::give(sites, &self.by, &member.name, &self.action);
        let answer = async {
            match sites.command(&member.name, &self.action).await {
                // The command is gone. Who asked cannot know that, and waits.
                Reply::Silent => std::future::pending().await,
                reply => reply,
            }
        };
        let (result, text) = match timeout(self.timeout, answer).await {
            Ok(Reply::Done(text)) => (CommandStatus::Done, text),
            Ok(Reply::Refused(text)) => (CommandStatus::Refused, text),
            Ok(Reply::Accepted { ticket, text }) => {
                return self.accepted(sites, member, noted, start, (ticket, text)).await;
            }
            Ok(Reply::Silent) | Err(_) => {
                let time = format_duration(self.timeout);
                (CommandStatus::TimedOut, format!("no answer within {time}"))
            }
        };
        noted.over(match result {
            CommandStatus::Refused => OrderResult::Refused(text.clone()),
            CommandStatus::TimedOut => OrderResult::TimedOut,
            _ => OrderResult::Done(text.clone()),
        });
        CommandResult::new(member, result, text, start)
    }

    /// A call server has begun. How it ends is noted even if nobody waits for it any more.
    async fn accepted(
        &self,
        sites: &Arc<dyn ManagedSites>,
        member: &ManagedCallServer,
        noted: NotedCommand,
        start: Instant,
        (ticket, text): (u64, String),
    ) -> CommandResult {
        noted.accepted(text.clone());
        let (effect, longest) = (sites.effect(&member.name, ticket), self.effect_timeout);
        let end = tokio::spawn(async move {
            let late = || {
                let time = format_duration(longest);
                EffectEnd::Aborted(format!("its effect was not there within {time}"))
            };
            let end = timeout(longest, effect).await.unwrap_or_else(|_| late());
            noted.over(match end.clone() {
                EffectEnd::Done(text) => OrderResult::Done(text),
                EffectEnd::Aborted(why) => OrderResult::Aborted(why),
            });
            end
        });
        let (result, text) = match self.wait {
            false => (CommandStatus::Accepted, text),
            true => match end.await {
                Ok(EffectEnd::Done(text)) => (CommandStatus::Done, text),
                Ok(EffectEnd::Aborted(why)) => (CommandStatus::Aborted, why),
                Err(error) => (CommandStatus::Aborted, error.to_string()),
            },
        };
        CommandResult::new(member, result, text, start)
    }
}

impl CommandResult {
    fn new(
        member: &ManagedCallServer,
        result: CommandStatus,
        text: String,
        start: Instant,
    ) -> Self {
        let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let ManagedCallServer { name, site } = member.clone();
        Self { name, site, result, text, ms }
    }
}

/// The call servers that are meant, site by site; each of them once.
fn choose(
    selection: &SiteSelection,
    members: Vec<ManagedCallServer>,
) -> Result<Vec<Vec<ManagedCallServer>>, String> {
    let mut seen = HashSet::new();
    let sites: Vec<String> = members
        .iter()
        .map(|one| one.site.clone())
        .filter(|site| seen.insert(site.clone()))
        .collect();
    if sites.is_empty() {
        return Err("no call server runs here".to_owned());
    }
    let names = match selection {
        SiteSelection::Word(word) if word == "all" => &sites,
        SiteSelection::Word(word) => {
            return Err(format!("sites is {word:?}; write \"all\", or a list of names"));
        }
        SiteSelection::Names(names) if names.is_empty() => {
            return Err("sites is empty; write \"all\", or a list of names".to_owned());
        }
        SiteSelection::Names(names) => names,
    };
    let mut chosen = Vec::new();
    let mut taken = HashSet::new();
    for name in names {
        let mut meant =
            members.iter().filter(|one| one.site == *name || one.name == *name).peekable();
        if meant.peek().is_none() {
            return Err(format!("there is no site {name:?}; the sites are {}", sites.join(", ")));
        }
        let meant: Vec<_> = meant.filter(|one| taken.insert(one.name.clone())).cloned().collect();
        if !meant.is_empty() {
            chosen.push(meant);
        }
    }
    Ok(chosen)
}

const fn always() -> bool {
    true
}

/// How long an effect may take if nothing else is said.
const fn default_effect_timeout() -> Duration {
    Duration::from_secs(3_600)
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
