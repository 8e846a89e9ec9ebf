//! RTCP, the reports that accompany RTP — RFC 3550 §6.
//!
//! ```text
//!   compound:  SR or RR | SDES with CNAME | BYE or others, until the datagram ends   (§6.1)
//! ```
//!
//! [`write_report`] and [`write_bye`] make compounds, [`parse()`] reads them, [`Interval`] says when the next
//! one is due.

use std::time::Duration;

mod interval;
mod parse;
#[cfg(test)]
mod tests;
mod write;

pub use interval::{Interval, Membership};
pub use parse::{Blocks, Malformed, Packet, Packets, Sources, parse, sender_of};
pub use write::{write_bye, write_report};

/// Seconds from the NTP epoch of 1900 to the Unix epoch of 1970.
const UNIX_EPOCH: u64 = 2_208_988_800;
/// A longer round trip is a peer that echoes nonsense: no call is held over it.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(60);

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
/// Type of the SDES item that names the endpoint (§6.5.1).
const CNAME: u8 = 1;
/// The report count has five bits (§6.4.1).
const MOST_BLOCKS: usize = 31;

/// A wallclock reading as 32 bits of seconds since 1900 and 32 bits of fraction (RFC 3550 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The middle 32 bits, in units of 1/65536 s, as `last_sr` echoes them (RFC 3550 §6.4.1).
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }

    /// Converts a time since the Unix epoch; after 2036 the seconds wrap as NTP's do.
    pub fn from_unix(since_epoch: Duration) -> Self {
        let seconds = since_epoch.as_secs().wrapping_add(UNIX_EPOCH);
        let fraction = (u64::from(since_epoch.subsec_nanos()) << 32) / 1_000_000_000;
        Self(seconds << 32 | fraction)
    }
}

/// What a sender of RTP says about its own stream (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReport {
    /// When the report was sent.
    pub ntp: NtpTime,
    /// The same moment in the units of the RTP clock.
    pub rtp_timestamp: u32,
    /// RTP packets sent so far.
    pub packets: u32,
    /// Payload octets sent so far, without headers and padding.
    pub octets: u32,
}

/// What a receiver of RTP says about one source (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    /// The source that the block is about.
    pub ssrc: u32,
    /// Part of the packets since the previous report that did not come, in 1/256.
    pub fraction_lost: u8,
    /// Packets expected minus packets received so far: negative with duplicates, 24 bits on the wire.
    pub cumulative_lost: i32,
    /// Highest sequence number received, with the count of its wraps above it.
    pub highest_sequence: u32,
    /// Interarrival jitter in units of the RTP clock (§6.4.1, A.8).
    pub jitter: u32,
    /// [`NtpTime::middle`] of the last sender report from the source; zero when none has come.
    pub last_sr: u32,
    /// From the arrival of that report to the sending of this one, in 1/65536 s.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    /// Time to the peer and back, if this block came at `now` and echoes a report of ours (RFC 3550 §6.4.1).
    ///
    /// Nothing without an echo, and nothing when the peer's numbers are impossible: it waited longer than
    /// the time that has passed, or a round trip of more than a minute.
    pub fn round_trip(&self, now: NtpTime) -> Option<Duration> {
        if self.last_sr == 0 {
            return None;
        }
        // Modulo 2^32: the middle bits wrap every 18 hours, a negative result is a huge one.
        let units = now.middle().wrapping_sub(self.last_sr).wrapping_sub(self.delay_since_last_sr);
        let time = Duration::from_nanos((u64::from(units) * 1_000_000_000) >> 16);
        (time <= LONGEST_ROUND_TRIP).then_some(time)
    }
}

/// True if `datagram` is RTCP and not RTP on a port that carries both (RFC 5761 §4).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, 192..=223, ..] if first >> 6 == 2)
}
