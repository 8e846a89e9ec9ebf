//! The schedule of a few commands over a few sites: which order is due when, and which is overdue.
//!
//! ```text
//!              given                     answered, refused
//!   (due) ───────────────► Awaited ─────────────────────────► next command of this site
//!                           ▲    │ timeout, aborted
//!             retry_interval│    ▼                no try left
//!                          Overdue ──────────────────────────► next command of this site
//! ```
//!
//! An order that is accepted has its effect later. A schedule that waits for effects goes on awaiting it; any other one gives the
//! next command, and only notes how it ends.

use std::time::Duration;

use topology::format_duration;

use crate::action::Action;
use crate::log::{LogEntry, OrderAnswer, OrderResult};
use crate::operation::{Manner, Operation, Sequence};

/// An order that has to go out now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueOrder {
    /// Unique within its procedure; from 1.
    pub id: u64,
    pub site: String,
    pub action: Action,
}

#[derive(Debug)]
pub(crate) struct CommandSchedule {
    sites: Vec<SiteProgress>,
    commands: Vec<Action>,
    manner: Manner,
    sequence: Sequence,
    wait_for_ready: bool,
    /// A site that answers none of the tries ends the schedule, whatever the command was.
    stop_on_silence: bool,
    begins: Duration,
    stopped: bool,
    /// Orders that were accepted and that nothing waits for.
    accepted: Vec<AcceptedOrder>,
}

/// An order that was accepted, and whose effect is not there yet.
#[derive(Debug)]
struct AcceptedOrder {
    id: u64,
    site: usize,
    command: usize,
    given_at: Duration,
    deadline: Duration,
}

/// One site and how far it is.
#[derive(Debug)]
struct SiteProgress {
    site: String,
    /// How many commands it gets: all, unless the schedule stops before.
    total: usize,
    /// How many commands it has been given, and how many of them are over.
    given: usize,
    over: usize,
    /// When it was given the last command, and when the last one was over.
    given_at: Duration,
    over_at: Duration,
    open: Option<OpenOrder>,
}

#[derive(Debug, Clone, Copy)]
enum OpenOrder {
    /// Its answer is, or its effect once it is `accepted`.
    Awaited {
        id: u64,
        tries: u32,
        given_at: Duration,
        deadline: Duration,
        accepted: bool,
    },
    Overdue {
        tries: u32,
        due: Duration,
    },
}

/// What the schedule does not own: the settings, and the log and numbers of its procedure.
#[derive(Debug)]
pub(crate) struct OrderLog<'p> {
    pub(crate) operation: &'p Operation,
    pub(crate) log: &'p mut Vec<LogEntry>,
    pub(crate) last_id: &'p mut u64,
}

impl CommandSchedule {
    /// All `commands` to `sites`, from `begins` on, in the manner of `operation`.
    pub(crate) fn new(
        operation: &Operation,
        commands: &[Action],
        sites: &[String],
        begins: Duration,
    ) -> Self {
        let progress = |site: &String| SiteProgress {
            site: site.clone(),
            total: commands.len(),
            given: 0,
            over: 0,
            given_at: begins,
            over_at: begins,
            open: None,
        };
        Self {
            sites: sites.iter().map(progress).collect(),
            commands: commands.to_vec(),
            manner: operation.manner,
            sequence: operation.sequence,
            wait_for_ready: operation.wait_for_ready,
            stop_on_silence: false,
            begins,
            stopped: false,
            accepted: Vec::new(),
        }
    }

    /// The same, but silence of a site ends it.
    pub(crate) fn stopping_on_silence(mut self) -> Self {
        self.stop_on_silence = true;
        self
    }

    pub(crate) fn is_over(&self) -> bool {
        let over = |progress: &SiteProgress| progress.over == progress.total;
        self.accepted.is_empty() && self.sites.iter().all(over)
    }

    /// When the last command was over.
    pub(crate) fn over_at(&self) -> Duration {
        self.sites.iter().map(|progress| progress.over_at).max().unwrap_or(self.begins)
    }

    /// The next order or time-out.
    pub(crate) fn next_due(&self, operation: &Operation) -> Option<Duration> {
        let orders = (0..self.sites.len()).filter_map(|progress| self.due(progress, operation));
        let deadlines = self.sites.iter().filter_map(|progress| match progress.open {
            Some(OpenOrder::Awaited { deadline, .. }) => Some(deadline),
            _ => None,
        });
        let effects = self.accepted.iter().map(|order| order.deadline);
        orders.chain(deadlines).chain(effects).min()
    }

    /// The earliest order that is due at `at`.
    pub(crate) fn poll_order(
        &mut self,
        at: Duration,
        orders: &mut OrderLog<'_>,
    ) -> Option<DueOrder> {
        let due = (0..self.sites.len())
            .filter_map(|progress| Some((self.due(progress, orders.operation)?, progress)))
            .min()
            .filter(|(due, _)| *due <= at);
        let (_, index) = due?;
        let progress = &mut self.sites[index];
        let tries = match progress.open {
            Some(OpenOrder::Overdue { tries, .. }) => tries + 1,
            _ => {
                progress.given += 1;
                1
            }
        };
        *orders.last_id += 1;
        progress.given_at = at;
        let deadline = at + orders.operation.timeout;
        let id = *orders.last_id;
        progress.open =
            Some(OpenOrder::Awaited { id, tries, given_at: at, deadline, accepted: false });
        let action = self.commands[progress.given - 1].clone();
        Some(DueOrder { id: *orders.last_id, site: progress.site.clone(), action })
    }

