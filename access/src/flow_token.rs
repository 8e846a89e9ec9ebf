//! The flow of a telephone as the user part of our Record-Route: whoever gives it back reaches the telephone by its own flow, and
//! nobody can make one up (RFC 5626 §5.2).

use std::net::{IpAddr, SocketAddr};

use sha2::{Digest as _, Sha256};
use sip_proto::Transport;
use subtle::ConstantTimeEq as _;

use crate::bindings::PhoneFlow;

/// Makes flow tokens and reads them.
#[derive(Debug)]
pub(crate) struct FlowTokens {
    key: [u8; 32],
}

impl FlowTokens {
    pub(crate) fn new(secret: &str) -> Self {
        Self { key: Sha256::digest(["flow:", secret].concat()).into() }
    }

    pub(crate) fn make(&self, flow: PhoneFlow) -> String {
        let transport = flow.transport.token().to_ascii_lowercase();
        let address = match flow.peer.ip() {
            IpAddr::V4(ip) => hex(&ip.octets()),
            IpAddr::V6(ip) => hex(&ip.octets()),
        };
        let text = format!("{transport}-{address}-{:x}", flow.peer.port());
        format!("{text}-{}", self.mac(&text))
    }

    /// The flow of a token of ours.
    pub(crate) fn read(&self, token: &str) -> Option<PhoneFlow> {
        let (text, mac) = token.rsplit_once('-')?;
        if !bool::from(self.mac(text).as_bytes().ct_eq(mac.as_bytes())) {
            return None;
        }
        let mut parts = text.split('-');
        let (transport, address, port) = (parts.next()?, parts.next()?, parts.next()?);
        let transport = Transport::of_token(transport)?;
        let ip: IpAddr = match address.len() {
            8 => u32::from_str_radix(address, 16).ok()?.to_be_bytes().into(),
            _ => u128::from_str_radix(address, 16).ok()?.to_be_bytes().into(),
        };
        let peer = SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?);
        Some(PhoneFlow { peer, transport })
    }

    /// 80 bits, as RFC 5626 takes them.
    fn mac(&self, text: &str) -> String {
        let mac = Sha256::new().chain_update(self.key).chain_update(text).finalize();
        hex(mac.get(..10).unwrap_or_default())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_means_its_flow_and_nobody_makes_one_up() {
        let tokens = FlowTokens::new("secret");
        for (peer, transport) in [
            ("192.0.2.1:5060", Transport::Udp),
            ("127.0.0.1:65535", Transport::Tcp),
            ("[2001:db8::1]:40000", Transport::Tcp),
            ("192.0.2.1:5061", Transport::Tls),
            ("192.0.2.1:40000", Transport::Ws),
            ("192.0.2.1:40000", Transport::Wss),
        ] {
            let flow = PhoneFlow { peer: peer.parse().unwrap(), transport };
            let token = tokens.make(flow);
            assert_eq!(tokens.read(&token), Some(flow), "{token}");
            assert_eq!(FlowTokens::new("other").read(&token), None);
            let other_port = token.replacen("-13c4-", "-13c5-", 1);
            assert!(other_port == token || tokens.read(&other_port).is_none());
            for end in 0..token.len() {
                assert_eq!(tokens.read(&token[..end]), None);
            }
        }
    }
}
