//! What became of every command: of the campaign's own, and of those that somebody gave by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operations::{Action, LogEntry, OrderResult};

use crate::operators::Operators;

/// A command that somebody gives by hand, as it goes out to a site or one call server of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandCommand {
    /// Who gives it.
    pub by: String,
    pub site: String,
    pub action: Action,
}

/// Commands in the order in which their results became known.
#[derive(Debug, Default)]
pub(crate) struct CommandLog {
    /// With who gave it: an operation of the campaign, or somebody by hand.
    entries: Vec<(String, LogEntry)>,
    /// How many of each operation are among them.
    taken: Vec<usize>,
    /// Given by hand, and not over so far: by their id.
    open: BTreeMap<u64, (String, LogEntry)>,
    /// Those of them that a site has accepted.
    accepted: BTreeSet<u64>,
}

impl CommandLog {
    /// Takes over what has become of the orders of operators since the last time.
    pub(crate) fn gather(&mut self, operators: &Operators) {
        let mut news = Vec::new();
        for (place, (name, log)) in operators.logs().enumerate() {
            if self.taken.len() <= place {
                self.taken.push(0);
            }
            let fresh = log.get(self.taken[place]..).unwrap_or_default();
            news.extend(fresh.iter().map(|entry| (name.to_owned(), entry.clone())));
            self.taken[place] = log.len();
        }
        news.sort_by_key(|(_, entry)| entry.at);
        self.entries.extend(news);
    }

    /// A command goes out by hand.
    pub(crate) fn give(&mut self, at: Duration, id: u64, command: HandCommand) {
        let HandCommand { by, site, action } = command;
        let result = OrderResult::TimedOut;
        let entry = LogEntry { at, given_at: Some(at), site, action, by_hand: true, result };
        self.open.insert(id, (by, entry));
    }

    /// It is accepted, or over. When it went out, if it may have touched its site.
    pub(crate) fn close(&mut self, at: Duration, id: u64, result: OrderResult) -> Option<Duration> {
        let (by, entry) = match result.is_final() {
            true => self.open.remove(&id)?,
            false => {
                self.accepted.insert(id);
                self.open.get(&id)?.clone()
            }
        };
        let is_done = !matches!(result, OrderResult::Refused(_) | OrderResult::Stopped(_));
        let touched = entry.given_at.filter(|_| is_done && entry.action.touches());
        self.entries.push((by, LogEntry { at, result, ..entry }));
        touched
    }

    /// What became of each command that is over, by the name of whoever gave it.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &LogEntry)> {
        self.entries.iter().map(|(by, entry)| (&by[..], entry))
    }

    /// The same, and then those without an answer so far.
    pub(crate) fn report(&self) -> Vec<(String, LogEntry)> {
        let unanswered = self.open.iter().filter(|(id, _)| !self.accepted.contains(id));
        self.entries.iter().chain(unanswered.map(|(_, entry)| entry)).cloned().collect()
    }
}