    /// Takes an answer to the order `id`. Gives the reason when the schedule stops by it.
    pub(crate) fn answered(
        &mut self,
        at: Duration,
        id: u64,
        answer: OrderAnswer,
        orders: &mut OrderLog<'_>,
    ) -> Option<String> {
        let is_it = |progress: &SiteProgress| matches!(progress.open, Some(OpenOrder::Awaited { id: open, .. }) if open == id);
        let Some(index) = self.sites.iter().position(is_it) else {
            self.effect_of_accepted(at, id, answer, orders);
            return None;
        };
        match answer {
            OrderAnswer::Accepted(text) => {
                self.accept(index, at, text, orders);
                None
            }
            OrderAnswer::Done(text) => {
                self.close(index, at, OrderResult::Done(text), orders);
                None
            }
            OrderAnswer::Refused(sentence) => {
                self.close(index, at, OrderResult::Refused(sentence), orders);
                let reason = || format!("{} refused {}", self.sites[index].site, self.last(index));
                (orders.operation.stop_on_refusal && !self.stopped).then(reason)
            }
            OrderAnswer::Aborted(why) => self.failed(index, at, OrderResult::Aborted(why), orders),
        }
    }

    /// Lets orders time out. Gives the reason when the schedule stops by it.
    pub(crate) fn advance(&mut self, at: Duration, orders: &mut OrderLog<'_>) -> Option<String> {
        while let Some(place) = self.accepted.iter().position(|order| order.deadline <= at) {
            let (id, deadline) = (self.accepted[place].id, self.accepted[place].deadline);
            self.effect_of_accepted(deadline, id, no_effect(orders.operation), orders);
        }
        loop {
            let overdue =
                self.sites.iter().enumerate().filter_map(|(index, progress)| match progress.open {
                    Some(OpenOrder::Awaited { deadline, accepted, .. }) if deadline <= at => {
                        Some((deadline, index, accepted))
                    }
                    _ => None,
                });
            let (deadline, index, accepted) = overdue.min()?;
            let result = match (accepted, no_effect(orders.operation)) {
                (true, OrderAnswer::Aborted(why)) => OrderResult::Aborted(why),
                _ => OrderResult::TimedOut,
            };
            if let Some(reason) = self.failed(index, deadline, result, orders) {
                return Some(reason);
            }
        }
    }

    /// An order had no answer, or no effect: it is tried again, or is over. Gives the reason when the schedule stops by it.
    fn failed(
        &mut self,
        index: usize,
        at: Duration,
        result: OrderResult,
        orders: &mut OrderLog<'_>,
    ) -> Option<String> {
        let Some(OpenOrder::Awaited { tries, .. }) = self.sites[index].open else { return None };
        if tries <= orders.operation.retry && !self.stopped {
            let due = at + orders.operation.retry_interval;
            self.note(index, at, result, orders);
            self.sites[index].open = Some(OpenOrder::Overdue { tries, due });
            return None;
        }
        let aborted = match &result {
            OrderResult::Aborted(why) => Some(why.clone()),
            _ => None,
        };
        self.close(index, at, result, orders);
        let SiteProgress { site, over, .. } = &self.sites[index];
        let action = self.last(index);
        // What follows an order that was cut short would be done to a site that is not what it is taken for.
        let holds_up = self.wait_for_ready
            && (aborted.is_some()
                || self.sequence == Sequence::ByCommand
                || *over == self.commands.len());
        let stops = !self.stopped && (self.stop_on_silence || holds_up);
        stops.then(|| match aborted {
            Some(why) => format!("{action} at {site} was aborted: {why}"),
            None => format!("{site} did not answer {action}"),
        })
    }

    /// A site has begun what it was ordered.
    fn accept(&mut self, index: usize, at: Duration, text: String, orders: &mut OrderLog<'_>) {
        let waits = self.waits();
        let Some(OpenOrder::Awaited { id, given_at, accepted, deadline, .. }) =
            &mut self.sites[index].open
        else {
            return;
        };
        if std::mem::replace(accepted, true) {
            return;
        }
        *deadline = at + orders.operation.effect_timeout;
        let (id, given_at, deadline) = (*id, *given_at, *deadline);
        if waits {
            return self.note(index, at, OrderResult::Accepted(text), orders);
        }
        self.close(index, at, OrderResult::Accepted(text), orders);
        let command = self.sites[index].given - 1;
        self.accepted.push(AcceptedOrder { id, site: index, command, given_at, deadline });
    }

