//! What a receiver counts of one incoming stream (RFC 3550 A.1, A.3, A.8; RFC 3611 §4.7).
//!
//! ```text
//!   sequence numbers   …  n-64 ─────────── n   the newest
//!                       │  a bit for each   │
//!   settled: lost or ◄──┘  may still come  ─┘
//!   received, in order ──► Bursts
//! ```
//!
//! A packet counts as lost only when 64 later numbers have passed, or at the end: one that was overtaken on the
//! way is none.

use std::time::{Duration, Instant};

use crate::quality::Bursts;
use crate::rtcp::ReportBlock;
use crate::rtp::Header;

/// RFC 3550 A.1: a larger step forward is a restart of the source, unless the next packet belies it.
const MAX_DROPOUT: u16 = 3_000;
/// RFC 3550 A.1: so far back a packet is merely late.
const MAX_MISORDER: u16 = 100;
/// Sequence numbers that are kept open for packets that were overtaken.
const WINDOW: u32 = 64;

/// What comes later than the earliest packet by more than this could not be played any more: the depth of
/// a fixed playout buffer (RFC 3611 §4.7.1 "discarded").
pub const PLAYOUT: Duration = Duration::from_millis(60);
/// A longer silence is a pause of the sender.
const PAUSE: Duration = Duration::from_secs(1);

/// Packets after which the earliest arrival is looked for anew, because clocks drift: 10 s.
const DRIFT_WINDOW: u32 = 500;

/// Counts one stream; see the module's picture.
#[derive(Debug, Clone)]
pub struct Receiver {
    clock_rate: u32,
    /// `None` before the first packet: thousands of streams may be open on which nothing comes.
    heard: Option<Box<Heard>>,
}

/// What is counted from the first packet on.
#[derive(Debug, Clone)]
struct Heard {
    clock_rate: u32,
    source: Option<Source>,
    /// Of sources that this stream had before.
    past: Past,
    bursts: Bursts,
    discarded: u64,
    duplicates: u64,
    reordered: u64,
    jitter: Jitter,
    playout: Playout,
    first: Option<Instant>,
    last: Option<Instant>,
    longest_gap: Duration,
}

/// One SSRC.
#[derive(Debug, Clone)]
struct Source {
    ssrc: u32,
    /// Sequence numbers that do not wrap: the cycles are above the lowest 16 bits.
    base: u64,
    highest: u64,
    /// What the next packet after a large step must have (A.1).
    restart: Option<u16>,
    /// Bit k: number `highest - k` has arrived.
    arrived: u64,
    /// All packets, duplicates too, as A.3 counts them.
    received: u64,
    expected_prior: u64,
    received_prior: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Past {
    received: u64,
    expected: u64,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketArrival {
    InTime,
    /// Too late to be played.
    Late,
    /// Seen before, or not of this stream: not to be played.
    Ignored,
}

/// The counts at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StreamCounts {
    pub received: u64,
    pub expected: u64,
    pub lost: u64,
    pub discarded: u64,
    pub duplicates: u64,
    pub reordered: u64,
    /// Mean length of loss runs, against that of random loss (ITU-T G.107 §7.3).
    pub burst_ratio: f64,
    /// Longest run of lost packets.
    pub longest_loss: u64,
    /// Loss inside bursts, 0 to 1 (RFC 3611 §4.7.2).
    pub burst_density: f64,
    /// Loss outside bursts, 0 to 1.
    pub gap_density: f64,
    pub mean_jitter: Duration,
    pub max_jitter: Duration,
    pub longest_gap: Duration,
}

impl StreamCounts {
    /// Share of the packets that could not be played, 0 to 1.
    #[must_use]
    pub fn loss(&self) -> f64 {
        match self.expected {
            0 => 0.0,
            expected => ((self.lost + self.discarded) as f64 / expected as f64).min(1.0),
        }
    }
}

impl Receiver {
    /// `clock_rate` is that of the payload format, in hertz.
    #[must_use]
    pub fn new(clock_rate: u32) -> Self {
        Self { clock_rate: clock_rate.max(1), heard: None }
    }

    /// The clock of the format that comes next; another one than before starts jitter afresh.
    pub fn set_clock_rate(&mut self, clock_rate: u32) {
        self.clock_rate = clock_rate.max(1);
        if let Some(heard) = &mut self.heard {
            heard.set_clock_rate(self.clock_rate);
        }
    }

    /// Takes a packet that arrived at `arrived`. `paced` is false for packets whose timestamp does not tell
    /// when they were sent, as those of a DTMF event do (RFC 4733 §2.5.1.2).
    pub fn receive(&mut self, arrived: Instant, header: &Header, paced: bool) -> PacketArrival {
        let clock_rate = self.clock_rate;
        let heard = self.heard.get_or_insert_with(|| Box::new(Heard::new(clock_rate)));
        heard.receive(arrived, header, paced)
    }

