//! What was commanded of late: the network tells it to whoever was not there, such as a run that has it as its target.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use operations::{Action, OrderResult};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::command_note::CommandNote;

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

/// The commands to a network, by whatever socket they came. Cheap to clone; all clones have the same.
#[derive(Debug, Clone, Default)]
pub struct CommandLog(Arc<Mutex<VecDeque<Entry>>>);

#[derive(Debug)]
struct Entry {
    note: CommandNote,
    given: Instant,
    over: Option<Instant>,
}

impl CommandLog {
    /// All that are remembered.
    #[must_use]
    pub fn view(&self) -> CommandLogView {
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
        CommandLogView { commands: self.entries().iter().map(told).collect() }
    }

    /// A command goes out, or its result is known.
    pub(super) fn note(&self, note: &CommandNote) {
        let mut entries = self.entries();
        let Some(result) = &note.result else {
            if entries.len() == REMEMBERED {
                entries.pop_front();
            }
            return entries.push_back(Entry {
                note: note.clone(),
                given: Instant::now(),
                over: None,
            });
        };
        if let Some(entry) = entries.iter_mut().rev().find(|entry| entry.note.id == note.id) {
            entry.over = result.is_final().then(Instant::now);
            entry.note = note.clone();
        }
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
