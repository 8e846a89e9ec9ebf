//! The execution of an operation: orders come out, answers go in.
//!
//! ```text
//!            due           no canary
//!   Waiting ─────┬────────────────────────────────────► Rollout ───► Over
//!                │ canary                                  ▲           ▲
//!                └────────► Canary ──► Observing ──► Gate ─┤ passes    │
//!                             ▲ │ silent, refused, aborted │           │
//!                  next site, │ │                          │           │
//!                  gate each  └─┼──────────────────────────┤           │
//!                               └────────► StandDown ◄─────┘ fails     │
//!                                             └────────────────────────┘
//! ```
//!
//! Call in this order: one of [`milestone`](Procedure::milestone), [`answered`](Procedure::answered) or
//! [`advance`](Procedure::advance); then [`poll_order`](Procedure::poll_order) until `None`; then
//! [`awaits_gate`](Procedure::awaits_gate), and [`gate`](Procedure::gate) when it asks; then come back at
//! [`next_due`](Procedure::next_due). To come back earlier is harmless.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::command_schedule::{CommandSchedule, OrderLog};
use crate::gate_measure::Measured;
use crate::log::{LogEntry, OperationNote, OrderAnswer};
use crate::milestone::Milestone;
use crate::operation::{Canary, GateScope, Operation, OperationSites, OperationStart};

pub use crate::command_schedule::DueOrder;

/// One operation while it is carried out.
#[derive(Debug)]
pub struct Procedure {
    operation: Operation,
    /// The sites of the network, and those of them that were seen to be affected by something so far.
    pool: Vec<String>,
    affected: Vec<String>,
    /// All its sites.
    sites: Vec<String>,
    /// The place among them of the one that goes ahead.
    canary: usize,
    state: State,
    /// Why no further order is given, if so.
    stopped: Option<String>,
    last_id: u64,
    log: Vec<LogEntry>,
    notes: Vec<OperationNote>,
}

#[derive(Debug)]
enum State {
    /// For its time, or with `None` for its milestone.
    Waiting(Option<Duration>),
    Canary(CommandSchedule),
    Observing {
        until: Duration,
    },
    Gate,
    Rollout(CommandSchedule),
    /// The commands for a canary that failed.
    StandDown(CommandSchedule),
    Over,
}

impl Procedure {
    /// `operation` on the sites of `pool`, in the order of the network file.
    #[must_use]
    pub fn new(operation: &Operation, pool: &[String]) -> Self {
        let sites = operation.sites_of(pool);
        let state = match &operation.start {
            _ if !operation.enabled => State::Over,
            _ if sites.is_empty() && operation.sites != OperationSites::Affected => State::Over,
            OperationStart::At(at) => State::Waiting(Some(*at)),
            OperationStart::End | OperationStart::After { .. } => State::Waiting(None),
        };
        Self {
            operation: operation.clone(),
            pool: pool.to_vec(),
            affected: Vec::new(),
            sites,
            canary: 0,
            state,
            stopped: None,
            last_id: 0,
            log: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The settings that it carries out.
    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Takes note that the crisis has reached `milestone`, which the operation may wait for.
    pub fn milestone(&mut self, at: Duration, milestone: &Milestone) {
        if let (State::Waiting(due @ None), OperationStart::After { milestone: awaited, delay }) =
            (&mut self.state, &self.operation.start)
            && awaited == milestone
        {
            *due = Some(at + *delay);
        }
    }

    /// The campaign ends: begins if it has waited for that, and otherwise not any more.
    pub fn end(&mut self, at: Duration) {
        if let State::Waiting(due) = &mut self.state {
            match self.operation.start {
                OperationStart::End => *due = Some(at),
                OperationStart::At(_) | OperationStart::After { .. } => self.state = State::Over,
            }
        }
    }

    /// The next order that is due at `at`.
    pub fn poll_order(&mut self, at: Duration) -> Option<DueOrder> {
        self.advance(at);
        let mut orders =
            OrderLog { operation: &self.operation, log: &mut self.log, last_id: &mut self.last_id };
        match &mut self.state {
            State::Canary(schedule) | State::Rollout(schedule) | State::StandDown(schedule) => {
                schedule.poll_order(at, &mut orders)
            }
            _ => None,
        }
    }

    /// Takes an answer to the order `id`: what the site says at once, and later how what it accepted has ended.
    ///
    /// An answer that comes after the time-out is too late and changes nothing.
    pub fn answered(&mut self, at: Duration, id: u64, answer: impl Into<OrderAnswer>) {
        self.time_out(at, true);
        let mut orders =
            OrderLog { operation: &self.operation, log: &mut self.log, last_id: &mut self.last_id };
        if let State::Canary(schedule) | State::Rollout(schedule) | State::StandDown(schedule) =
            &mut self.state
            && let Some(reason) = schedule.answered(at, id, answer.into(), &mut orders)
        {
            self.stop(at, reason);
        }
        self.proceed(at);
    }

    /// Lets time pass: orders time out, a canary has been observed for long enough.
    pub fn advance(&mut self, at: Duration) {
        self.time_out(at, false);
        self.proceed(at);
    }

    /// When to come back, at the latest. `None` while it waits for a milestone or a gate, and when it is over.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        match &self.state {
            State::Waiting(due) => *due,
            State::Observing { until } => Some(*until),
            State::Canary(schedule) | State::Rollout(schedule) | State::StandDown(schedule) => {
                schedule.next_due(&self.operation)
            }
            State::Gate | State::Over => None,
        }
    }

