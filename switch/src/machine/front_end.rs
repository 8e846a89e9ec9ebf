//! What of a machine still answers while its software hangs: the transactions in front of it, which take a request in and wait for
//! the software to say what comes of it.
//!
//! | what comes | what goes back |
//! |---|---|
//! | an INVITE, of a new call or inside one | 100, and nothing more |
//! | OPTIONS from outside a call | 200, if the machine is so set |
//! | anything else | nothing |

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Instant;

use sip_proto::message::{Method, Request};
use sip_proto::timer::Timers;
use sip_proto::transaction::{Event, ServerId, Transactions};
use sip_proto::{Packet, Rejection};

/// The transactions of one address while nobody is behind them.
#[derive(Debug)]
pub(crate) struct FrontEnd {
    transactions: Transactions<()>,
    answers_probes: bool,
    /// The header line that tells which start of the machine answers.
    origin_state: String,
    /// Call-IDs of the calls that are known: those that the software had, and those taken since.
    known: BTreeSet<String>,
    /// More new calls than these are not taken, and hear not even a 100.
    most_calls: usize,
}

impl FrontEnd {
    /// In front of software that has begun as `origin_state` says, and has had the calls `known`.
    pub(crate) fn new(
        address: SocketAddr,
        timers: Timers,
        seed: u64,
        origin_state: u64,
        answers_probes: bool,
        known: BTreeSet<String>,
        most_calls: usize,
    ) -> Self {
        let origin_state = format!("Origin-State-Id: {origin_state}\r\n");
        let transactions =
            Transactions::new(address, timers, seed).trying_with(origin_state.clone().into_bytes());
        let most_calls = most_calls.saturating_add(known.len());
        Self { transactions, answers_probes, origin_state, known, most_calls }
    }

    /// Takes what a socket received. Returns the INVITE of each new call that is taken by it, and a name for its attempt if it has
    /// none.
    pub(crate) fn handle_packet(&mut self, now: Instant, packet: Packet) -> Vec<(Request, String)> {
        // The rest needs the software; a CANCEL too, which must end the INVITE.
        let is = |method: &str| packet.bytes.starts_with(method.as_bytes());
        let is_taken = is("INVITE ") || (self.answers_probes && is("OPTIONS "));
        if !is_taken {
            return Vec::new();
        }
        self.transactions.handle_packet(now, packet);
        let mut taken = Vec::new();
        while let Some(event) = self.transactions.poll_event() {
            let Event::Request { id, request, .. } = event else { continue };
            match request.method() {
                Method::Invite => taken.extend(self.take(now, id, request)),
                Method::Options if request.to_tag().is_none() => self.answer_probe(now, id),
                _ => {}
            }
        }
        taken
    }

    fn take(&mut self, now: Instant, id: ServerId, invite: Request) -> Option<(Request, String)> {
        let is_known = invite.to_tag().is_some() || self.known.contains(invite.call_id());
        if !is_known && self.known.len() >= self.most_calls {
            return None;
        }
        self.transactions.trying(now, id);
        if is_known {
            return None;
        }
        self.known.insert(invite.call_id().to_owned());
        let attempt = invite.session_id().map(|id| id.local().to_owned());
        let attempt = attempt.unwrap_or_else(|| self.transactions.ids().uuid().into());
        Some((invite, attempt))
    }

    fn answer_probe(&mut self, now: Instant, id: ServerId) {
        let headers = Some(self.origin_state.clone().into());
        self.transactions.reject(now, id, &Rejection { headers, ..Rejection::new(200) });
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.transactions.handle_timeout(now);
        while self.transactions.poll_event().is_some() {}
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Packet> {
        self.transactions.poll_transmit()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.transactions.poll_timeout()
    }

    /// SIP transactions that are alive.
    pub(crate) fn transactions(&self) -> usize {
        self.transactions.len()
    }
}
