//! Reading compounds — RFC 3550 §6.4 to §6.6, checked as appendix A.2 says.
//!
//! [`parse`] looks at every packet once, so that the iteration that follows cannot fail.

use super::{
    CNAME, GOODBYE, NtpTime, RECEIVER_REPORT, ReportBlock, SENDER_REPORT, SOURCE_DESCRIPTION,
    SenderReport,
};

/// Why a datagram is not a compound that we read (RFC 3550 A.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("RTCP version {0} instead of 2")]
    Version(u8),
    /// Reduced-size RTCP (RFC 5506) is among these.
    #[error("the first RTCP packet is of type {0} instead of a report")]
    NotReport(u8),
    #[error("the first RTCP packet is padded")]
    FirstPadded,
    #[error("an RTCP packet ends before its header says")]
    Truncated,
    #[error("RTCP padding of {0} octets")]
    Padding(u8),
    #[error("an RTCP packet of type {0} is too short for what it counts")]
    Content(u8),
}

/// One packet of a compound; a description is one chunk of an SDES packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// SR, or RR without `sender` (§6.4).
    Report { ssrc: u32, sender: Option<SenderReport>, blocks: Blocks<'a> },
    /// SDES (§6.5); no name when the item is absent or not UTF-8.
    Description { ssrc: u32, cname: Option<&'a str> },
    /// BYE (§6.6); no reason when it is absent or not UTF-8.
    Bye { ssrcs: Sources<'a>, reason: Option<&'a str> },
    /// APP and what later documents added.
    Other { packet_type: u8 },
}

/// The SSRC of whoever sent a compound: that of its first packet, an SR or RR (RFC 3550 §6.1).
#[must_use]
pub fn sender_of(bytes: &[u8]) -> Option<u32> {
    let ssrc = bytes.get(4..8)?;
    Some(u32::from_be_bytes(ssrc.try_into().ok()?))
}

/// Reads a datagram as one compound.
pub fn parse(bytes: &[u8]) -> Result<Packets<'_>, Malformed> {
    let (&[first, packet_type], _) = bytes.split_first_chunk().ok_or(Malformed::Truncated)?;
    if first >> 6 != 2 {
        return Err(Malformed::Version(first >> 6));
    }
    if !matches!(packet_type, SENDER_REPORT | RECEIVER_REPORT) {
        return Err(Malformed::NotReport(packet_type));
    }
    if is_padded(first) {
        return Err(Malformed::FirstPadded);
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        let raw = Raw::take(&mut rest)?;
        if raw.packet_type == SOURCE_DESCRIPTION {
            let mut chunks = raw.body;
            for _ in 0..raw.count {
                take_chunk(&mut chunks).ok_or(Malformed::Content(raw.packet_type))?;
            }
        } else {
            raw.read().ok_or(Malformed::Content(raw.packet_type))?;
        }
    }
    Ok(Packets { rest: bytes, chunks: &[], chunks_left: 0 })
}

/// The packets of a compound in their order.
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    rest: &'a [u8],
    /// What is left of the SDES packet that is being read.
    chunks: &'a [u8],
    chunks_left: u8,
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        loop {
            if self.chunks_left > 0 {
                self.chunks_left -= 1;
                return take_chunk(&mut self.chunks);
            }
            if self.rest.is_empty() {
                return None;
            }
            let raw = Raw::take(&mut self.rest).ok()?;
            if raw.packet_type != SOURCE_DESCRIPTION {
                return raw.read();
            }
            // A description of nobody is legal and useless (§6.5): the loop passes over it.
            (self.chunks, self.chunks_left) = (raw.body, raw.count);
        }
    }
}

/// A packet whose frame is sound and whose padding is removed.
struct Raw<'a> {
    packet_type: u8,
    /// The five bits of the header that count blocks, chunks or sources.
    count: u8,
    body: &'a [u8],
}