    /// Takes note of which sites have been seen to restart or to be silent so far. What counts is what is known when the operation
    /// begins.
    pub fn note_affected(&mut self, sites: &[String]) {
        if self.operation.sites == OperationSites::Affected {
            self.affected = sites.to_vec();
        }
    }

    /// The canary while it is observed, and until its gate has decided.
    #[must_use]
    pub fn observed(&self) -> Option<&Canary> {
        let is_seen = matches!(self.state, State::Observing { .. } | State::Gate);
        self.operation.canary.as_ref().filter(|_| is_seen)
    }

    /// The canary that has been observed and waits for its measurement.
    #[must_use]
    pub fn awaits_gate(&self) -> Option<&Canary> {
        self.operation.canary.as_ref().filter(|_| matches!(self.state, State::Gate))
    }

    /// The site that goes ahead, if the operation has a canary: the first, or with a gate behind each the last that was begun.
    #[must_use]
    pub fn canary_site(&self) -> Option<&str> {
        self.operation.canary.as_ref()?;
        self.sites.get(self.canary).map(String::as_str)
    }

    /// Decides by what was `measured` at the canary whether the other sites follow. `None` stops: nothing is known.
    pub fn gate(&mut self, at: Duration, measured: impl Into<Measured>) {
        let Some(canary) = self.awaits_gate() else {
            return;
        };
        let (measured, scope) = (measured.into(), canary.gate);
        let site = self.sites[self.canary].clone();
        let verdict = canary.judge(&site, &measured);
        let seen = measured.sentence(&site);
        match verdict {
            Ok(()) => {
                self.note(at, Some(site), format!("{seen}: goes on"));
                self.state = self.behind_the_gate(at, scope);
            }
            Err(reason) => {
                self.note(at, Some(site), format!("{seen}: stops, {reason}"));
                self.stand_down(at, reason);
            }
        }
        self.proceed(at);
    }

    /// What follows when a canary has passed.
    fn behind_the_gate(&mut self, at: Duration, scope: GateScope) -> State {
        let commands = self.operation.commands.clone();
        let next = self.canary + 1;
        match scope {
            GateScope::Each if next < self.sites.len() => {
                self.canary = next;
                self.ahead(at + self.operation.interval)
            }
            GateScope::Each => State::Over,
            GateScope::First => State::Rollout(self.schedule(&commands, 1.., at)),
        }
    }

    /// The site that goes ahead gets its commands.
    fn ahead(&self, begins: Duration) -> State {
        let site = self.canary..self.canary + 1;
        let schedule = self.schedule(&self.operation.commands, site, begins);
        State::Canary(schedule.stopping_on_silence())
    }

