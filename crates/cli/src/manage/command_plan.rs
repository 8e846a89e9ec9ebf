//! A command that makes sense in a network, and is given to it step by step.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use contract::{EffectEnd, Reply};
use futures_util::future::join_all;
use operations::{Action, OrderResult};
use telemetry::visible_line;
use tokio::time::{Instant, sleep, timeout};
use topology::format_duration;

use super::author::named;
use super::command_request::{
    CommandRequest, LAPSE, RequestManner, RequestedCommand, SiteSelection,
};
use super::command_result::{CommandResult, CommandResults, CommandStatus};
use super::noted_command::NotedCommand;
use super::{ManagedCallServer, ManagedSites};

/// Longer than any equipment takes to start; a request must end one day.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// A campaign of a day is a long one.
const LONGEST_EFFECT: Duration = Duration::from_secs(24 * 3_600);

/// A request that makes sense in this network.
#[derive(Debug)]
pub struct CommandPlan {
    by: String,
    action: Action,
    /// The call servers of each step get the command at once.
    steps: Vec<Vec<ManagedCallServer>>,
    manner: RequestManner,
    /// The first step is a canary, and the others wait so long for a word.
    canary: Option<Duration>,
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

    /// Whether sites get it one after the other.
    pub(super) fn is_serial(&self) -> bool {
        self.manner == RequestManner::Serial && self.steps.len() > 1
    }

    /// How long the others wait after the first step, if that is a canary.
    pub(super) const fn canary(&self) -> Option<Duration> {
        self.canary
    }

    /// Who gives it.
    pub(super) fn by(&self) -> &str {
        &self.by
    }

    /// The sites that get it, each once.
    pub(super) fn site_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for member in self.steps.iter().flatten() {
            if !names.contains(&member.site) {
                names.push(member.site.clone());
            }
        }
        names
    }

    /// The first step, and what asks for the others, which are call servers of `members`.
    pub(super) fn split(mut self, members: &[ManagedCallServer]) -> (Self, CommandRequest) {
        let others = self.steps.split_off(1.min(self.steps.len()));
        let named = |step: &Vec<ManagedCallServer>| {
            let is_whole = |site: &String| {
                let there = members.iter().filter(|one| one.site == *site).count();
                there == step.iter().filter(|one| one.site == *site).count()
            };
            let name = |one: &ManagedCallServer| match is_whole(&one.site) {
                true => one.site.clone(),
                false => one.name.clone(),
            };
            step.iter().map(name).collect::<Vec<_>>()
        };
        let mut names: Vec<String> = Vec::new();
        for name in others.iter().flat_map(named) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let rest = CommandRequest {
            command: RequestedCommand::Action(self.action.clone()),
            sites: SiteSelection::Names(names),
            by: Some(self.by.clone()),
            manner: self.manner,
            interval: self.interval,
            timeout: self.timeout,
            wait: self.wait,
            effect_timeout: self.effect_timeout,
            canary: false,
            lapses_after: LAPSE,
        };
        (self, rest)
    }

    /// Between two steps.
    pub(super) const fn interval(&self) -> Duration {
        self.interval
    }

    /// Checks a request against the network.
    ///
    /// # Errors
    /// A sentence about what is wrong.
    pub(super) fn new(
        request: CommandRequest,
        members: Vec<ManagedCallServer>,
    ) -> Result<Self, String> {
        let CommandRequest {
            command,
            sites,
            by,
            manner,
            interval,
            timeout,
            wait,
            effect_timeout,
            canary,
            lapses_after,
        } = request;
        let by = named(by)?;
        let action = command.action().map_err(|error| error.to_string())?;
        for (what, time, longest) in [
            ("interval", interval, LONGEST_WAIT),
            ("timeout", timeout, LONGEST_WAIT),
            ("effect_timeout", effect_timeout, LONGEST_EFFECT),
            ("lapses_after", lapses_after, LONGEST_EFFECT),
        ] {
            if time > longest {
                let longest = format_duration(longest);
                return Err(format!("{what} is too long; at most {longest}"));
            }
        }
        let mut chosen = choose(&sites, members)?;
        if canary && chosen.len() < 2 {
            let what =
                "canary needs two sites at least: the first gets the command, the others wait";
            return Err(what.to_owned());
        }
        let steps = match manner {
            RequestManner::Parallel => {
                let rest = chosen.split_off(usize::from(canary));
                chosen.into_iter().chain([rest.into_iter().flatten().collect()]).collect()
            }
            RequestManner::Serial => chosen,
        };
        let canary = canary.then_some(lapses_after);
        Ok(Self { by, action, steps, manner, canary, interval, timeout, wait, effect_timeout })
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
        CommandResults { results, canary: None }
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
            Ok(Reply::Silent | Reply::Calls(_)) | Err(_) => {
                let time = format_duration(self.timeout);
                (CommandStatus::TimedOut, format!("no answer within {time}"))
            }
        };
        noted.over(match result {
            CommandStatus::Refused => OrderResult::Refused(text.clone()),
            CommandStatus::TimedOut => OrderResult::TimedOut,
            _ => OrderResult::Done(text.clone()),
        });
        result_of(member, result, text, start)
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
        result_of(member, result, text, start)
    }
}

/// What `member` made of a command that went out at `start`.
fn result_of(
    member: &ManagedCallServer,
    result: CommandStatus,
    text: String,
    start: Instant,
) -> CommandResult {
    let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let ManagedCallServer { name, site } = member.clone();
    CommandResult { name, site, result, text, ms }
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
