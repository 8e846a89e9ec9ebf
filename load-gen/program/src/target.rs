//! Another network than that of the file: where its callers call.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::str::FromStr;

use clap::Args;
use load_gen::RequestUri;
use topology::Topology;

/// Port of SIP over UDP and TCP (RFC 3261 §19.1.2).
const SIP_PORT: u16 = 5060;

/// Options for calling a network that runs already.
#[derive(Debug, Clone, Default, Args)]
pub struct TargetArgs {
    /// Call this address in place of every trunk group of the file, or of one, as NAME=ADDRESS; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<TrunkGroupTarget>,
    /// What callers ask for, with {number} and {target} filled in, such as sip:{number}@example.org; service URNs stay as
    /// they are
    #[arg(long, value_name = "TEMPLATE")]
    pub request_uri: Option<RequestUri>,
}

/// Where the callers of one trunk group, or of all, call instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkGroupTarget {
    /// `None`: every trunk group without a target of its own.
    pub trunk_group: Option<String>,
    pub address: SocketAddr,
}

impl TargetArgs {
    /// True when the callers call something else than the file says.
    #[must_use]
    pub fn is_given(&self) -> bool {
        !self.target.is_empty()
    }

    /// Name and address of each trunk group, as callers are to call it.
    ///
    /// # Errors
    /// A sentence about a target for a trunk group that the network does not have, or about a trunk group without an
    /// address.
    pub fn trunk_groups(&self, topology: &Topology) -> Result<Vec<(String, SocketAddr)>, String> {
        let groups = &topology.trunk_groups;
        for name in self.target.iter().filter_map(|target| target.trunk_group.as_ref()) {
            if topology.trunk_group(name).is_none() {
                let known: Vec<&str> = groups.iter().map(|group| &group.name[..]).collect();
                let known = known.join(", ");
                return Err(format!(
                    "--target {name}=…: no trunk group is called {name:?}; the trunk groups are {known}"
                ));
            }
        }
        let of = |name: &str| {
            let own = |target: &&TrunkGroupTarget| target.trunk_group.as_deref() == Some(name);
            let all = |target: &&TrunkGroupTarget| target.trunk_group.is_none();
            let found = self.target.iter().rfind(own);
            found.or_else(|| self.target.iter().rfind(all)).map(|target| target.address)
        };
        let place = |group: &topology::TrunkGroup| {
            let (name, address) = (&group.name, of(&group.name).unwrap_or(group.address));
            match self.is_given() && address.port() == 0 {
                true => {
                    Err(format!("trunk group {name:?} has no address; say --target {name}=ADDRESS"))
                }
                false => Ok((name.clone(), address)),
            }
        };
        groups.iter().map(place).collect()
    }
}

/// The address from which this machine sends to all of `peers`: loopback to loopback, else what the routing table says
/// for the first one elsewhere.
#[must_use]
pub fn address_towards(peers: &[(String, SocketAddr)]) -> IpAddr {
    let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
    let elsewhere = |peer: &&(String, SocketAddr)| {
        !(peer.1.is_ipv4() && peer.1.ip().is_loopback()) && peer.1.port() != 0
    };
    let Some((_, peer)) = peers.iter().find(elsewhere) else { return loopback };
    let any = match peer {
        SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let routed = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect(peer)?;
        socket.local_addr()
    });
    // Without a route there is nothing to send from; the calls will say so.
    routed.map_or(loopback, |address| address.ip())
}

impl FromStr for TrunkGroupTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (trunk_group, place) = match text.split_once('=') {
            Some((name, place)) => (Some(name.trim().to_owned()), place.trim()),
            None => (None, text.trim()),
        };
        let whole = place.parse::<SocketAddr>().ok();
        let bare = || place.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, SIP_PORT));
        let address = whole.or_else(bare).ok_or_else(|| {
            format!(
                "must be an address such as 192.0.2.10:5060, or NAME=ADDRESS; names are not looked up, got {place:?}"
            )
        })?;
        if address.ip().is_unspecified() || address.ip().is_multicast() || address.port() == 0 {
            return Err(format!("nobody can be called at {address}"));
        }
        Ok(Self { trunk_group, address })
    }
}

impl fmt::Display for TrunkGroupTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.trunk_group {
            Some(name) => write!(f, "{name}={}", self.address),
            None => self.address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use topology::Layers;

    use super::*;

    fn network() -> Topology {
        let text = r#"
            [sites.alpha]
            address = "127.0.0.1:0"
            [trunk_groups.mobile]
            address = "127.0.0.21:5060"
            [trunk_groups.fixe]
            address = "127.0.0.1:0"
            [psaps.samu]
            address = "127.0.0.1:0"
            number = "0199000015"
            positions = 1
            [[routes]]
            numbers = ["15"]
            psaps = ["samu"]
        "#;
        Topology::parse("test", text, &Layers::none()).expect("a sound network")
    }

    fn of(targets: &[&str]) -> Result<Vec<(String, SocketAddr)>, String> {
        let target = targets.iter().map(|text| text.parse().expect("a target")).collect();
        TargetArgs { target, request_uri: None }.trunk_groups(&network())
    }

    #[test]
    fn the_target_of_a_trunk_group_goes_before_that_of_all() {
        let addresses = |targets: &[&str]| {
            let groups = of(targets).expect("targets for this network");
            groups.into_iter().map(|(name, at)| format!("{name} {at}")).collect::<Vec<_>>()
        };
        let both = addresses(&["mobile=192.0.2.1:5080", "192.0.2.2"]);
        assert_eq!(both, ["mobile 192.0.2.1:5080", "fixe 192.0.2.2:5060"]);
        assert_eq!(addresses(&[]), ["mobile 127.0.0.21:5060", "fixe 127.0.0.1:0"]);
    }

    #[test]
    fn a_trunk_group_that_is_unknown_or_nowhere_is_refused() {
        let unknown = of(&["rtc=192.0.2.1"]).expect_err("there is no such trunk group");
        assert!(unknown.contains("the trunk groups are mobile, fixe"), "{unknown}");
        let nowhere = of(&["mobile=192.0.2.1"]).expect_err("the other one has no port");
        assert!(nowhere.contains("--target fixe=ADDRESS"), "{nowhere}");
    }

    #[test]
    fn only_addresses_that_can_be_called_are_targets() {
        for wrong in ["", "example.org", "0.0.0.0:5060", "127.0.0.1:0", "mobile=", "224.0.0.1"] {
            assert!(wrong.parse::<TrunkGroupTarget>().is_err(), "{wrong}");
        }
        let target: TrunkGroupTarget = "mobile=[::1]:5070".parse().expect("an IPv6 address");
        assert_eq!(target.to_string(), "mobile=[::1]:5070");
    }

    #[test]
    fn loopback_is_called_from_loopback() {
        let peers = [("mobile".to_owned(), SocketAddr::from(([127, 0, 0, 21], 5060)))];
        assert_eq!(address_towards(&peers), IpAddr::from([127, 0, 0, 1]));
        let six = [("mobile".to_owned(), SocketAddr::from((Ipv6Addr::LOCALHOST, 5060)))];
        // A machine without IPv6 cannot send there at all.
        let from = address_towards(&six);
        assert!(from.is_loopback(), "{from}");
    }
}
