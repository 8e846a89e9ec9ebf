//! Anybody's capture: pcap and pcapng, over the usual links, IPv4 and IPv6, UDP and TCP.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use etherparse::defrag::IpDefragPool;
use etherparse::{
    IpNumber, Ipv6ExtensionSlice, LaxNetSlice, LaxSlicedPacket, NetSlice, SlicedPacket, TcpSlice,
    TransportSlice, UdpSlice,
};
use pcap_file::DataLink;
use pcap_file::pcap::{PcapParseError, PcapParser, PcapTsResolution};
use pcap_file::pcapng::{Block, PcapNgParseError, PcapNgParser};
use sip_proto::Transport;

use crate::capture::link::ip_packet;
use crate::capture::streams::{Segment, Streams};
use crate::capture::wire::{WireMessage, is_sip};

/// Packets whose fragments are waited for at once: each takes up to 64 KiB, whatever the file says.
const MOST_PARTIAL: usize = 32;

/// Fragments of one packet: a link that carries 576 octets makes 120 of the longest one.
const MOST_FRAGMENTS: usize = 256;

/// What was found in a capture.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// In the order of the file.
    pub messages: Vec<WireMessage>,
    /// Packets of any kind.
    pub packets: u64,
    /// What could not be read, in sentences.
    pub remarks: Vec<String>,
}

/// Why a file is no capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    #[error("it is empty")]
    Empty,
    #[error("it is compressed: gunzip, unxz or unzstd it first")]
    Compressed,
    #[error(
        "it is neither pcap nor pcapng; tshark -r FILE -w OTHER.pcapng makes one of other captures"
    )]
    Neither,
    #[error("its head is damaged")]
    BadHead,
}

/// Reads all SIP messages of a capture, as far as the file is whole.
///
/// # Errors
/// It is no capture.
pub fn read(file: &[u8]) -> Result<Reading, CaptureError> {
    let mut reader = Reader::default();
    match file {
        [] => return Err(CaptureError::Empty),
        [0x1f, 0x8b, ..] | [0xfd, b'7', b'z', ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            return Err(CaptureError::Compressed);
        }
        [0x0a, 0x0d, 0x0d, 0x0a, ..] => reader.pcapng(file)?,
        [0xa1, 0xb2, 0xc3 | 0x3c, 0xd4 | 0x4d, ..] | [0xd4 | 0x4d, 0xc3 | 0x3c, 0xb2, 0xa1, ..] => {
            reader.pcap(file)?;
        }
        _ => return Err(CaptureError::Neither),
    }
    Ok(reader.finish())
}

#[derive(Debug, Default)]
struct Reader {
    reading: Reading,
    streams: Streams,
    fragments: Fragments,
    unread_links: Vec<DataLink>,
}

#[derive(Debug)]
struct Fragments {
    pool: IpDefragPool,
    /// Source, destination and identification of each packet that is not whole, and how many fragments of it have come.
    partial: HashMap<(IpAddr, IpAddr, u32), usize>,
    left_out: bool,
}

impl Default for Fragments {
    fn default() -> Self {
        Self { pool: IpDefragPool::new(), partial: HashMap::new(), left_out: false }
    }
}

impl Reader {
    fn pcap(&mut self, file: &[u8]) -> Result<(), CaptureError> {
        let (mut rest, parser) = PcapParser::new(file).map_err(|_| CaptureError::BadHead)?;
        let link = parser.header().datalink;
        while !rest.is_empty() {
            match parser.next_raw_packet(rest) {
                Ok((behind, packet)) => {
                    let nanos = u64::from(packet.ts_frac);
                    let is_nano =
                        matches!(parser.header().ts_resolution, PcapTsResolution::NanoSecond);
                    let micros = if is_nano { nanos / 1_000 } else { nanos };
                    let at_us = u64::from(packet.ts_sec) * 1_000_000 + micros;
                    self.frame(at_us, link, &packet.data);
                    rest = behind;
                }
                Err(PcapParseError::IncompleteBuffer(..)) => {
                    self.cut();
                    break;
                }
                Err(error) => {
                    self.damaged(file.len() - rest.len(), &error);
                    break;
                }
            }
        }
        Ok(())
    }