    /// When the last packet arrived.
    #[must_use]
    pub fn last(&self) -> Option<Instant> {
        self.heard.as_ref()?.last
    }

    /// The reception report on the present source (RFC 3550 §6.4.1, A.3), without the fields of the last SR.
    pub fn report(&mut self) -> Option<ReportBlock> {
        self.heard.as_mut()?.report()
    }

    /// The counts of the whole stream, to be asked once, at its end.
    #[must_use]
    pub fn finish(self) -> StreamCounts {
        let clock_rate = self.clock_rate;
        self.heard.map_or_else(|| Heard::new(clock_rate), |heard| *heard).finish()
    }
}

impl Heard {
    fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            source: None,
            past: Past::default(),
            bursts: Bursts::default(),
            discarded: 0,
            duplicates: 0,
            reordered: 0,
            jitter: Jitter::default(),
            playout: Playout::default(),
            first: None,
            last: None,
            longest_gap: Duration::ZERO,
        }
    }

    fn set_clock_rate(&mut self, clock_rate: u32) {
        if self.clock_rate != clock_rate {
            self.clock_rate = clock_rate;
            self.jitter.forget_transit();
            self.playout = Playout::default();
        }
    }

    fn receive(&mut self, arrived: Instant, header: &Header, paced: bool) -> PacketArrival {
        let step = self.advance(header);
        if step == Step::Ignored {
            return PacketArrival::Ignored;
        }
        let first = *self.first.get_or_insert(arrived);
        let mut paused = false;
        if let Some(last) = self.last {
            paused = arrived.saturating_duration_since(last) > PAUSE;
            self.longest_gap = self.longest_gap.max(arrived.saturating_duration_since(last));
        }
        self.last = self.last.max(Some(arrived));
        if !paced {
            return PacketArrival::InTime;
        }
        let transit = self.transit(arrived, first, header.timestamp);
        // After a pause some senders count on from where they were: that is no delay.
        if step == Step::Begins || header.marker || paused {
            self.jitter.forget_transit();
            self.playout = Playout::default();
        }
        self.jitter.add(transit);
        let limit = self.clock_units(PLAYOUT);
        if self.playout.is_late(transit, limit) {
            self.discarded += 1;
            return PacketArrival::Late;
        }
        PacketArrival::InTime
    }

    /// Difference of the clocks of sender and receiver, in units of the sender's (A.8 `transit`).
    fn transit(&self, arrived: Instant, first: Instant, timestamp: u32) -> i32 {
        let since = self.clock_units(arrived.saturating_duration_since(first));
        (since as u32).wrapping_sub(timestamp) as i32
    }

    fn clock_units(&self, duration: Duration) -> i64 {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        // 8 kHz for 300 hours, 48 kHz for 50 hours.
        nanos.saturating_mul(self.clock_rate.into()) / 1_000_000_000
    }

    /// RFC 3550 A.1 `update_seq`, with a window for packets that were overtaken.
    fn advance(&mut self, header: &Header) -> Step {
        let Some(source) = self.source.as_mut().filter(|source| source.ssrc == header.ssrc) else {
            self.begin(header);
            return Step::Begins;
        };
        let delta = header.sequence.wrapping_sub(source.highest as u16);
        if delta == 0 || delta > u16::MAX - WINDOW as u16 + 1 {
            let back = u64::from(0_u16.wrapping_sub(delta));
            source.received += 1;
            let bit = 1_u64 << back;
            if source.arrived & bit != 0 {
                self.duplicates += 1;
                return Step::Ignored;
            }
            source.arrived |= bit;
            // Older than the first packet that came: the stream began earlier than thought.
            if source.highest - back < source.base {
                source.base = source.highest - back;
            }
            self.reordered += 1;
            return Step::Follows;
        }
        if delta < MAX_DROPOUT {
            source.received += 1;
            source.restart = None;
            settle(source, &mut self.bursts, u32::from(delta));
            return Step::Follows;
        }
        if delta > u16::MAX - MAX_MISORDER {
            // So late that it counts as lost already.
            source.received += 1;
            self.reordered += 1;
            return Step::Ignored;
        }
        // Two packets in sequence after a large step: the source has restarted (A.1).
        if source.restart == Some(header.sequence) {
            self.begin(header);
            return Step::Begins;
        }
        source.restart = Some(header.sequence.wrapping_add(1));
        Step::Ignored
    }

    /// The first packet of a source.
    fn begin(&mut self, header: &Header) {
        self.close_source();
        // One cycle up, so that an earlier packet that comes later has a smaller number.
        let highest = u64::from(header.sequence) + (1 << 16);
        self.source = Some(Source {
            ssrc: header.ssrc,
            base: highest,
            highest,
            restart: None,
            arrived: 1,
            received: 1,
            expected_prior: 0,
            received_prior: 0,
        });
    }

    fn close_source(&mut self) {
        if let Some(mut source) = self.source.take() {
            self.past.received += source.received;
            self.past.expected += source.expected();
            settle(&mut source, &mut self.bursts, WINDOW);
        }
    }

    fn report(&mut self) -> Option<ReportBlock> {
        let jitter = self.jitter.current() as u32;
        let source = self.source.as_mut()?;
        let expected = source.expected();
        let lost = expected as i64 - source.received as i64;
        let expected_interval = expected - source.expected_prior;
        let received_interval = source.received - source.received_prior;
        (source.expected_prior, source.received_prior) = (expected, source.received);
        let lost_interval = expected_interval as i64 - received_interval as i64;
        let fraction = match expected_interval {
            0 => 0,
            _ if lost_interval <= 0 => 0,
            interval => ((lost_interval << 8) / interval as i64).min(255) as u8,
        };
        Some(ReportBlock {
            ssrc: source.ssrc,
            fraction_lost: fraction,
            cumulative_lost: lost.clamp(-0x80_0000, 0x7f_ffff) as i32,
            // Without the cycle that `begin` put on.
            highest_sequence: (source.highest - (1 << 16)) as u32,
            jitter,
            last_sr: 0,
            delay_since_last_sr: 0,
        })
    }

    fn finish(mut self) -> StreamCounts {
        self.close_source();
        let rate = f64::from(self.clock_rate);
        let duration = |units: f64| Duration::from_secs_f64((units / rate).clamp(0.0, 1e6));
        StreamCounts {
            received: self.past.received,
            expected: self.past.expected,
            lost: self.bursts.total_lost(),
            discarded: self.discarded,
            duplicates: self.duplicates,
            reordered: self.reordered,
            burst_ratio: self.bursts.burst_ratio(),
            longest_loss: self.bursts.longest_run(),
            burst_density: self.bursts.burst_density(),
            gap_density: self.bursts.gap_density(),
            mean_jitter: duration(self.jitter.mean()),
            max_jitter: duration(self.jitter.max),
            longest_gap: self.longest_gap,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Begins,
    Follows,
    Ignored,
}

impl Source {
    fn expected(&self) -> u64 {
        self.highest - self.base + 1
    }
}

/// Moves the window `steps` numbers on; what falls out of it is received or lost for good.
fn settle(source: &mut Source, bursts: &mut Bursts, steps: u32) {
    for _ in 0..steps.min(WINDOW) {
        let is_ours = source.highest - source.base >= u64::from(WINDOW - 1);
        if source.arrived >> (WINDOW - 1) == 1 {
            bursts.received();
        } else if is_ours {
            bursts.lost(1);
        }
        source.arrived <<= 1;
        source.highest += 1;
    }
    if steps > WINDOW {
        // Numbers that were never in the window: all of them are lost, but for the last 64.
        bursts.lost(steps - WINDOW);
        source.highest += u64::from(steps - WINDOW);
    }
    source.arrived |= 1;
}

/// RFC 3550 A.8, in units of the clock.
#[derive(Debug, Clone, Default)]
struct Jitter {
    transit: Option<i32>,
    value: f64,
    max: f64,
    sum: f64,
    count: u64,
}

impl Jitter {
    fn add(&mut self, transit: i32) {
        if let Some(before) = self.transit.replace(transit) {
            let difference = f64::from(transit.wrapping_sub(before)).abs();
            self.value += (difference - self.value) / 16.0;
            self.max = self.max.max(self.value);
            self.sum += self.value;
            self.count += 1;
        }
    }

    fn forget_transit(&mut self) {
        self.transit = None;
    }

    fn current(&self) -> f64 {
        self.value
    }

    fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }
}

/// The earliest packet of late, against which others are late.
#[derive(Debug, Clone, Copy, Default)]
struct Playout {
    earliest: Option<i32>,
    /// Earliest of the window before.
    before: Option<i32>,
    seen: u32,
}

impl Playout {
    fn is_late(&mut self, transit: i32, limit: i64) -> bool {
        let earlier = |one: Option<i32>| match one {
            Some(one) if one.wrapping_sub(transit) <= 0 => one,
            _ => transit,
        };
        self.earliest = Some(earlier(self.earliest));
        let reference = [self.earliest, self.before]
            .into_iter()
            .flatten()
            .min_by(|one, other| one.wrapping_sub(*other).cmp(&0))
            .unwrap_or(transit);
        self.seen += 1;
        if self.seen >= DRIFT_WINDOW {
            *self = Self { earliest: None, before: self.earliest, seen: 0 };
        }
        i64::from(transit.wrapping_sub(reference)) > limit
    }
}

#[cfg(test)]
mod tests;
