//! All media of a box: every stream, and the one schedule that they share.
//!
//! ```text
//!   shell: sockets ──datagram──► Plane ──► forward by socket k to address x   (a relay: at once, same bytes)
//!                                  │  ├──► terminals: counted, heard, recorded
//!                                  │  └──► poll_event: media stopped, media is back
//!          timer ──poll_timeout─► schedule ──poll_transmit──► packets of terminals, every 20 ms each
//! ```
//!
//! A pure value, as boxes are: it has no socket, no clock and no task. Packets of terminals are made when the
//! shell asks for them, into a buffer of the shell, so that nothing queues up and nothing is allocated for each.
//! All terminals speak on multiples of 5 ms of the wall clock: one wake-up of the shell serves many.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sip_proto::arena::Arena;
use sip_proto::deadlines::{ByKey, Deadlines};

use crate::agreement::{Agreement, Formats};
use crate::allowance::Allowance;
use crate::ports::{PairId, Ports, Shortage};
use crate::recorder::{Recorder, Recording};
use crate::report::StreamReport;
use crate::rtcp::NtpTime;
use crate::sound_check::{ExpectedSound, SoundCheck};
use crate::stream::{Role, Stream, StreamId};
use crate::terminal::Terminal;
use crate::voice::Voice;

mod counts;
mod event;
mod inbound;
mod peer;
mod sights;
mod watched;

pub use counts::PlaneCounts;
pub use event::{Forward, StreamEvent};
use sights::Sights;
pub use sights::{MediaEvent, MediaSight};

/// Terminals speak at multiples of this.
const GRAIN: Duration = Duration::from_millis(5);
/// A packet this much after its time is late: its successor is due then. A playout buffer bears three times as much.
const LATE: Duration = Duration::from_millis(20);
/// A schedule that is further behind skips packets instead of sending them in a burst.
const HOPELESS: Duration = Duration::from_millis(100);
/// How often silent streams are looked for.
const IDLE_CHECK: Duration = Duration::from_secs(1);

/// What a plane is made from.
#[derive(Debug, Clone)]
pub struct PlaneSettings {
    /// Local addresses, at most one of each family.
    pub addresses: Vec<IpAddr>,
    /// Ports of each address.
    pub ports: RangeInclusive<u16>,
    /// A peer that should send and does not for this long is idle.
    pub idle_after: Duration,
    /// The shell should tell when the kernel received each datagram, and not only when it was read. That costs a
    /// tenth of a relay, so only those ask for it who judge the way by it.
    pub dated: bool,
}

/// The media of a box; see the module's picture.
#[derive(Debug)]
pub struct Plane {
    pools: Vec<Ports>,
    pairs: Vec<Pair>,
    /// Places in `pairs` whose sockets are closed.
    closed: Vec<PairId>,
    streams: Arena<StreamId, Stream>,
    schedule: Deadlines<(StreamId, Task), ByKey>,
    /// Packets that are not due by schedule: echoes and farewells.
    ready: VecDeque<(u32, SocketAddr, Vec<u8>)>,
    events: VecDeque<StreamEvent>,
    rng: StdRng,
    start: Instant,
    /// Unix time at the start.
    unix: Duration,
    idle_after: Duration,
    dated: bool,
    /// RFC 7022 §4.2: the same for all streams of an endpoint, and unlike that of any other.
    cname: Box<str>,
    next_idle_check: Instant,
    counts: PlaneCounts,
    /// `None`: nobody looks on.
    sights: Option<Sights>,
}

/// A port pair that the shell has opened.
#[derive(Debug)]
struct Pair {
    pool: usize,
    port: u16,
    stream: Option<StreamId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Task {
    Speak,
    Report,
}

impl Plane {
    /// `unix` is the Unix time at `start`.
    #[must_use]
    pub fn new(settings: &PlaneSettings, seed: u64, start: Instant, unix: Duration) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let cname = format!("{:024x}", rng.random::<u128>() >> 32).into();
        let mut pool = |ip: &IpAddr| Ports::new(*ip, &settings.ports, rng.random());
        Self {
            pools: settings.addresses.iter().map(&mut pool).collect(),
            pairs: Vec::new(),
            closed: Vec::new(),
            streams: Arena::default(),
            schedule: Deadlines::default(),
            ready: VecDeque::new(),
            events: VecDeque::new(),
            rng,
            start,
            unix,
            idle_after: settings.idle_after,
            dated: settings.dated,
            cname,
            next_idle_check: start + IDLE_CHECK,
            counts: PlaneCounts::default(),
            sights: None,
        }
    }

