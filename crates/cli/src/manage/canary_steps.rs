//! What is done with a command that goes to one site first: it is given there, and continued, abandoned, or lapses. Each step stands in the
//! record of the run, with its author.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::time::{Instant, sleep_until};
use topology::format_duration;

use super::canaries::{Refusal, WaitingCanary};
use super::command_plan::CommandPlan;
use super::command_result::{CommandResult, CommandResults};
use super::intervention::{Intervention, InterventionKind};
use super::{ChronicleKind, ManagedSites};

/// Gives the first step of `plan`, and lets the others wait for a word, at most for `patience`.
pub(super) async fn begin(
    sites: &Arc<dyn ManagedSites>,
    plan: CommandPlan,
    patience: Duration,
) -> CommandResults {
    let (by, command) = (plan.by().to_owned(), plan.action().to_string());
    let (first, rest) = plan.split(&sites.members());
    let waits = match CommandPlan::new(rest.clone(), sites.members()) {
        Ok(rest) => rest.site_names(),
        Err(_) => Vec::new(),
    };
    let CommandResults { results, .. } = first.carry_out(sites).await;
    let lapses = Instant::now() + patience;
    let waiting = WaitingCanary { by, command, results: results.clone(), waits, rest, lapses };
    let view = sites.canaries().add(waiting);
    let (id, time, others) = (view.id, format_duration(patience), view.waits.join(", "));
    let names: Vec<&str> = results.iter().map(|one| &one.name[..]).collect();
    let text = format!(
        "canary {id}: {} has got {}; the word for {others} is awaited, at most {time}",
        names.join(", "),
        view.command
    );
    say(sites, &view.by, &results, text).await;
    let sites = Arc::clone(sites);
    tokio::spawn(async move {
        sleep_until(lapses).await;
        let how = format!("lapsed after {time}");
        let Ok(WaitingCanary { by, command, results, .. }) = sites.canaries().take(id, &how) else {
            return;
        };
        let text = format!("canary {id} {how}: {command} never goes to {others}");
        say(&sites, &by, &results, text).await;
    });
    CommandResults { results, canary: Some(view) }
}

/// `by` gives the word: the others get the command too.
pub(super) async fn go_on(
    sites: &Arc<dyn ManagedSites>,
    id: u64,
    by: String,
) -> Result<CommandResults, Refusal> {
    let how = format!("was continued by {by}");
    let WaitingCanary { command, results, waits, mut rest, .. } =
        sites.canaries().take(id, &how)?;
    let text = format!("canary {id} is continued: {command} goes to {}", waits.join(", "));
    say(sites, &by, &results, text).await;
    rest.by = Some(by);
    let plan = CommandPlan::new(rest, sites.members());
    let plan = plan.map_err(|sentence| (StatusCode::CONFLICT, sentence))?;
    Ok(plan.carry_out(sites).await)
}

/// `by` wants it to end with the first site: the sentence that is told of it.
pub(super) async fn abandon(
    sites: &Arc<dyn ManagedSites>,
    id: u64,
    by: String,
) -> Result<String, Refusal> {
    let how = format!("was abandoned by {by}");
    let WaitingCanary { command, results, waits, .. } = sites.canaries().take(id, &how)?;
    let text = format!("canary {id} is abandoned: {command} never goes to {}", waits.join(", "));
    say(sites, &by, &results, text.clone()).await;
    Ok(text)
}

/// Has it stand in the record of the run; where there is none, in the chronicle alone.
async fn say(sites: &Arc<dyn ManagedSites>, by: &str, first: &[CommandResult], text: String) {
    let site = first.first().map(|one| one.site.clone()).unwrap_or_default();
    let what = InterventionKind::Remark { site, text: text.clone() };
    if sites.intervene(Intervention { by: by.to_owned(), what }).await.is_err() {
        sites.feed().tell(ChronicleKind::Command, None, &format!("{by}: {text}"));
    }
}
