//! The PSAP as an actor runs it: inputs, outputs, commands.

use std::net::SocketAddr;
use std::time::Instant;

use contract::{CallPicker, Node, PsapSnapshot, Reply};
use media::Plane;
use sip_proto::{Packet, Transport};
use telemetry::{CallRecord, Party};
use trace::Notes;

use super::{LegId, Output, Psap};
use crate::attempt::{Ending, NORMAL_CLEARING};
use crate::refusal::refusal;

/// The limit that a network file has, too.
const MOST_POSITIONS: u32 = 10_000;

/// What an operator may change while the PSAP runs.
#[derive(Debug, Clone)]
pub enum Command {
    /// Opens or closes positions, up to 10,000. Call takers in a call finish it first.
    SetPositions(u32),
}

impl Node for Psap {
    type Command = Command;
    type Event = Output;
    type Snapshot = PsapSnapshot;

    fn handle_packet(&mut self, now: Instant, packet: Packet) {
        self.agent.handle_packet(now, packet);
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        self.settle(now);
    }

    fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr) {
        self.agent.handle_unreachable(now, transport, peer);
        self.settle(now);
    }

    fn handle_command(&mut self, now: Instant, command: Command) -> Reply {
        let Command::SetPositions(count) = command;
        let count = count.min(MOST_POSITIONS);
        self.centre.resize(count as usize);
        self.settle(now);
        Reply::Done(format!("{count} positions are staffed"))
    }

    fn handle_drain(&mut self, now: Instant) {
        self.admission.close();
        self.agent.set_unavailable(Some(refusal(503)));
        let legs: Vec<LegId> = self.calls.keys().copied().collect();
        for leg in legs {
            let Some(call) = self.calls.get(&leg) else {
                continue;
            };
            if call.attempt.answered.is_none() {
                self.reject_waiting(now, leg, "the PSAP is closing");
            } else if call.ending.is_none() {
                self.hang_up(now, leg, Ending::hung_up(Party::Callee, NORMAL_CLEARING));
            }
        }
        self.settle(now);
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        self.agent.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn notes(&mut self) -> Option<&mut Notes> {
        Some(&mut self.notes)
    }

    fn record_of(output: &Output) -> Option<&CallRecord> {
        match output {
            Output::Record(record) => Some(record),
            Output::Recording(_) => None,
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let deadlines = [self.agent.poll_timeout(), self.deadlines.next()];
        deadlines.into_iter().flatten().min()
    }

    fn snapshot(&self) -> PsapSnapshot {
        let transactions = self.agent.transaction_stats();
        PsapSnapshot {
            name: self.config.name.clone(),
            number: self.config.number.clone(),
            positions: self.centre.positions(),
            waiting: self.centre.waiting(),
            oldest_waiting_us: self.centre.oldest_waiting().map(|at| self.clock.micros(at)),
            offered: self.offered,
            refused: self.refused,
            unanswered: self.unanswered,
            in_progress: self.calls.len(),
            service: self.level.figures(),
            malformed: transactions.malformed,
            stray: transactions.stray,
            overflow: transactions.overflow,
            transactions: self.agent.transactions(),
            dialogs: self.agent.legs(),
            limited: self.limited,
            over_dialogs: self.over_dialogs,
            refused_by_status: self.agent.stats().refused.clone(),
            media: self.plane.counts(),
        }
    }

    fn show_calls(&self, picker: &mut CallPicker) {
        for (leg, call) in &self.calls {
            let waits = self.centre.is_waiting(*leg);
            call.attempt.show(&self.config.name, &self.clock, waits, picker);
        }
    }

    fn plane(&mut self) -> Option<&mut Plane> {
        Some(&mut self.plane)
    }

    fn handle_media(&mut self, _now: Instant) {
        // The record of each call says when its media stopped.
        while self.plane.poll_event().is_some() {}
    }

    fn is_drained(&self) -> bool {
        self.admission.is_closed() && self.calls.is_empty() && self.agent.is_idle()
    }
}
