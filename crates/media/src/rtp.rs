//! RTP packets (RFC 3550 §5): the only file that knows rtp-rs.

use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};

/// Octets of a header without CSRCs and extension.
pub const HEADER: usize = 12;

/// The fields of a packet that senders choose and receivers judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Begins a talkspurt, for audio (RFC 3551 §4.1).
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    pub sequence: u16,
    /// In units of the payload format's clock.
    pub timestamp: u32,
    /// Names the source.
    pub ssrc: u32,
}

/// A received packet: its header, and its payload without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    pub header: Header,
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a datagram; `None` when it is no RTP of version 2 or its lengths do not add up (RFC 3550 A.1).
    #[must_use]
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        let reader = RtpReader::new(datagram).ok()?;
        let header = Header {
            marker: reader.mark(),
            payload_type: reader.payload_type(),
            sequence: reader.sequence_number().into(),
            timestamp: reader.timestamp(),
            ssrc: reader.ssrc(),
        };
        Some(Self { header, payload: reader.payload() })
    }
}

/// Appends a packet to `out`.
pub fn write(header: &Header, payload: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + HEADER + payload.len(), 0);
    // It fails only when the target is too short.
    let _length = RtpPacketBuilder::new()
        .payload_type(header.payload_type & 0x7f)
        .marked(header.marker)
        .sequence(Seq::from(header.sequence))
        .timestamp(header.timestamp)
        .ssrc(header.ssrc)
        .payload(payload)
        .build_into(&mut out[start..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER_FIELDS: Header = Header {
        marker: true,
        payload_type: 8,
        sequence: 0xfffe,
        timestamp: 0x0102_0304,
        ssrc: 0xdead_beef,
    };

    // RFC 3550 §5.1, octet by octet.
    #[test]
    fn a_header_is_laid_out_as_in_the_standard() {
        let mut out = vec![7];
        write(&HEADER_FIELDS, &[0xd5; 3], &mut out);
        let expected =
            [7, 0x80, 0x88, 0xff, 0xfe, 1, 2, 3, 4, 0xde, 0xad, 0xbe, 0xef, 0xd5, 0xd5, 0xd5];
        assert_eq!(out, expected);
        let packet = Packet::parse(&out[1..]).expect("our own packet");
        assert_eq!((packet.header, packet.payload), (HEADER_FIELDS, &[0xd5; 3][..]));
    }

    // RFC 3550 §5.1: the last octet of the padding counts it; §5.3.1: an extension follows the CSRCs.
    #[test]
    fn padding_csrcs_and_extension_are_no_payload() {
        let mut packet = vec![0xb1, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        packet.extend([0, 0, 0, 9]); // one CSRC
        packet.extend([0xbe, 0xde, 0, 1, 1, 2, 3, 4]); // extension of one word
        packet.extend([0x55, 0x56, 0, 2]); // payload, two octets of padding
        assert_eq!(Packet::parse(&packet).expect("valid").payload, [0x55, 0x56]);
        for (at, value) in [(0, 0x71), (0, 0xbf), (19, 9), (27, 200), (27, 0)] {
            let mut bad = packet.clone();
            if let Some(byte) = bad.get_mut(at) {
                *byte = value;
            }
            assert_eq!(Packet::parse(&bad), None, "octet {at} = {value}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(packet) = Packet::parse(&bytes) {
                prop_assert!(packet.payload.len() + HEADER <= bytes.len());
            }
        }
    }
}
