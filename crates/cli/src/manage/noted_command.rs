//! A command that is noted when it goes out and when it is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use operations::{Action, OrderResult};

use super::ManagedSites;
use super::command_note::CommandNote;

/// A command on its way. It is noted when it goes out, and again once it is over: without an answer, if whoever gave it no
/// longer waits for one.
pub(super) struct NotedCommand {
    sites: Arc<dyn ManagedSites>,
    note: CommandNote,
}

impl NotedCommand {
    pub(super) fn give(
        sites: &Arc<dyn ManagedSites>,
        by: &str,
        name: &str,
        action: &Action,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let note = CommandNote {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            by: by.to_owned(),
            name: name.to_owned(),
            action: action.clone(),
            age: Duration::ZERO,
            result: None,
        };
        sites.note(note.clone());
        Self { sites: Arc::clone(sites), note }
    }

    /// It is accepted, and its effect takes its time.
    pub(super) fn accepted(&self, text: String) {
        let result = Some(OrderResult::Accepted(text));
        self.sites.note(CommandNote { result, ..self.note.clone() });
    }

    pub(super) fn over(mut self, result: OrderResult) {
        self.note.result = Some(result);
    }
}

impl Drop for NotedCommand {
    fn drop(&mut self) {
        self.note.result.get_or_insert(OrderResult::TimedOut);
        self.sites.note(self.note.clone());
    }
}
