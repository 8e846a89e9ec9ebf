//! From the frame of a link to its IP packet.

use pcap_file::DataLink;

const VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const PPPOE: u16 = 0x8864;
/// A frame with more tags than this is none.
const MOST_TAGS: usize = 4;

/// The IP packet in a frame; `None` when it carries another thing. `Err` when the link is of a kind that is not read.
pub(super) fn ip_packet(link: DataLink, frame: &[u8]) -> Result<Option<&[u8]>, DataLink> {
    Ok(match link {
        DataLink::ETHERNET => frame.get(12..).and_then(by_ether_type),
        DataLink::RAW | DataLink::IPV4 | DataLink::IPV6 | DataLink::Unknown(12 | 14) => Some(frame),
        // Four bytes of the family in somebody's order: the version of IP says more.
        DataLink::NULL | DataLink::LOOP => frame.get(4..),
        // The protocol is the last of 16 bytes, or the first of 20.
        DataLink::LINUX_SLL => frame.get(14..).and_then(by_ether_type),
        DataLink::LINUX_SLL2 => {
            let protocol = frame.get(..2).and_then(|octets| octets.try_into().ok());
            let rest = frame.get(20..);
            match protocol.map(u16::from_be_bytes) {
                Some(IPV4 | IPV6) => rest,
                Some(tag) if VLAN.contains(&tag) => {
                    rest.and_then(|rest| rest.get(2..)).and_then(by_ether_type)
                }
                _ => None,
            }
        }
        other => return Err(other),
    })
}

/// What follows an EtherType, without tags (IEEE 802.1Q) and PPPoE (RFC 2516).
fn by_ether_type(mut rest: &[u8]) -> Option<&[u8]> {
    for _ in 0..MOST_TAGS {
        let (kind, behind) = rest.split_first_chunk::<2>()?;
        match u16::from_be_bytes(*kind) {
            IPV4 | IPV6 => return Some(behind),
            // Version, type, session, length, and the two bytes of PPP.
            PPPOE => return behind.get(8..),
            kind if VLAN.contains(&kind) => rest = behind.get(2..)?,
            _ => return None,
        }
    }
    None
}
