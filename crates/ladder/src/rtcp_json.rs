//! RTCP as JSON, in the shape that Homer's agents and rtpengine send and Homer draws: payload of HEP packets of kind 5.
//!
//! Numbers are those of the wire: loss in 1/256, jitter in units of the RTP clock, `lsr` and `dlsr` in 1/65536 s, and, in spite of its
//! name, `ntp_timestamp_usec` the fraction of the NTP time in 1/2^32 s.

use media::rtcp::{Packet, ReportBlock, SenderReport, parse};
use serde::{Deserialize, Serialize};

/// The reports of one datagram.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RtcpJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_information: Option<SenderInformation>,
    pub ssrc: u32,
    /// 200 for a sender report, 201 for a receiver report (RFC 3550 §6.4).
    #[serde(rename = "type")]
    pub packet_type: u8,
    pub report_count: usize,
    pub report_blocks: Vec<Block>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdes_ssrc: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sdes_information: Vec<SdesItem>,
}

/// What a sender says of its own stream (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderInformation {
    pub ntp_timestamp_sec: u32,
    pub ntp_timestamp_usec: u32,
    pub octets: u32,
    pub rtp_timestamp: u32,
    pub packets: u32,
}

/// What a receiver says of a source (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub source_ssrc: u32,
    pub highest_seq_no: u32,
    pub fraction_lost: u8,
    pub ia_jitter: u32,
    pub packets_lost: i32,
    pub lsr: u32,
    pub dlsr: u32,
}

/// An item of a source description: the name of the endpoint (RFC 3550 §6.5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SdesItem {
    #[serde(rename = "type")]
    pub kind: u8,
    pub text: String,
}

/// Type of the item that names an endpoint.
const CNAME: u8 = 1;

impl RtcpJson {
    /// Reads a datagram; `None` if it is no sound RTCP, or says farewell and nothing else.
    #[must_use]
    pub fn of(datagram: &[u8]) -> Option<Self> {
        let mut found: Option<Self> = None;
        for packet in parse(datagram).ok()? {
            match packet {
                // Homer takes one report: agents send that of the first.
                Packet::Report { ssrc, sender, blocks } if found.is_none() => {
                    let report_blocks: Vec<Block> = blocks.map(Block::from).collect();
                    found = Some(Self {
                        sender_information: sender.map(SenderInformation::from),
                        ssrc,
                        packet_type: if sender.is_some() { 200 } else { 201 },
                        report_count: report_blocks.len(),
                        report_blocks,
                        ..Self::default()
                    });
                }
                Packet::Description { ssrc, cname: Some(cname) } => {
                    if let Some(found) = &mut found {
                        found.sdes_ssrc.get_or_insert(ssrc);
                        let item = SdesItem { kind: CNAME, text: cname.to_owned() };
                        found.sdes_information.push(item);
                    }
                }
                Packet::Report { .. }
                | Packet::Description { .. }
                | Packet::Bye { .. }
                | Packet::Other { .. } => {}
            }
        }
        found
    }
}

impl From<SenderReport> for SenderInformation {
    fn from(report: SenderReport) -> Self {
        Self {
            ntp_timestamp_sec: (report.ntp.0 >> 32) as u32,
            ntp_timestamp_usec: report.ntp.0 as u32,
            octets: report.octets,
            rtp_timestamp: report.rtp_timestamp,
            packets: report.packets,
        }
    }
}

impl From<ReportBlock> for Block {
    fn from(block: ReportBlock) -> Self {
        Self {
            source_ssrc: block.ssrc,
            highest_seq_no: block.highest_sequence,
            fraction_lost: block.fraction_lost,
            ia_jitter: block.jitter,
            packets_lost: block.cumulative_lost,
            lsr: block.last_sr,
            dlsr: block.delay_since_last_sr,
        }
    }
}
