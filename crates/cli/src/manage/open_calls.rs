//! The calls in progress, asked of all boxes at once and joined by their attempts.
//!
//! ```text
//!   callers ──┐
//!   trunks  ──┼─ ShowCalls, each box in a second or not at all ──► by attempt ──► the newest, or the oldest
//!   sites   ──┤
//!   PSAPs   ──┘
//! ```
//!
//! Nothing is kept between two questions: calls in progress cost nothing while nobody looks.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::{
    BoxState, CallStage, CallsWanted, MOST_CALLS, NodeKind, OpenCall, OpenCalls, Reply,
};
use futures_util::future::join_all;
use ladder::{NamedAddress, Told, join};
use serde::{Deserialize, Serialize};
use telemetry::BoxKind;
use tokio::sync::oneshot;
use tokio::time::timeout;
use trace::KeptCall;
use utoipa::ToSchema;

use super::ManagedSites;
use super::connections::MOST_CONNECTIONS;
use super::ladder_view::LadderView;

/// Calls of a list.
const LISTED: usize = 200;

/// How long a box may take to show its calls.
const LONGEST: Duration = Duration::from_secs(1);

/// Questions to one box at once: as many as may be connected (`connections.rs`), so that nobody who asks makes another one miss a box. A
/// machine that stands still answers none, and is not asked for ever.
const QUESTIONS: usize = MOST_CONNECTIONS;

/// Which end of a long list is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallOrder {
    #[default]
    Newest,
    /// Those that have gone on for longest.
    Oldest,
}

/// A call in progress, as all its boxes know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallInProgress {
    /// 32 hexadecimal digits.
    pub attempt: String,
    /// The From of a telephone, or the number of an emulated caller in its campaign.
    pub caller: Option<String>,
    /// INSEE code of the caller's commune.
    pub commune: Option<String>,
    /// What was dialled.
    pub number: String,
    pub trunk_group: Option<String>,
    pub site: Option<String>,
    pub psap: Option<String>,
    /// `placed`, `queued`, `ringing`, `talking`, or `ending` when one end has hung up.
    pub state: String,
    /// Unix time in milliseconds at which the call began.
    pub start_ms: u64,
    /// Since when it is in this state, in Unix milliseconds.
    pub since_ms: u64,
}

/// The answer to `GET /v1/calls`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallsInProgress {
    /// At most 200.
    pub calls: Vec<CallInProgress>,
    /// How many are in progress in all.
    pub total: u64,
    /// How many were looked through for the words of a search.
    pub searched: u64,
    /// Boxes that did not answer: what only they know is missing.
    pub silent: Vec<String>,
}

/// The answer to `GET /v1/calls/{attempt}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallSoFar {
    pub attempt: String,
    /// Null when it is over.
    pub call: Option<CallInProgress>,
    /// How it stands, in a sentence.
    pub text: String,
    /// Its messages so far; without them, `no_ladder` says why.
    pub ladder: Option<LadderView>,
    pub no_ladder: Option<String>,
    /// Boxes that did not answer: what only they know is missing.
    pub silent: Vec<String>,
}

/// Asks the boxes of a network for their calls.
#[derive(Clone)]
pub(super) struct CallAsker {
    sites: Arc<dyn ManagedSites>,
    /// Questions that wait, by box.
    waiting: Arc<Mutex<BTreeMap<String, usize>>>,
}

/// What the boxes answered, the callers first and the answering points last.
struct Answers {
    shown: Vec<(NodeKind, OpenCalls)>,
    silent: Vec<String>,
}

/// The way of a call through the boxes.
const WAY: [NodeKind; 4] =
    [NodeKind::Generator, NodeKind::TrunkGroup, NodeKind::CallServer, NodeKind::Psap];

impl CallAsker {
    pub(super) fn new(sites: Arc<dyn ManagedSites>) -> Self {
        Self { sites, waiting: Arc::default() }
    }

    /// The calls in progress that have these words in them.
    pub(super) async fn list(&self, order: CallOrder, search: &str) -> CallsInProgress {
        let most = if search.is_empty() { LISTED } else { MOST_CALLS };
        let wanted = match order {
            CallOrder::Newest => CallsWanted::Newest(most),
            CallOrder::Oldest => CallsWanted::Oldest(most),
        };
        let Answers { shown, silent } = self.ask(&wanted).await;
        // Each box on the way of a call knows it: those of the kind that knows most know all.
        let of_kind = |kind| {
            shown.iter().filter(move |(one, _)| *one == kind).map(|(_, calls)| calls.total).sum()
        };
        let total: u64 = WAY.into_iter().map(of_kind).max().unwrap_or_default();
        let mut calls = joined(&shown);
        calls.sort_by(|one, other| {
            (one.start_ms, &one.attempt).cmp(&(other.start_ms, &other.attempt))
        });
        if order == CallOrder::Newest {
            calls.reverse();
        }
        // Beyond these, calls are known to some of their boxes only.
        calls.truncate(most);
        let searched = calls.len() as u64;
        let search = search.to_lowercase();
        calls.retain(|call| search.is_empty() || words(call).contains(&search));
        calls.truncate(LISTED);
        CallsInProgress { calls, total: total.max(searched), searched, silent }
    }

