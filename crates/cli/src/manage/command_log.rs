//! What was commanded of late: the network tells it to whoever was not there, such as a run that has it as its target.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use contract::{CallsWanted, DirectoryEntry, EffectEnd, Reply};
use futures_util::future::BoxFuture;
use operations::{Action, OrderResult};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Canaries, ChronicleKind, CommandNote, Intervention, LiveFeed, ManagedCallServer, ManagedSites,
    NetworkView,
};

/// Commands that are remembered; the oldest are forgotten first.
const REMEMBERED: usize = 1_000;

/// The answer to `GET /v1/command-log`, in the order in which commands went out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct CommandLogView {
    pub commands: Vec<LoggedCommand>,
}

/// A command to one call server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoggedCommand {
    /// No other command since the program's start has it.
    pub id: u64,
    /// Who gave it.
    pub by: String,
    pub name: String,
    #[schema(value_type = Object)]
    pub action: Action,
    /// How long ago it went out, in milliseconds. No clock of two machines need agree.
    pub given_ms_ago: u64,
    /// How long ago it was over; null while it waits for its answer, or for the end of what was accepted.
    pub over_ms_ago: Option<u64>,
    #[schema(value_type = Option<Object>)]
    pub result: Option<OrderResult>,
}

/// Sites whose commands are remembered.
pub(super) struct LoggedSites {
    sites: Arc<dyn ManagedSites>,
    log: Mutex<VecDeque<Entry>>,
}

struct Entry {
    note: CommandNote,
    given: Instant,
    over: Option<Instant>,
}

impl LoggedSites {
    pub(super) fn new(sites: Arc<dyn ManagedSites>) -> Self {
        Self { sites, log: Mutex::new(VecDeque::new()) }
    }

    pub(super) fn view(&self) -> CommandLogView {
        let ago = |at: Instant| u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        let told = |Entry { note, given, over }: &Entry| LoggedCommand {
            id: note.id,
            by: note.by.clone(),
            name: note.name.clone(),
            action: note.action.clone(),
            given_ms_ago: ago(*given),
            over_ms_ago: over.map(ago),
            result: note.result.clone(),
        };
        CommandLogView { commands: self.log().iter().map(told).collect() }
    }

    fn log(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ManagedSites for LoggedSites {
    fn members(&self) -> Vec<ManagedCallServer> {
        self.sites.members()
    }

    fn boxes(&self) -> BTreeMap<String, DirectoryEntry> {
        self.sites.boxes()
    }

    fn command(&self, name: &str, action: &Action) -> BoxFuture<'static, Reply> {
        self.sites.command(name, action)
    }

    fn show_calls(&self, name: &str, wanted: CallsWanted) -> BoxFuture<'static, Reply> {
        self.sites.show_calls(name, wanted)
    }

    fn effect(&self, name: &str, ticket: u64) -> BoxFuture<'static, EffectEnd> {
        self.sites.effect(name, ticket)
    }

    fn network(&self) -> &NetworkView {
        self.sites.network()
    }

    fn feed(&self) -> &LiveFeed {
        self.sites.feed()
    }

    fn canaries(&self) -> &Canaries {
        self.sites.canaries()
    }

    fn intervene(&self, what: Intervention) -> BoxFuture<'static, Result<String, String>> {
        self.sites.intervene(what)
    }

    fn note(&self, note: CommandNote) {
        let CommandNote { by, name, action, result, .. } = &note;
        let told = match result {
            None => format!("{by}: {name}: {action}: given"),
            Some(result) => format!("{by}: {name}: {action}: {result}"),
        };
        self.feed().tell(ChronicleKind::Command, None, &told);
        let mut log = self.log();
        let Some(result) = &note.result else {
            if log.len() == REMEMBERED {
                log.pop_front();
            }
            log.push_back(Entry { note: note.clone(), given: Instant::now(), over: None });
            drop(log);
            return self.sites.note(note);
        };
        if let Some(entry) = log.iter_mut().rev().find(|entry| entry.note.id == note.id) {
            entry.over = result.is_final().then(Instant::now);
            entry.note = note.clone();
        }
        drop(log);
        self.sites.note(note);
    }
}