    fn pcapng(&mut self, file: &[u8]) -> Result<(), CaptureError> {
        let (mut rest, mut parser) = PcapNgParser::new(file).map_err(|_| CaptureError::BadHead)?;
        while !rest.is_empty() {
            match parser.next_block(rest) {
                Ok((behind, block)) => {
                    let link = |interface: usize| {
                        parser.interfaces().get(interface).map(|interface| interface.linktype)
                    };
                    let micros =
                        |at: std::time::Duration| u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
                    match block {
                        Block::EnhancedPacket(packet) => {
                            if let Some(link) = link(packet.interface_id as usize) {
                                self.frame(micros(packet.timestamp), link, &packet.data);
                            }
                        }
                        Block::SimplePacket(packet) => {
                            if let Some(link) = link(0) {
                                self.frame(0, link, &packet.data);
                            }
                        }
                        Block::Packet(packet) => {
                            if let Some(link) = link(usize::from(packet.interface_id)) {
                                self.frame(micros(packet.timestamp), link, &packet.data);
                            }
                        }
                        _ => {}
                    }
                    rest = behind;
                }
                Err(PcapNgParseError::IncompleteBuffer(..)) => {
                    self.cut();
                    break;
                }
                Err(error) => {
                    // A block that says nothing we understand is left out, as the format asks.
                    let at = file.len() - rest.len();
                    match parser.next_raw_block(rest) {
                        Ok((behind, _)) => {
                            self.remark(&format!("a block at byte {at} is damaged and left out"));
                            rest = behind;
                        }
                        Err(_) => {
                            self.damaged(at, &error);
                            break;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// One remark of a kind is enough.
    fn remark(&mut self, text: &str) {
        if self.reading.remarks.len() < 8 {
            self.reading.remarks.push(text.to_owned());
        }
    }

    fn cut(&mut self) {
        let packets = self.reading.packets;
        self.remark(&format!(
            "the file ends in the middle of a packet: it was read as far as packet {packets}"
        ));
    }

    fn damaged(&mut self, at: usize, error: &dyn std::error::Error) {
        let packets = self.reading.packets;
        self.remark(&format!(
            "the file is damaged at byte {at} ({error}): it was read as far as packet {packets}"
        ));
    }

    fn frame(&mut self, at_us: u64, link: DataLink, frame: &[u8]) {
        self.reading.packets += 1;
        match ip_packet(link, frame) {
            Ok(Some(packet)) => self.packet(at_us, packet),
            Ok(None) => {}
            Err(link) => {
                if !self.unread_links.contains(&link) && self.unread_links.len() < 8 {
                    self.unread_links.push(link);
                    self.remark(&format!("links of the type {link:?} are not read"));
                }
            }
        }
    }

    fn packet(&mut self, at_us: u64, packet: &[u8]) {
        let whole = SlicedPacket::from_ip(packet).ok();
        if let Some(sliced) = whole.as_ref().filter(|sliced| sliced.is_ip_payload_fragmented()) {
            return self.fragment(at_us, sliced);
        }
        if let Some((from, to)) = whole.as_ref().and_then(|sliced| ends(sliced.net.as_ref()?)) {
            return self.transport(at_us, from, to, whole.and_then(|sliced| sliced.transport));
        }
        // Cut by whoever captured it, or with a length of nought, as cards leave it that cut segments themselves.
        let Ok(sliced) = LaxSlicedPacket::from_ip(packet) else { return };
        let net = match &sliced.net {
            Some(LaxNetSlice::Ipv4(ip)) => {
                let header = ip.header();
                Some((header.source_addr().into(), header.destination_addr().into()))
            }
            Some(LaxNetSlice::Ipv6(ip)) => {
                let header = ip.header();
                Some((header.source_addr().into(), header.destination_addr().into()))
            }
            _ => None,
        };
        if let Some((from, to)) = net {
            self.transport(at_us, from, to, sliced.transport);
        }
    }

    fn transport(
        &mut self,
        at_us: u64,
        from: IpAddr,
        to: IpAddr,
        transport: Option<TransportSlice<'_>>,
    ) {
        match transport {
            Some(TransportSlice::Udp(udp)) => {
                let from = SocketAddr::new(from, udp.source_port());
                let to = SocketAddr::new(to, udp.destination_port());
                self.datagram(at_us, from, to, udp.payload());
            }
            Some(TransportSlice::Tcp(tcp)) => {
                let from = SocketAddr::new(from, tcp.source_port());
                let to = SocketAddr::new(to, tcp.destination_port());
                self.segment(at_us, from, to, &tcp);
            }
            _ => {}
        }
    }

    fn datagram(&mut self, at_us: u64, from: SocketAddr, to: SocketAddr, payload: &[u8]) {
        if is_sip(payload) {
            let bytes = Bytes::copy_from_slice(payload);
            let transport = Transport::Udp;
            self.reading.messages.push(WireMessage { at_us, from, to, transport, bytes });
        }
    }

    fn segment(&mut self, at_us: u64, from: SocketAddr, to: SocketAddr, tcp: &TcpSlice<'_>) {
        let segment = Segment {
            from,
            to,
            sequence: tcp.sequence_number(),
            begins: tcp.syn(),
            payload: tcp.payload(),
        };
        for bytes in self.streams.take(segment) {
            let transport = Transport::Tcp;
            self.reading.messages.push(WireMessage { at_us, from, to, transport, bytes });
        }
    }

    fn fragment(&mut self, at_us: u64, sliced: &SlicedPacket<'_>) {
        let Some(net) = &sliced.net else { return };
        let Some((from, to)) = ends(net) else { return };
        let key = (from, to, identification(net));
        if self.fragments.partial.len() >= MOST_PARTIAL
            && !self.fragments.partial.contains_key(&key)
        {
            let left_out = self.fragments.left_out;
            self.fragments = Fragments { left_out: true, ..Fragments::default() };
            if !left_out {
                self.remark(
                    "of some fragmented packets not all parts were captured: these are left out",
                );
            }
        }
        let count = self.fragments.partial.entry(key).or_default();
        *count += 1;
        if *count > MOST_FRAGMENTS {
            return;
        }
        let Ok(Some(whole)) = self.fragments.pool.process_sliced_packet(sliced, (), ()) else {
            return;
        };
        self.fragments.partial.remove(&key);
        match whole.ip_number {
            IpNumber::UDP => {
                let udp = UdpSlice::from_slice_lax(&whole.payload).ok();
                self.transport(at_us, from, to, udp.map(TransportSlice::Udp));
            }
            IpNumber::TCP => {
                let tcp = TcpSlice::from_slice(&whole.payload).ok();
                self.transport(at_us, from, to, tcp.map(TransportSlice::Tcp));
            }
            _ => {}
        }
    }

    fn finish(self) -> Reading {
        self.reading
    }
}

fn ends(net: &NetSlice<'_>) -> Option<(IpAddr, IpAddr)> {
    match net {
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        NetSlice::Arp(_) => None,
    }
}

/// By which the fragments of a packet find each other (RFC 791 §3.2, RFC 8200 §4.5).
fn identification(net: &NetSlice<'_>) -> u32 {
    match net {
        NetSlice::Ipv4(ip) => ip.header().identification().into(),
        NetSlice::Ipv6(ip) => {
            let fragment =
                ip.extensions().clone().into_iter().find_map(|extension| match extension {
                    Ipv6ExtensionSlice::Fragment(fragment) => Some(fragment.identification()),
                    _ => None,
                });
            fragment.unwrap_or_default()
        }
        NetSlice::Arp(_) => 0,
    }
}