impl<'a> Raw<'a> {
    fn take(rest: &mut &'a [u8]) -> Result<Self, Malformed> {
        let (&[first, packet_type, high, low], after) =
            rest.split_first_chunk().ok_or(Malformed::Truncated)?;
        if first >> 6 != 2 {
            return Err(Malformed::Version(first >> 6));
        }
        let octets = usize::from(u16::from_be_bytes([high, low])) * 4;
        let (mut body, after) = after.split_at_checked(octets).ok_or(Malformed::Truncated)?;
        if is_padded(first) {
            // The last octet counts the padding, itself included: a multiple of four (§6.4.1).
            let padding = body.last().copied().unwrap_or(0);
            let kept = body.len().checked_sub(padding.into());
            let kept = kept.filter(|_| padding > 0 && padding.is_multiple_of(4));
            body = kept.and_then(|kept| body.get(..kept)).ok_or(Malformed::Padding(padding))?;
        }
        *rest = after;
        Ok(Self { packet_type, count: first & 0x1f, body })
    }

    /// Reads anything but SDES, which is several packets to the caller.
    fn read(&self) -> Option<Packet<'a>> {
        let mut body = self.body;
        match self.packet_type {
            SENDER_REPORT | RECEIVER_REPORT => {
                let ssrc = take_u32(&mut body)?;
                let sender = match self.packet_type {
                    SENDER_REPORT => Some(take_sender(&mut body)?),
                    _ => None,
                };
                // What follows the blocks is an extension of some profile (§6.4.3).
                let blocks = body.get(..usize::from(self.count) * Blocks::OCTETS)?;
                Some(Packet::Report { ssrc, sender, blocks: Blocks(blocks) })
            }
            GOODBYE => {
                let (ssrcs, after) = body.split_at_checked(usize::from(self.count) * 4)?;
                let reason = match after.split_first() {
                    Some((&length, text)) => str::from_utf8(text.get(..length.into())?).ok(),
                    None => None,
                };
                Some(Packet::Bye { ssrcs: Sources(ssrcs), reason })
            }
            packet_type => Some(Packet::Other { packet_type }),
        }
    }
}

/// The blocks of one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks<'a>(&'a [u8]);

impl Blocks<'_> {
    const OCTETS: usize = 24;
}

impl Iterator for Blocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let ssrc = take_u32(&mut self.0)?;
        let lost = take_u32(&mut self.0)?;
        Some(ReportBlock {
            ssrc,
            fraction_lost: (lost >> 24) as u8,
            // Up and down again: the shift of a signed number extends the sign of its 24 bits.
            cumulative_lost: (lost << 8) as i32 >> 8,
            highest_sequence: take_u32(&mut self.0)?,
            jitter: take_u32(&mut self.0)?,
            last_sr: take_u32(&mut self.0)?,
            delay_since_last_sr: take_u32(&mut self.0)?,
        })
    }
}

/// The sources that a BYE takes leave for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources<'a>(&'a [u8]);

impl Iterator for Sources<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        take_u32(&mut self.0)
    }
}

/// Reads one chunk of an SDES packet: items until a null octet, then to the next 32-bit boundary (§6.5).
fn take_chunk<'a>(chunks: &mut &'a [u8]) -> Option<Packet<'a>> {
    let ssrc = take_u32(chunks)?;
    let all = chunks.len();
    let mut cname = None;
    // Some stacks fill the packet to its end and leave out the null octet: its end does as well.
    while let Some((&kind, after)) = chunks.split_first() {
        *chunks = after;
        if kind == 0 {
            let padding = (all - chunks.len()).next_multiple_of(4) - (all - chunks.len());
            *chunks = chunks.get(padding..)?;
            break;
        }
        let (&length, after) = chunks.split_first()?;
        let (text, after) = after.split_at_checked(length.into())?;
        *chunks = after;
        if kind == CNAME {
            cname = str::from_utf8(text).ok();
        }
    }
    Some(Packet::Description { ssrc, cname })
}

fn take_sender(body: &mut &[u8]) -> Option<SenderReport> {
    let (seconds, fraction) = (take_u32(body)?, take_u32(body)?);
    Some(SenderReport {
        ntp: NtpTime(u64::from(seconds) << 32 | u64::from(fraction)),
        rtp_timestamp: take_u32(body)?,
        packets: take_u32(body)?,
        octets: take_u32(body)?,
    })
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (word, after) = bytes.split_first_chunk()?;
    *bytes = after;
    Some(u32::from_be_bytes(*word))
}

const fn is_padded(first: u8) -> bool {
    first & 0x20 != 0
}
