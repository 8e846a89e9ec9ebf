//! The course of a few commands over a few sites: which order is due when, and which is overdue.
//!
//! ```text
//!              given                     answered, refused
//!   (due) ───────────────► Awaited ─────────────────────────► next command of this site
//!                           ▲    │ timeout
//!             retry_interval│    ▼                no try left
//!                          Overdue ──────────────────────────► next command of this site
//! ```

use std::time::Duration;

use crate::action::Action;
use crate::log::{LogEntry, OrderResult};
use crate::operation::{Manner, Operation, Sequence};

/// An order that has to go out now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Unique within its procedure; from 1.
    pub id: u64,
    pub site: String,
    pub action: Action,
}

#[derive(Debug)]
pub(crate) struct Course {
    lanes: Vec<Lane>,
    commands: Vec<Action>,
    manner: Manner,
    sequence: Sequence,
    wait_for_ready: bool,
    /// A site that answers none of the tries ends the course, whatever the command was.
    stop_on_silence: bool,
    begins: Duration,
    stopped: bool,
}

/// One site and how far it is.
#[derive(Debug)]
struct Lane {
    site: String,
    /// How many commands it gets: all, unless the course stops before.
    total: usize,
    /// How many commands it has been given, and how many of them are over.
    given: usize,
    over: usize,
    /// When it was given the last command, and when the last one was over.
    given_at: Duration,
    over_at: Duration,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy)]
enum Open {
    Awaited { id: u64, tries: u32, given_at: Duration, deadline: Duration },
    Overdue { tries: u32, due: Duration },
}

/// What the course does not own: the settings, and the log and numbers of its procedure.
#[derive(Debug)]
pub(crate) struct OrderLog<'p> {
    pub(crate) operation: &'p Operation,
    pub(crate) log: &'p mut Vec<LogEntry>,
    pub(crate) last_id: &'p mut u64,
}

impl Course {
    /// All `commands` to `sites`, from `begins` on, in the manner of `operation`.
    pub(crate) fn new(
        operation: &Operation,
        commands: &[Action],
        sites: &[String],
        begins: Duration,
    ) -> Self {
        let lane = |site: &String| Lane {
            site: site.clone(),
            total: commands.len(),
            given: 0,
            over: 0,
            given_at: begins,
            over_at: begins,
            open: None,
        };
        Self {
            lanes: sites.iter().map(lane).collect(),
            commands: commands.to_vec(),
            manner: operation.manner,
            sequence: operation.sequence,
            wait_for_ready: operation.wait_for_ready,
            stop_on_silence: false,
            begins,
            stopped: false,
        }
    }

    /// The same, but silence of a site ends it.
    pub(crate) fn stopping_on_silence(mut self) -> Self {
        self.stop_on_silence = true;
        self
    }

    pub(crate) fn is_over(&self) -> bool {
        self.lanes.iter().all(|lane| lane.over == lane.total)
    }

    /// When the last command was over.
    pub(crate) fn over_at(&self) -> Duration {
        self.lanes.iter().map(|lane| lane.over_at).max().unwrap_or(self.begins)
    }

    /// The next order or time-out.
    pub(crate) fn next_due(&self, operation: &Operation) -> Option<Duration> {
        let orders = (0..self.lanes.len()).filter_map(|lane| self.due(lane, operation));
        let deadlines = self.lanes.iter().filter_map(|lane| match lane.open {
            Some(Open::Awaited { deadline, .. }) => Some(deadline),
            _ => None,
        });
        orders.chain(deadlines).min()
    }

    /// The earliest order that is due at `at`.
    pub(crate) fn poll_order(&mut self, at: Duration, orders: &mut OrderLog<'_>) -> Option<Order> {
        let due = (0..self.lanes.len())
            .filter_map(|lane| Some((self.due(lane, orders.operation)?, lane)))
            .min()
            .filter(|(due, _)| *due <= at);
        let (_, index) = due?;
        let lane = &mut self.lanes[index];
        let tries = match lane.open {
            Some(Open::Overdue { tries, .. }) => tries + 1,
            _ => {
                lane.given += 1;
                1
            }
        };
        *orders.last_id += 1;
        lane.given_at = at;
        let deadline = at + orders.operation.timeout;
        lane.open = Some(Open::Awaited { id: *orders.last_id, tries, given_at: at, deadline });
        let action = self.commands[lane.given - 1].clone();
        Some(Order { id: *orders.last_id, site: lane.site.clone(), action })
    }