    /// How an order ended that was accepted and that nothing waited for.
    fn effect_of_accepted(
        &mut self,
        at: Duration,
        id: u64,
        answer: OrderAnswer,
        orders: &mut OrderLog<'_>,
    ) {
        let result = match answer {
            OrderAnswer::Done(text) => OrderResult::Done(text),
            OrderAnswer::Aborted(why) => OrderResult::Aborted(why),
            OrderAnswer::Refused(sentence) => OrderResult::Refused(sentence),
            OrderAnswer::Accepted(_) => return,
        };
        let Some(place) = self.accepted.iter().position(|order| order.id == id) else { return };
        let AcceptedOrder { site, command, given_at, .. } = self.accepted.remove(place);
        let (site, action) = (self.sites[site].site.clone(), self.commands[command].clone());
        let given_at = Some(given_at);
        orders.log.push(LogEntry { at, given_at, site, action, by_hand: false, result });
    }

    /// Whether what comes next waits for the effect of an order.
    const fn waits(&self) -> bool {
        self.wait_for_ready || self.stop_on_silence
    }

    /// The last command that a site was given.
    fn last(&self, index: usize) -> &Action {
        &self.commands[self.sites[index].given - 1]
    }

    /// Gives no further order, and logs each that was not given. Orders that are out are still
    /// answered or time out.
    pub(crate) fn stop(&mut self, at: Duration, reason: &str, log: &mut Vec<LogEntry>) {
        self.stopped = true;
        for progress in &mut self.sites {
            if let Some(OpenOrder::Overdue { .. }) = progress.open {
                progress.open = None;
                progress.over = progress.given;
                progress.over_at = at;
            }
            for action in &self.commands[progress.given..progress.total] {
                log.push(LogEntry {
                    at,
                    given_at: None,
                    site: progress.site.clone(),
                    action: action.clone(),
                    by_hand: false,
                    result: OrderResult::Stopped(reason.to_owned()),
                });
            }
            progress.total = progress.given;
        }
    }

    /// When the next order to this site is due, once nothing but time is missing.
    fn due(&self, index: usize, operation: &Operation) -> Option<Duration> {
        let progress = &self.sites[index];
        match progress.open {
            Some(OpenOrder::Awaited { .. }) => return None,
            Some(OpenOrder::Overdue { due, .. }) => return Some(due),
            None if progress.given == progress.total => return None,
            None => {}
        }
        let mut due = self.begins;
        if progress.given > 0 {
            due = (progress.given_at + operation.command_interval).max(progress.over_at);
        }
        Some(due.max(self.turn(index, operation)?))
    }

    /// From when on the other sites let this one have its next command; `None` while they do not.
    fn turn(&self, index: usize, operation: &Operation) -> Option<Duration> {
        let command = self.sites[index].given;
        match (self.manner, self.sequence) {
            (Manner::Parallel, Sequence::BySite) => Some(self.begins),
            (Manner::Parallel, Sequence::ByCommand) => {
                let ready = self.sites.iter().all(|progress| progress.over >= command);
                let over = self.sites.iter().map(|progress| progress.over_at).max();
                ready.then(|| over.unwrap_or(self.begins))
            }
            (Manner::Serial, Sequence::BySite) if index == 0 => Some(self.begins),
            (Manner::Serial, Sequence::BySite) => {
                self.left(index - 1, self.commands.len(), operation.interval)
            }
            (Manner::Serial, Sequence::ByCommand) if index > 0 => {
                self.left(index - 1, command + 1, operation.interval)
            }
            (Manner::Serial, Sequence::ByCommand) if command > 0 => {
                self.left(self.sites.len() - 1, command, operation.command_interval)
            }
            (Manner::Serial, Sequence::ByCommand) => Some(self.begins),
        }
    }

    /// `interval` after this site has had `commands` of its commands; `None` before.
    fn left(&self, index: usize, commands: usize, interval: Duration) -> Option<Duration> {
        let progress = &self.sites[index];
        match self.wait_for_ready {
            true => (progress.over >= commands).then(|| progress.over_at + interval),
            false => (progress.given >= commands).then(|| progress.given_at + interval),
        }
    }

    fn close(
        &mut self,
        index: usize,
        at: Duration,
        result: OrderResult,
        orders: &mut OrderLog<'_>,
    ) {
        self.note(index, at, result, orders);
        let progress = &mut self.sites[index];
        progress.open = None;
        progress.over = progress.given;
        progress.over_at = at;
    }

    fn note(&self, index: usize, at: Duration, result: OrderResult, orders: &mut OrderLog<'_>) {
        let progress = &self.sites[index];
        let given_at = match progress.open {
            Some(OpenOrder::Awaited { given_at, .. }) => Some(given_at),
            _ => None,
        };
        let action = self.commands[progress.given - 1].clone();
        let site = progress.site.clone();
        orders.log.push(LogEntry { at, given_at, site, action, by_hand: false, result });
    }
}

/// The answer for an order whose effect does not come.
fn no_effect(operation: &Operation) -> OrderAnswer {
    let time = format_duration(operation.effect_timeout);
    OrderAnswer::Aborted(format!("its effect was not there within {time}"))
}