    /// A call, and its messages so far. `None`: no box knows it any more.
    pub(super) async fn one(&self, attempt: &str) -> Option<CallSoFar> {
        let Answers { shown, silent } = self.ask(&CallsWanted::One(attempt.to_owned())).await;
        let call = joined(&shown).into_iter().next();
        let parts: Vec<KeptCall> = shown.into_iter().filter_map(|(_, calls)| calls.seen).collect();
        if call.is_none() && parts.is_empty() {
            return None;
        }
        let text = match &call {
            Some(call) => sentence(call),
            None => "It is over. This is what its boxes saw, as far as they have not forgotten it; its story is among the \
                     calls of the run"
                .to_owned(),
        };
        let told = Told { names: self.names(), cause: text.clone(), ..Told::default() };
        let ladder = (!parts.is_empty()).then(|| LadderView::of(&join(&parts, &told)));
        let why = "its boxes keep no messages: start with --trace failed or --trace all";
        let no_ladder = ladder.is_none().then(|| why.to_owned());
        Some(CallSoFar { attempt: attempt.to_owned(), call, text, ladder, no_ladder, silent })
    }

    async fn ask(&self, wanted: &CallsWanted) -> Answers {
        let boxes = self.sites.boxes();
        let on_way = boxes.iter().filter(|(_, entry)| WAY.contains(&entry.kind));
        // Whoever has ended as told has no calls; whoever is lost took them along, and is named.
        let known = on_way.filter(|(_, entry)| {
            !matches!(entry.state, BoxState::Unknown | BoxState::Stopped | BoxState::Drained)
        });
        let asked = known.map(|(name, entry)| async {
            let calls = if entry.state.is_up() { self.ask_box(name, wanted).await } else { None };
            (name.clone(), entry.kind, calls)
        });
        let mut answers = Answers { shown: Vec::new(), silent: Vec::new() };
        for (name, kind, calls) in join_all(asked).await {
            match calls {
                Some(calls) => answers.shown.push((kind, calls)),
                None => answers.silent.push(name),
            }
        }
        let place = |kind: &NodeKind| WAY.iter().position(|one| one == kind);
        answers.shown.sort_by_key(|(kind, _)| place(kind));
        answers
    }

    async fn ask_box(&self, name: &str, wanted: &CallsWanted) -> Option<OpenCalls> {
        {
            let mut waiting = lock(&self.waiting);
            let questions = waiting.entry(name.to_owned()).or_default();
            if *questions >= QUESTIONS {
                return None;
            }
            *questions += 1;
        }
        let reply = self.sites.show_calls(name, wanted.clone());
        let (answer, answered) = oneshot::channel();
        let (waiting, own) = (Arc::clone(&self.waiting), name.to_owned());
        // The question stands until it is answered, even if nobody waits any more.
        tokio::spawn(async move {
            let reply = reply.await;
            if let Some(questions) = lock(&waiting).get_mut(&own) {
                *questions = questions.saturating_sub(1);
            }
            let _ = answer.send(reply);
        });
        match timeout(LONGEST, answered).await {
            Ok(Ok(Reply::Calls(calls))) => Some(*calls),
            _ => None,
        }
    }

    fn names(&self) -> Vec<NamedAddress> {
        let named = |(name, entry): (String, contract::DirectoryEntry)| {
            let kind = match entry.kind {
                NodeKind::Generator => BoxKind::Generator,
                NodeKind::TrunkGroup => BoxKind::TrunkGroup,
                NodeKind::CallServer => BoxKind::CallServer,
                NodeKind::Psap => BoxKind::Psap,
                NodeKind::AccessNode | NodeKind::PoolMonitor => return None,
            };
            Some(NamedAddress { address: entry.address, name, kind })
        };
        self.sites.boxes().into_iter().filter_map(named).collect()
    }
}