    fn note(&mut self, at: Duration, site: Option<String>, text: String) {
        self.notes.push(OperationNote { at, site, text, by_hand: false });
    }

    /// Begins: which sites are affected is known now.
    fn begin(&mut self, due: Duration) -> State {
        if self.operation.sites == OperationSites::Affected {
            let is_affected = |site: &&String| self.affected.contains(site);
            self.sites = self.pool.iter().filter(is_affected).cloned().collect();
            let text = match self.sites.is_empty() {
                true => "no site has restarted or been silent so far: nothing to do".to_owned(),
                false => format!("affected so far: {}", self.sites.join(", ")),
            };
            self.note(due, None, text);
        }
        match self.operation.canary {
            _ if self.sites.is_empty() => State::Over,
            Some(_) => self.ahead(due),
            None => State::Rollout(self.schedule(&self.operation.commands, .., due)),
        }
    }

    /// Whether nothing more will happen.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Why the operation gave up before its end, if it did.
    #[must_use]
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// What is to be told beside that, in the order of time: what was seen at a gate, and what followed from it.
    #[must_use]
    pub fn notes(&self) -> &[OperationNote] {
        &self.notes
    }

    /// Every try of every order whose result is known, in the order of the results.
    #[must_use]
    pub fn log(&self) -> &[LogEntry] {
        &self.log
    }

    /// Lets orders time out; those whose last moment is `at` itself only if it has passed.
    fn time_out(&mut self, at: Duration, answer_first: bool) {
        // An answer in the last moment of an order is in time.
        let until = match answer_first {
            true => at.saturating_sub(Duration::from_nanos(1)),
            false => at,
        };
        let mut orders =
            OrderLog { operation: &self.operation, log: &mut self.log, last_id: &mut self.last_id };
        if let State::Canary(schedule) | State::Rollout(schedule) | State::StandDown(schedule) =
            &mut self.state
        {
            while let Some(reason) = schedule.advance(until, &mut orders) {
                schedule.stop(at, &reason, orders.log);
                self.stopped.get_or_insert(reason);
            }
        }
    }

    /// Goes from state to state as far as `at` allows.
    fn proceed(&mut self, at: Duration) {
        loop {
            self.state = match &self.state {
                State::Waiting(Some(due)) if *due <= at => {
                    let due = *due;
                    self.begin(due)
                }
                State::Canary(schedule) if schedule.is_over() => {
                    let over_at = schedule.over_at();
                    match self.stopped.clone() {
                        Some(reason) => {
                            self.stand_down(at, reason);
                            continue;
                        }
                        None => State::Observing { until: over_at + self.observe() },
                    }
                }
                State::Observing { until } if *until <= at => State::Gate,
                State::Rollout(schedule) | State::StandDown(schedule) if schedule.is_over() => {
                    State::Over
                }
                _ => return,
            };
        }
    }

    /// Leaves the sites behind the canary alone, and gives the canary its last commands.
    fn stand_down(&mut self, at: Duration, reason: String) {
        let commands = self.operation.commands.clone();
        let (canary, next) = (self.canary, self.canary + 1);
        self.schedule(&commands, next.., at).stop(at, &reason, &mut self.log);
        self.stopped.get_or_insert(reason);
        let on_stop = self.operation.canary.as_ref().map(|canary| canary.on_stop.clone());
        self.state =
            State::StandDown(self.schedule(&on_stop.unwrap_or_default(), canary..next, at));
    }

    fn stop(&mut self, at: Duration, reason: String) {
        if let State::Canary(schedule) | State::Rollout(schedule) | State::StandDown(schedule) =
            &mut self.state
        {
            schedule.stop(at, &reason, &mut self.log);
        }
        self.stopped.get_or_insert(reason);
    }

    fn schedule<R>(&self, commands: &[crate::Action], sites: R, begins: Duration) -> CommandSchedule
    where
        R: std::slice::SliceIndex<[String], Output = [String]>,
    {
        CommandSchedule::new(&self.operation, commands, &self.sites[sites], begins)
    }

    fn observe(&self) -> Duration {
        self.operation.canary.as_ref().map_or(Duration::ZERO, |canary| canary.observe)
    }
}
