//! HEP packets as other people's agents make them.

use bytes::Bytes;
use ladder::hep::{HepError, HepKind, HepPacket, decode, encode};
use sip_proto::Transport;

fn packet() -> HepPacket {
    HepPacket {
        from: "192.0.2.1:5060".parse().unwrap(),
        to: "192.0.2.2:5070".parse().unwrap(),
        transport: Transport::Udp,
        at_us: 1_700_000_000_123_456,
        kind: HepKind::SIP,
        agent: 2_001,
        node_name: None,
        auth_key: None,
        correlation_id: None,
        payload: Bytes::from_static(b"OPTIONS sip:a SIP/2.0\r\n\r\n"),
    }
}

/// The order and the values of `capture_hep.c` of sngrep 1.8: family, protocol, addresses, ports, time, type, agent, payload.
const SNGREP: &[u8] = b"HEP3\x00\x7c\
    \x00\x00\x00\x01\x00\x07\x02\
    \x00\x00\x00\x02\x00\x07\x11\
    \x00\x00\x00\x03\x00\x0a\xc0\x00\x02\x01\
    \x00\x00\x00\x04\x00\x0a\xc0\x00\x02\x02\
    \x00\x00\x00\x07\x00\x08\x13\xc4\
    \x00\x00\x00\x08\x00\x08\x13\xce\
    \x00\x00\x00\x09\x00\x0a\x65\x53\xf1\x00\
    \x00\x00\x00\x0a\x00\x0a\x00\x01\xe2\x40\
    \x00\x00\x00\x0b\x00\x07\x01\
    \x00\x00\x00\x0c\x00\x0a\x00\x00\x07\xd1\
    \x00\x00\x00\x0f\x00\x1fOPTIONS sip:a SIP/2.0\r\n\r\n";

#[test]
fn what_sngrep_sends_is_read() {
    assert_eq!(SNGREP.len(), usize::from(SNGREP[5]));
    assert_eq!(decode(&Bytes::from_static(SNGREP)), Ok(packet()));
}

/// Kamailio's siptrace writes the same chunks, and puts the correlation id and the key after the payload's.
#[test]
fn chunks_come_in_any_order_and_those_of_others_are_passed_over() {
    let mut bytes = SNGREP.to_vec();
    bytes.extend_from_slice(b"\x00\x00\x00\x0e\x00\x0csecret");
    bytes.extend_from_slice(b"\x00\x00\x00\x11\x00\x0bcall1");
    bytes.extend_from_slice(b"\x00\x00\x00\x13\x00\x0aedge");
    bytes.extend_from_slice(b"\x00\x10\x00\x03\x00\x07\xff\x00\x00\x00\x63\x00\x07\xff");
    bytes[5] = u8::try_from(bytes.len()).unwrap();
    let read = decode(&bytes.into()).unwrap();
    let own = |text: &str| Some(text.to_owned());
    let wanted = HepPacket {
        auth_key: own("secret"),
        correlation_id: own("call1"),
        node_name: own("edge"),
        ..packet()
    };
    assert_eq!(read, wanted);
}

#[test]
fn what_is_written_is_read_again() {
    let mut bytes = b"before".to_vec();
    encode(&packet(), &mut bytes);
    assert_eq!(bytes.len(), 6 + SNGREP.len());
    assert_eq!(decode(&Bytes::from(bytes).slice(6..)), Ok(packet()));
    let other = HepPacket {
        to: "[2001:db8::2]:5070".parse().unwrap(),
        transport: Transport::Tcp,
        kind: HepKind::QUALITY_JSON,
        correlation_id: Some("0123456789abcdef0123456789abcdef".to_owned()),
        node_name: Some("alpha".to_owned()),
        payload: Bytes::from(vec![b'x'; 70_000]),
        ..packet()
    };
    let mut bytes = Vec::new();
    encode(&other, &mut bytes);
    assert_eq!(bytes.len(), 65_535);
    let read = decode(&bytes.into()).unwrap();
    assert_eq!(read.from.ip().to_canonical(), other.from.ip());
    assert_eq!(
        (read.to, read.correlation_id, read.kind),
        (other.to, other.correlation_id, other.kind)
    );
    assert!(other.payload.starts_with(&read.payload));
}

#[test]
fn what_is_none_is_refused_in_a_sentence() {
    let said = |bytes: &[u8]| decode(&Bytes::copy_from_slice(bytes)).unwrap_err();
    assert_eq!(said(b"\x02\x10"), HepError::NoHep3);
    assert_eq!(said(b"HEP3\x00\x05"), HepError::BadLength { said: 5, length: 6 });
    assert_eq!(said(b"HEP3\x00\x06"), HepError::UnknownTransport(0));
    assert_eq!(said(b"HEP3\x00\x0c\x00\x00\x00\x02\x00\x00"), HepError::BadChunk { at: 6 });
    assert_eq!(
        said(b"HEP3\x00\x0d\x00\x00\x00\x03\x00\x07x"),
        HepError::BadValue { kind: 3, length: 1 }
    );
    assert_eq!(said(b"HEP3\x00\x0d\x00\x00\x00\x10\x00\x07x"), HepError::Compressed);
    for end in 0..SNGREP.len() {
        let _ = said(&SNGREP[..end]);
        let mut bytes = SNGREP.to_vec();
        bytes[end] ^= 0xff;
        let _ = decode(&bytes.into());
    }
}