fn lock(waiting: &Mutex<BTreeMap<String, usize>>) -> MutexGuard<'_, BTreeMap<String, usize>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What boxes know of each call, in the order of its way: who is farther along it knows better how it stands.
fn joined(shown: &[(NodeKind, OpenCalls)]) -> Vec<CallInProgress> {
    let mut by_attempt: HashMap<&str, CallInProgress> = HashMap::new();
    for call in shown.iter().flat_map(|(_, calls)| &calls.calls) {
        match by_attempt.get_mut(&call.attempt[..]) {
            Some(known) => add(known, call),
            None => {
                by_attempt.insert(&call.attempt, begin(call));
            }
        }
    }
    by_attempt.into_values().collect()
}

fn begin(call: &OpenCall) -> CallInProgress {
    CallInProgress {
        attempt: call.attempt.clone(),
        caller: call.caller.clone(),
        commune: call.commune.clone(),
        number: call.number.clone(),
        trunk_group: call.trunk_group.clone(),
        site: call.site.clone(),
        psap: call.psap.clone(),
        state: call.stage.as_str().to_owned(),
        start_ms: call.start_us / 1_000,
        since_ms: call.since_us / 1_000,
    }
}

fn add(known: &mut CallInProgress, call: &OpenCall) {
    let add = |to: &mut Option<String>, from: &Option<String>| {
        if to.is_none() {
            to.clone_from(from);
        }
    };
    add(&mut known.caller, &call.caller);
    add(&mut known.commune, &call.commune);
    add(&mut known.trunk_group, &call.trunk_group);
    for (to, from) in [(&mut known.site, &call.site), (&mut known.psap, &call.psap)] {
        if from.is_some() {
            to.clone_from(from);
        }
    }
    known.start_ms = known.start_ms.min(call.start_us / 1_000);
    // Whoever has hung up knows it first.
    if known.state != CallStage::Ending.as_str() {
        call.stage.as_str().clone_into(&mut known.state);
        known.since_ms = call.since_us / 1_000;
    }
}

fn words(call: &CallInProgress) -> String {
    let texts = [&call.caller, &call.commune, &call.trunk_group, &call.site, &call.psap];
    let texts: Vec<&str> = texts.into_iter().flatten().map(String::as_str).collect();
    let CallInProgress { attempt, number, state, .. } = call;
    format!("{attempt} {number} {} {state}", texts.join(" ")).to_lowercase()
}

/// How a call stands.
fn sentence(call: &CallInProgress) -> String {
    let place = match (&call.psap, &call.site, &call.trunk_group) {
        (Some(psap), Some(site), _) => format!(" at {psap}, by way of {site}"),
        (Some(psap), None, _) => format!(" at {psap}"),
        (None, Some(site), _) => format!(" at {site}"),
        (None, None, Some(trunk_group)) => format!(" at {trunk_group}"),
        (None, None, None) => String::new(),
    };
    format!("It is in progress: {}{place}", call.state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(attempt: &str, stage: CallStage, start_us: u64) -> OpenCall {
        OpenCall {
            attempt: attempt.to_owned(),
            call_ids: Vec::new(),
            caller: None,
            number: "112".to_owned(),
            commune: None,
            trunk_group: None,
            site: None,
            psap: None,
            stage,
            start_us,
            since_us: start_us,
        }
    }

    #[test]
    fn whoever_is_farther_along_knows_better_and_who_hung_up_knows_first() {
        let of = |kind, calls: Vec<OpenCall>| (kind, OpenCalls { calls, ..OpenCalls::default() });
        let name = |name: &str| Some(name.to_owned());
        let by_caller = vec![
            OpenCall { caller: name("caller 3"), ..call("a", CallStage::Ringing, 1_000) },
            call("b", CallStage::Ending, 2_000),
        ];
        let by_psap = vec![
            OpenCall { psap: name("samu-59"), ..call("a", CallStage::Queued, 3_000) },
            call("b", CallStage::Talking, 3_000),
        ];
        let shown = [of(NodeKind::Generator, by_caller), of(NodeKind::Psap, by_psap)];
        let mut calls = joined(&shown);
        calls.sort_by(|one, other| one.attempt.cmp(&other.attempt));
        assert_eq!((&calls[0].state[..], calls[0].start_ms, calls[0].since_ms), ("queued", 1, 3));
        assert_eq!((&calls[0].caller, &calls[0].psap), (&name("caller 3"), &name("samu-59")));
        assert_eq!((&calls[1].state[..], calls[1].since_ms), ("ending", 2));
        assert_eq!(sentence(&calls[0]), "It is in progress: queued at samu-59");
        assert!(words(&calls[0]).contains("samu-59") && words(&calls[1]).contains("ending"));
    }
}