    // --- What the shell asks and tells of sockets. ---

    /// Whether the shell should ask the kernel when each datagram arrived.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.dated
    }

    /// The RTP address that the shell should open next, with the RTCP port above it; `None` while enough are open.
    pub fn wanted_port(&mut self) -> Option<SocketAddr> {
        self.pools.iter_mut().find_map(|pool| Some(SocketAddr::new(pool.ip(), pool.wanted()?)))
    }

    /// The number of the next RTP socket: that of one that was closed, or the first that was never used.
    #[must_use]
    pub fn next_number(&self) -> u32 {
        2 * self.closed.last().map_or(self.pairs.len() as u32, |pair| pair.0)
    }

    /// Both sockets are open. Their numbers are the returned one, which is the [next](Self::next_number), and the one above.
    pub fn port_opened(&mut self, rtp: SocketAddr) -> u32 {
        let number = self.next_number();
        if let Some(pool) = self.pools.iter().position(|pool| pool.ip() == rtp.ip()) {
            let opened = Pair { pool, port: rtp.port(), stream: None };
            let pair = self.closed.pop().unwrap_or(PairId(self.pairs.len() as u32));
            match self.pairs.get_mut(pair.0 as usize) {
                Some(place) => *place = opened,
                None => self.pairs.push(opened),
            }
            self.pools[pool].opened(pair, rtp.port());
        }
        number
    }

    /// The number of the RTP socket that the shell should close next, with the one above it; `None` while no more than a
    /// reserve is open.
    pub fn surplus_port(&mut self) -> Option<u32> {
        let pair = self.pools.iter_mut().find_map(Ports::surplus)?;
        self.closed.push(pair);
        Some(2 * pair.0)
    }

    /// Another program has one of the two ports.
    pub fn port_taken(&mut self, rtp: SocketAddr) {
        if let Some(pool) = self.pool_of(rtp.ip()) {
            pool.taken(rtp.port());
        }
    }

    /// No socket can be opened, for a reason that concerns every port.
    pub fn port_refused(&mut self, rtp: SocketAddr, reason: &str) {
        if let Some(pool) = self.pool_of(rtp.ip()) {
            pool.refused(rtp.port(), reason.to_owned());
        }
    }

    /// No socket can be opened at any time, for this reason.
    pub fn no_ports(&mut self, reason: &str) {
        self.pools.iter_mut().for_each(|pool| pool.close(reason.to_owned()));
    }

    fn pool_of(&mut self, ip: IpAddr) -> Option<&mut Ports> {
        self.pools.iter_mut().find(|pool| pool.ip() == ip)
    }

    // --- What a box does with streams. ---

    /// Opens a stream on a local address of the same family as `like`.
    ///
    /// # Errors
    /// There is no port to be had; the text says why and what to do.
    pub fn open(&mut self, like: IpAddr) -> Result<StreamId, Shortage> {
        let pool = self.pools.iter_mut().find(|pool| pool.ip().is_ipv4() == like.is_ipv4());
        let taken = pool.map_or(Err(Shortage::Family), Ports::take);
        let (pair, local) = taken.inspect_err(|shortage| {
            self.counts.refused += 1;
            self.counts.without_file += u64::from(matches!(shortage, Shortage::Sockets { .. }));
        })?;
        let id = self.streams.insert(Stream::new(pair, local));
        self.pairs[pair.0 as usize].stream = Some(id);
        self.counts.streams += 1;
        Ok(id)
    }

    /// Where the stream receives RTP; RTCP on the next port.
    #[must_use]
    pub fn local(&self, id: StreamId) -> Option<SocketAddr> {
        self.streams.get(id).map(|one| one.local)
    }

    /// What arrives at one goes out at the other.
    pub fn join(&mut self, one: StreamId, other: StreamId) {
        for (id, partner) in [(one, other), (other, one)] {
            if let Some(stream) = self.streams.get_mut(id) {
                stream.role = Role::Relay { partner };
            }
        }
    }

    /// Whether the peer of a stream should send, from now on.
    pub fn expect(&mut self, now: Instant, id: StreamId, expects: bool) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.watch.expect(now, expects);
        }
    }

    /// The payload types that the peer of a relayed stream may send.
    pub fn set_formats(&mut self, id: StreamId, formats: Formats) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.formats = formats;
            stream.receiver.set_clock_rate(formats.clock_rate);
        }
    }

    /// Makes the stream an end of the call, or changes what was agreed on it. It says nothing until
    /// [`set_voice`](Self::set_voice).
    pub fn talk(&mut self, now: Instant, id: StreamId, agreement: &Agreement) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.rtp.announce(agreement.peer);
        stream.rtcp.announce(agreement.peer_rtcp);
        stream.watch.expect(now, agreement.receives);
        stream.formats = agreement.formats;
        let is_new = !matches!(stream.role, Role::Terminal(_));
        if is_new {
            stream.role =
                Role::Terminal(Box::new(Terminal::new(&mut self.rng, self.cname.clone())));
        }
        let Some(terminal) = stream.terminal() else { return };
        terminal.agree(agreement);
        terminal.set_sending(now, agreement.sends);
        let begins = is_new || !self.schedule.is_set((id, Task::Speak));
        let begins = begins && terminal.is_sending();
        if is_new {
            let due = now + terminal.first_report(&mut self.rng);
            self.schedule.set((id, Task::Report), due);
        }
        if begins {
            self.schedule.set((id, Task::Speak), self.next_grain(now));
        }
    }

    /// The first moment on the grid that is not before `now`. The grid is that of the wall clock, so that all boxes of
    /// a machine speak together, and what lies between them is woken once for many packets.
    fn next_grain(&self, now: Instant) -> Instant {
        let unix = self.unix + now.saturating_duration_since(self.start);
        let past = unix.as_micros() % GRAIN.as_micros();
        let ahead = if past == 0 { 0 } else { GRAIN.as_micros() - past };
        now + Duration::from_micros(ahead as u64)
    }

    /// What an end says from now on.
    pub fn set_voice(&mut self, id: StreamId, voice: Voice) {
        if let Some(terminal) = self.terminal(id) {
            terminal.set_voice(voice);
        }
    }

    /// Listens from now on, forgetting what was heard before.
    pub fn listen(&mut self, id: StreamId, expectation: ExpectedSound) {
        if let Some(terminal) = self.terminal(id) {
            terminal.check = Some(SoundCheck::new(expectation));
        }
    }

    /// The two sides have no audio in common any more: an end says nothing and expects nothing, until the next
    /// [`talk`](Self::talk).
    pub fn hush(&mut self, now: Instant, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.watch.expect(now, false);
            if let Some(terminal) = stream.terminal() {
                terminal.set_sending(now, false);
            }
        }
    }

    /// Sends DTMF digits (RFC 4733). A peer that does not understand events hears none.
    pub fn dial(&mut self, id: StreamId, digits: &str) {
        if let Some(terminal) = self.terminal(id) {
            terminal.dial(digits);
        }
    }

    /// The peer has dialled these digits by other means than RTP, such as INFO. False if nobody talks on the stream yet.
    pub fn note_digits(&mut self, id: StreamId, digits: &str) -> bool {
        let terminal = self.terminal(id);
        terminal.map(|terminal| terminal.note_digits(digits)).is_some()
    }

    /// Records both sides from now on.
    pub fn record(&mut self, now: Instant, id: StreamId) {
        if let Some(terminal) = self.terminal(id) {
            terminal.recorder.get_or_insert_with(|| Recorder::new(now));
        }
    }

    fn terminal(&mut self, id: StreamId) -> Option<&mut Terminal> {
        self.streams.get_mut(id)?.terminal()
    }

    /// What has been recorded so far; the recording ends with that.
    pub fn take_recording(&mut self, id: StreamId) -> Option<Recording> {
        self.terminal(id)?.recorder.take().map(Recorder::finish)
    }

    /// Ends a stream, with RTCP BYE if it was an end, and gives its ports back. `None` when it was over.
    pub fn close(&mut self, now: Instant, id: StreamId) -> Option<StreamReport> {
        let ntp = self.ntp(now);
        let stream = self.streams.get_mut(id)?;
        let mut farewell = None;
        let block = stream.receiver.report();
        let (socket, to) = (stream.socket() + 1, stream.rtcp.target());
        if let (Some(terminal), Some(to)) = (stream.terminal(), to) {
            let mut out = Vec::new();
            if terminal.goodbye(now, ntp, block, &mut out) {
                farewell = Some((socket, to, out));
            }
        }
        if let Some((_, to, out)) = &farewell {
            self.see_report_sent(now, id, *to, out);
        }
        self.ready.extend(farewell);
        let stream = self.streams.remove(id)?;
        self.see_end(now, id, stream.local);
        self.schedule.clear((id, Task::Speak));
        self.schedule.clear((id, Task::Report));
        if let Role::Relay { partner } = stream.role
            && let Some(partner) = self.streams.get_mut(partner)
            && matches!(partner.role, Role::Relay { partner } if partner == id)
        {
            partner.role = Role::Open;
        }
        let pair = &mut self.pairs[stream.pair.0 as usize];
        pair.stream = None;
        self.pools[pair.pool].give_back(stream.pair, pair.port);
        self.counts.streams -= 1;
        Some(stream.finish(now, self.idle_after))
    }

    /// Forgets what a stream's peer was and counted, as when another callee takes its place.
    pub fn reset(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(id) {
            let fresh = Stream::new(stream.pair, stream.local);
            let role = std::mem::replace(&mut stream.role, Role::Open);
            *stream = Stream { role, ..fresh };
        }
    }

    fn ntp(&self, now: Instant) -> NtpTime {
        NtpTime::from_unix(self.unix + now.saturating_duration_since(self.start))
    }

    // --- What the shell drives. ---

    /// Writes the next packet that is due into `out` and says where it goes. To be called until `None`.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Forward> {
        if let Some((socket, to, bytes)) = self.ready.pop_front() {
            out.clear();
            out.extend_from_slice(&bytes);
            return Some(Forward { socket, to });
        }
        self.look_for_idle(now);
        loop {
            let (due, (id, task)) = self.schedule.pop_due(now)?;
            out.clear();
            let sent = match task {
                Task::Speak => self.speak(now, due, id, out),
                Task::Report => self.report(now, id, out),
            };
            if sent.is_some() {
                return sent;
            }
        }
    }

    fn speak(
        &mut self,
        now: Instant,
        due: Instant,
        id: StreamId,
        out: &mut Vec<u8>,
    ) -> Option<Forward> {
        let stream = self.streams.get_mut(id)?;
        let (socket, to) = (stream.socket(), stream.rtp.target());
        let is_held_back = stream.allowance.is_some_and(Allowance::is_spent);
        let terminal = stream.terminal()?;
        if !terminal.is_sending() {
            return None;
        }
        let time = terminal.packet_time();
        let mut next = due + time;
        let behind = now.saturating_duration_since(due);
        if behind > HOPELESS {
            let skipped = (behind.as_micros() / time.as_micros().max(1)) as u32;
            terminal.pause(skipped);
            self.counts.skipped += u64::from(skipped);
            next += time * skipped;
        }
        let spoke = match is_held_back {
            true => {
                terminal.pause(1);
                false
            }
            false => terminal.speak(now, out),
        };
        self.schedule.set((id, Task::Speak), next);
        let to = to.filter(|_| spoke && stream.may_send())?;
        self.counts.late += u64::from(behind > LATE);
        self.counts.sent += 1;
        self.see_packet_sent(now, id, 0, to, out);
        Some(Forward { socket, to })
    }

    fn report(&mut self, now: Instant, id: StreamId, out: &mut Vec<u8>) -> Option<Forward> {
        let ntp = self.ntp(now);
        let stream = self.streams.get_mut(id)?;
        let (socket, to) = (stream.socket() + 1, stream.rtcp.target());
        let Stream { role: Role::Terminal(terminal), receiver, .. } = stream else { return None };
        let next = now + terminal.report(now, ntp, receiver, &mut self.rng, out);
        self.schedule.set((id, Task::Report), next);
        let to = to.filter(|_| !out.is_empty() && stream.may_send())?;
        self.see_report_sent(now, id, to, out);
        Some(Forward { socket, to })
    }

    /// When [`poll_transmit`](Self::poll_transmit) must next be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if !self.ready.is_empty() {
            return Some(self.start);
        }
        let due = self.schedule.next();
        let idle = (!self.streams.is_empty()).then_some(self.next_idle_check);
        [due, idle].into_iter().flatten().min()
    }

    /// What the box should know.
    pub fn poll_event(&mut self) -> Option<StreamEvent> {
        self.events.pop_front()
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> PlaneCounts {
        self.counts
    }
}

#[cfg(test)]
mod tests;
