//! The keep-alive of a telephone behind a translator, over UDP: a STUN Binding request on the port of SIP (RFC 5626 §4.4.2,
//! RFC 8489). The answer tells it how we see it; a change tells it that its flow is gone.

use std::net::SocketAddr;

/// RFC 8489 §5.
const MAGIC_COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();
const HEADER: usize = 20;
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];

/// The answer to `datagram` from `source`, if that is a Binding request.
#[must_use]
pub fn answer(datagram: &[u8], source: SocketAddr) -> Option<Vec<u8>> {
    let (header, rest) = datagram.split_at_checked(HEADER)?;
    let length = usize::from(u16::from_be_bytes([*header.get(2)?, *header.get(3)?]));
    let is_ours = header.starts_with(&BINDING_REQUEST)
        && header.get(4..8) == Some(&MAGIC_COOKIE[..])
        && length == rest.len()
        && length.is_multiple_of(4);
    if !is_ours {
        return None;
    }
    let transaction = header.get(8..)?;
    let value = mapped(source, transaction);
    let attribute = u16::try_from(value.len()).ok()?;
    let mut out = Vec::with_capacity(HEADER + 4 + value.len());
    out.extend_from_slice(&BINDING_SUCCESS);
    out.extend_from_slice(&(attribute + 4).to_be_bytes());
    out.extend_from_slice(&MAGIC_COOKIE);
    out.extend_from_slice(transaction);
    out.extend_from_slice(&XOR_MAPPED_ADDRESS);
    out.extend_from_slice(&attribute.to_be_bytes());
    out.extend_from_slice(&value);
    Some(out)
}

/// The value of XOR-MAPPED-ADDRESS (RFC 8489 §14.2).
fn mapped(source: SocketAddr, transaction: &[u8]) -> Vec<u8> {
    let port = source.port().to_be_bytes().into_iter().zip(MAGIC_COOKIE).map(|(a, b)| a ^ b);
    let mask = MAGIC_COOKIE.iter().chain(transaction);
    let (family, address) = match source {
        SocketAddr::V4(at) => (1, at.ip().octets().to_vec()),
        SocketAddr::V6(at) => (2, at.ip().octets().to_vec()),
    };
    [0, family]
        .into_iter()
        .chain(port)
        .chain(address.iter().zip(mask).map(|(a, b)| a ^ b))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The transaction of the test vectors of RFC 5769 §2.2 and §2.3, and their addresses.
    const TRANSACTION: [u8; 12] =
        [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

    fn request(kind: [u8; 2], attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).expect("short").to_be_bytes();
        [&kind[..], &length, &MAGIC_COOKIE, &TRANSACTION, attributes].concat()
    }

    #[test]
    fn the_answer_has_the_address_as_in_the_test_vectors() {
        let four = "192.0.2.1:32853".parse().expect("an address");
        let got = answer(&request(BINDING_REQUEST, &[]), four).expect("an answer");
        assert_eq!(got[..4], [0x01, 0x01, 0x00, 12]);
        assert_eq!(got[4..20], request(BINDING_REQUEST, &[])[4..20]);
        let xored = [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        assert_eq!(got[20..], xored);
        let six = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().expect("an address");
        let got = answer(&request(BINDING_REQUEST, &[0x80, 0x22, 0, 0]), six).expect("an answer");
        let xored = [
            0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3,
            0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        assert_eq!(got[20..], xored);
    }

    #[test]
    fn what_is_no_binding_request_is_not_answered() {
        let source = "192.0.2.1:32853".parse().expect("an address");
        let good = request(BINDING_REQUEST, &[]);
        for length in 0..good.len() {
            assert_eq!(answer(&good[..length], source), None);
        }
        assert_eq!(answer(&request(BINDING_SUCCESS, &[]), source), None);
        assert_eq!(answer(&request(BINDING_REQUEST, &[0, 1]), source), None, "no multiple of four");
        assert_eq!(answer(&[&good[..], b"more"].concat(), source), None);
        assert_eq!(answer(b"OPTIONS sip:a@192.0.2.1 SIP/2.0\r\n\r\n", source), None);
    }
}
