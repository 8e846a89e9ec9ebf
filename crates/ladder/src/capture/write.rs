//! pcapng (draft-ietf-opsawg-pcapng): an interface for each box, a name for each address, comments at each packet.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;
use std::time::Duration;

use pcap_file::DataLink;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::name_resolution::{
    Ipv4Record, Ipv6Record, NameResolutionBlock, Record,
};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::pcapng::{PcapNgWriteError, PcapNgWriter};
use telemetry::visible_line;

use crate::capture::frame::Framer;
use crate::capture::packets::CapturedPacket;

/// A comment or a name is not longer.
const LONGEST: usize = 1_000;

/// Writes packets in the order of their time. A name that several boxes at one address have is none of that address.
///
/// # Errors
/// The output does not take it.
pub fn write_pcapng<W: Write>(
    output: W,
    packets: &mut [CapturedPacket],
    names: &[(IpAddr, String)],
) -> io::Result<()> {
    packets.sort_by_key(|packet| packet.at_us);
    let program = concat!("tocsin ", env!("CARGO_PKG_VERSION"));
    let options = vec![SectionHeaderOption::UserApplication(Cow::Borrowed(program))];
    let section = SectionHeaderBlock { options, ..SectionHeaderBlock::default() };
    let mut writer = PcapNgWriter::with_section_header(output, section).map_err(failed)?;
    let mut interfaces: BTreeMap<String, u32> = BTreeMap::new();
    for packet in packets.iter() {
        let number = u32::try_from(interfaces.len()).unwrap_or(u32::MAX);
        if interfaces.contains_key(&packet.interface) {
            continue;
        }
        interfaces.insert(packet.interface.clone(), number);
        let options = vec![
            InterfaceDescriptionOption::IfName(short(&packet.interface)),
            InterfaceDescriptionOption::IfDescription(Cow::Borrowed("messages that this box kept")),
        ];
        let block = InterfaceDescriptionBlock { linktype: DataLink::RAW, snaplen: 0, options };
        writer.write_pcapng_block(block).map_err(failed)?;
    }
    let records = records(names);
    if !records.is_empty() {
        writer
            .write_pcapng_block(NameResolutionBlock { records, options: Vec::new() })
            .map_err(failed)?;
    }
    let mut framer = Framer::default();
    for packet in packets.iter() {
        let interface_id = interfaces.get(&packet.interface).copied().unwrap_or_default();
        for (place, frame) in framer.frames(packet).into_iter().enumerate() {
            // What belongs to a message stands at its first packet.
            let comments = if place == 0 { &packet.comments[..] } else { &[] };
            let comment =
                |text: &String| EnhancedPacketOption::Common(CommonOption::Comment(short(text)));
            let block = EnhancedPacketBlock {
                interface_id,
                timestamp: Duration::from_micros(packet.at_us),
                original_len: u32::try_from(frame.len()).unwrap_or(u32::MAX),
                data: Cow::Owned(frame),
                options: comments.iter().map(comment).collect(),
            };
            writer.write_pcapng_block(block).map_err(failed)?;
        }
    }
    writer.into_inner().flush()
}

/// A record for each address that has one name.
fn records(names: &[(IpAddr, String)]) -> Vec<Record<'static>> {
    let mut by_address: BTreeMap<IpAddr, Vec<&str>> = BTreeMap::new();
    for (address, name) in names {
        let known = by_address.entry(*address).or_default();
        if !known.contains(&&name[..]) {
            known.push(name);
        }
    }
    let record = |(address, names): (IpAddr, Vec<&str>)| match (&names[..], address) {
        ([name], IpAddr::V4(ip_addr)) => {
            Some(Record::Ipv4(Ipv4Record { ip_addr, names: vec![host_name(name)] }))
        }
        ([name], IpAddr::V6(ip_addr)) => {
            Some(Record::Ipv6(Ipv6Record { ip_addr, names: vec![host_name(name)] }))
        }
        _ => None,
    };
    by_address.into_iter().filter_map(record).collect()
}

/// A name as a resolver would give it: no control characters, and none that ends it.
fn host_name(name: &str) -> Cow<'static, str> {
    let name: String =
        name.chars().map(|c| if c.is_control() || c == ' ' { '-' } else { c }).take(255).collect();
    Cow::Owned(name)
}

fn short(text: &str) -> Cow<'static, str> {
    Cow::Owned(visible_line(text).chars().take(LONGEST).collect())
}

fn failed(error: PcapNgWriteError) -> io::Error {
    match error {
        PcapNgWriteError::Io(error) => error,
        other => io::Error::other(other),
    }
}
