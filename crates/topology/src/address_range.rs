//! Hosts by their addresses: one, or all whose addresses begin alike.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// One host, or a prefix such as `10.0.0.0/8` (RFC 4632 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    ip: IpAddr,
    /// How many of the first bits count.
    bits: u8,
}

impl AddressRange {
    /// Whether `ip` is in it.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let free = |of: u32| of - u32::from(self.bits).min(of);
        match (self.ip, ip) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differ = u64::from(ours.to_bits() ^ theirs.to_bits());
                differ >> free(32) == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differ = ours.to_bits() ^ theirs.to_bits();
                differ.checked_shr(free(128)).unwrap_or_default() == 0
            }
            _ => false,
        }
    }
}

impl From<IpAddr> for AddressRange {
    /// One host.
    fn from(ip: IpAddr) -> Self {
        Self { ip, bits: if ip.is_ipv4() { 32 } else { 128 } }
    }
}

impl FromStr for AddressRange {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let Some((ip, bits)) = text.split_once('/') else {
            return text.parse::<IpAddr>().map(Self::from).map_err(|_| ());
        };
        let ip: IpAddr = ip.parse().map_err(|_| ())?;
        let bits: u8 = bits.parse().map_err(|_| ())?;
        let most = if ip.is_ipv4() { 32 } else { 128 };
        if bits <= most { Ok(Self { ip, bits }) } else { Err(()) }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_what_begins_alike() {
        let range = |text: &str| text.parse::<AddressRange>();
        let holds = |text: &str, ip: &str| {
            range(text).expect("a range").contains(ip.parse().expect("an address"))
        };
        assert!(holds("127.0.0.1", "127.0.0.1") && !holds("127.0.0.1", "127.0.0.2"));
        assert!(holds("10.0.0.0/8", "10.255.1.2") && !holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("0.0.0.0/0", "203.0.113.1") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("2001:db8::/32", "2001:db8:1::1") && !holds("2001:db8::/32", "2001:db9::"));
        assert!(holds("::/0", "::1") && holds("::1", "::1") && !holds("::1", "::2"));
        for wrong in ["10.0.0.0/33", "::/129", "host", "10.0.0.0/", "/8", ""] {
            assert_eq!(range(wrong), Err(()), "{wrong}");
        }
        assert_eq!(range("10.0.0.0/8").map(|range| range.to_string()), Ok("10.0.0.0/8".to_owned()));
    }
}
