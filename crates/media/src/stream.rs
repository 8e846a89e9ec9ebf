//! One stream: a port pair of ours, the peer behind it, and what we do with its media.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::agreement::Formats;
use crate::allowance::Allowance;
use crate::latch::Latch;
use crate::ports::PairId;
use crate::quality::Impairment;
use crate::receiver::Receiver;
use crate::report::StreamReport;
use crate::terminal::Terminal;

sip_proto::key_type! {
    /// Names a stream; the name of one that is closed never matches a new one.
    pub struct StreamId;
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) pair: PairId,
    pub(crate) local: SocketAddr,
    pub(crate) rtp: Latch,
    pub(crate) rtcp: Latch,
    pub(crate) formats: Formats,
    pub(crate) receiver: Receiver,
    /// Packets sent or forwarded to the peer.
    pub(crate) sent: u64,
    /// What may still be sent to the peer until it has shown that it wants media; `None`: as much as there is.
    pub(crate) allowance: Option<Allowance>,
    pub(crate) role: Role,
    pub(crate) watch: IdleWatch,
}

/// What becomes of media that arrives.
#[derive(Debug)]
pub(crate) enum Role {
    /// Counted only.
    Open,
    /// Goes out at the stream in this slot.
    Relay { partner: StreamId },
    /// Ends here.
    Terminal(Box<Terminal>),
}

/// Whether the peer should send, and does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct IdleWatch {
    /// Since when the peer should send; `None`: it need not.
    since: Option<Instant>,
    is_idle: bool,
}

impl IdleWatch {
    /// From now on the peer should send, or need not.
    pub(crate) fn expect(&mut self, now: Instant, expects: bool) {
        match (expects, self.since) {
            (true, None) => *self = Self { since: Some(now), is_idle: false },
            (false, _) => *self = Self::default(),
            (true, Some(_)) => {}
        }
    }

    /// How long the peer has been silent though it should send.
    pub(crate) fn silence(&self, now: Instant, last: Option<Instant>) -> Option<Duration> {
        let since = self.since?;
        Some(now.saturating_duration_since(last.map_or(since, |last| last.max(since))))
    }

    /// True when the silence has just become longer than `limit`.
    pub(crate) fn falls_idle(
        &mut self,
        now: Instant,
        last: Option<Instant>,
        limit: Duration,
    ) -> bool {
        let is_long = self.silence(now, last).is_some_and(|silence| silence >= limit);
        let falls = is_long && !self.is_idle;
        self.is_idle |= is_long;
        falls
    }

    /// A packet has come; true when that ends an idle time.
    pub(crate) fn wakes(&mut self) -> bool {
        std::mem::take(&mut self.is_idle)
    }
}

impl Stream {
    pub(crate) fn new(pair: PairId, local: SocketAddr) -> Self {
        let formats = Formats::default();
        Self {
            pair,
            local,
            rtp: Latch::default(),
            rtcp: Latch::default(),
            formats,
            receiver: Receiver::new(formats.clock_rate),
            sent: 0,
            allowance: None,
            role: Role::Open,
            watch: IdleWatch::default(),
        }
    }

    /// Whether one more packet may go to the peer. It is then counted as sent.
    pub(crate) fn may_send(&mut self) -> bool {
        let Some(allowance) = &mut self.allowance else { return true };
        let may = !allowance.is_spent();
        allowance.spend();
        may
    }

    /// A packet of the peer has come.
    pub(crate) fn note_arrival(&mut self) {
        if let Some(allowance) = &mut self.allowance {
            allowance.earn();
        }
    }

    /// Socket of the shell for RTP; the next one is that for RTCP.
    pub(crate) fn socket(&self) -> u32 {
        2 * self.pair.0
    }

    pub(crate) fn terminal(&mut self) -> Option<&mut Terminal> {
        match &mut self.role {
            Role::Terminal(terminal) => Some(terminal),
            Role::Open | Role::Relay { .. } => None,
        }
    }

    /// The report at the end; `idle_after` is how long a silence must be to count as a stop.
    pub(crate) fn finish(self, now: Instant, idle_after: Duration) -> StreamReport {
        let silence = self.watch.silence(now, self.receiver.last());
        let (mut verdict, mut digits, mut round_trip) = (None, String::new(), None);
        let mut sent = self.sent;
        if let Role::Terminal(terminal) = &self.role {
            verdict = terminal.check.as_ref().map(|ear| ear.verdict());
            digits = terminal.digits_heard();
            round_trip = terminal.round_trip();
            sent = terminal.sent();
        }
        let counts = self.receiver.finish();
        StreamReport {
            verdict,
            digits,
            sent,
            strangers: self.rtp.refused() + self.rtcp.refused(),
            stopped_us: silence
                .filter(|silence| *silence >= idle_after)
                .map(|silence| u64::try_from(silence.as_micros()).unwrap_or(u64::MAX)),
            ..StreamReport::new(&counts, Impairment::G711_CONCEALED, round_trip)
        }
    }
}