    /// Takes the answer to the order `id`. Gives the reason when the course stops by it.
    pub(crate) fn answered(
        &mut self,
        at: Duration,
        id: u64,
        answer: Result<String, String>,
        orders: &mut OrderLog<'_>,
    ) -> Option<String> {
        let is_it =
            |lane: &Lane| matches!(lane.open, Some(Open::Awaited { id: open, .. }) if open == id);
        let index = self.lanes.iter().position(is_it)?;
        let refused = answer.is_err();
        let result = match answer {
            Ok(text) => OrderResult::Done(text),
            Err(sentence) => OrderResult::Refused(sentence),
        };
        self.close(index, at, result, orders);
        let lane = &self.lanes[index];
        let action = &self.commands[lane.over - 1];
        (refused && orders.operation.stop_on_refusal && !self.stopped)
            .then(|| format!("{} refused {action}", lane.site))
    }

    /// Lets orders time out. Gives the reason when the course stops by it.
    pub(crate) fn advance(&mut self, at: Duration, orders: &mut OrderLog<'_>) -> Option<String> {
        loop {
            let overdue =
                self.lanes.iter().enumerate().filter_map(|(index, lane)| match lane.open {
                    Some(Open::Awaited { deadline, tries, .. }) if deadline <= at => {
                        Some((deadline, index, tries))
                    }
                    _ => None,
                });
            let (deadline, index, tries) = overdue.min()?;
            if tries <= orders.operation.retry && !self.stopped {
                let due = deadline + orders.operation.retry_interval;
                self.note(index, deadline, OrderResult::TimedOut, orders);
                self.lanes[index].open = Some(Open::Overdue { tries, due });
                continue;
            }
            self.close(index, deadline, OrderResult::TimedOut, orders);
            let lane = &self.lanes[index];
            let holds_up = self.wait_for_ready
                && (self.sequence == Sequence::ByCommand || lane.over == self.commands.len());
            if !self.stopped && (self.stop_on_silence || holds_up) {
                let action = &self.commands[lane.over - 1];
                return Some(format!("{} did not answer {action}", lane.site));
            }
        }
    }

    /// Gives no further order, and logs each that was not given. Orders that are out are still
    /// answered or time out.
    pub(crate) fn stop(&mut self, at: Duration, reason: &str, log: &mut Vec<LogEntry>) {
        self.stopped = true;
        for lane in &mut self.lanes {
            if let Some(Open::Overdue { .. }) = lane.open {
                lane.open = None;
                lane.over = lane.given;
                lane.over_at = at;
            }
            for action in &self.commands[lane.given..lane.total] {
                log.push(LogEntry {
                    at,
                    given_at: None,
                    site: lane.site.clone(),
                    action: action.clone(),
                    result: OrderResult::Stopped(reason.to_owned()),
                });
            }
            lane.total = lane.given;
        }
    }

    /// When the next order to this site is due, once nothing but time is missing.
    fn due(&self, index: usize, operation: &Operation) -> Option<Duration> {
        let lane = &self.lanes[index];
        match lane.open {
            Some(Open::Awaited { .. }) => return None,
            Some(Open::Overdue { due, .. }) => return Some(due),
            None if lane.given == lane.total => return None,
            None => {}
        }
        let mut due = self.begins;
        if lane.given > 0 {
            due = (lane.given_at + operation.command_interval).max(lane.over_at);
        }
        Some(due.max(self.turn(index, operation)?))
    }

    /// From when on the other sites let this one have its next command; `None` while they do not.
    fn turn(&self, index: usize, operation: &Operation) -> Option<Duration> {
        let command = self.lanes[index].given;
        match (self.manner, self.sequence) {
            (Manner::Parallel, Sequence::BySite) => Some(self.begins),
            (Manner::Parallel, Sequence::ByCommand) => {
                let ready = self.lanes.iter().all(|lane| lane.over >= command);
                let over = self.lanes.iter().map(|lane| lane.over_at).max();
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
                self.left(self.lanes.len() - 1, command, operation.command_interval)
            }
            (Manner::Serial, Sequence::ByCommand) => Some(self.begins),
        }
    }

    /// `interval` after this site has had `commands` of its commands; `None` before.
    fn left(&self, index: usize, commands: usize, interval: Duration) -> Option<Duration> {
        let lane = &self.lanes[index];
        match self.wait_for_ready {
            true => (lane.over >= commands).then(|| lane.over_at + interval),
            false => (lane.given >= commands).then(|| lane.given_at + interval),
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
        let lane = &mut self.lanes[index];
        lane.open = None;
        lane.over = lane.given;
        lane.over_at = at;
    }

    fn note(&self, index: usize, at: Duration, result: OrderResult, orders: &mut OrderLog<'_>) {
        let lane = &self.lanes[index];
        let given_at = match lane.open {
            Some(Open::Awaited { given_at, .. }) => Some(given_at),
            _ => None,
        };
        let action = self.commands[lane.given - 1].clone();
        orders.log.push(LogEntry { at, given_at, site: lane.site.clone(), action, result });
    }
}
