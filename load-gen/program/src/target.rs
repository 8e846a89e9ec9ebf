//! Another network than that of the file: where its callers call.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _, UdpSocket};
use std::str::FromStr;

use clap::Args;
use load_gen::RequestUri;
use sip_proto::Transport;
use topology::Topology;

/// Port of SIP over UDP and TCP (RFC 3261 §19.1.2).
const SIP_PORT: u16 = 5060;

/// Options for calling a network that runs already.
#[derive(Debug, Clone, Default, Args)]
pub struct TargetArgs {
    /// Call this address in place of every trunk group of the file, or of one, as NAME=ADDRESS; may be given several times.
    /// An address or host name, with a port and ;transport=tcp or udp if need be
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<TrunkGroupTarget>,
    /// What callers ask for, with {number} and {target} filled in, such as sip:{number}@example.org; service URNs stay as
    /// they are
    #[arg(long, value_name = "TEMPLATE")]
    pub request_uri: Option<RequestUri>,
    /// With --target: do not ask first whether anybody is there
    #[arg(long, requires = "target")]
    pub no_probe: bool,
}

/// Where the callers of one trunk group, or of all, call instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkGroupTarget {
    /// `None`: every trunk group without a target of its own.
    pub trunk_group: Option<String>,
    pub address: SocketAddr,
    /// `None` lets the size of a request decide (RFC 3261 §18.1.1).
    pub transport: Option<Transport>,
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
        let of = |name: &str| self.of(name).map(|target| target.address);
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

    /// How each trunk group is to be called, in the order of [`trunk_groups`](Self::trunk_groups).
    #[must_use]
    pub fn transports(&self, topology: &Topology) -> Vec<Option<Transport>> {
        let of = |group: &topology::TrunkGroup| self.of(&group.name)?.transport;
        topology.trunk_groups.iter().map(of).collect()
    }

    /// The target of a trunk group: its own, or else that of all.
    fn of(&self, name: &str) -> Option<&TrunkGroupTarget> {
        let own = |target: &&TrunkGroupTarget| target.trunk_group.as_deref() == Some(name);
        let all = |target: &&TrunkGroupTarget| target.trunk_group.is_none();
        self.target.iter().rfind(own).or_else(|| self.target.iter().rfind(all))
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
        let (place, transport) = match text.split_once(';') {
            Some((place, parameter)) => (place, Some(transport_of(parameter.trim())?)),
            None => (text, None),
        };
        let (trunk_group, place) = match place.split_once('=') {
            Some((name, place)) => (Some(name.trim().to_owned()), place.trim()),
            None => (None, place.trim()),
        };
        let address = address_of(place)?;
        if address.ip().is_unspecified() || address.ip().is_multicast() || address.port() == 0 {
            return Err(format!("nobody can be called at {address}"));
        }
        Ok(Self { trunk_group, address, transport })
    }
}

/// The `transport` parameter of a SIP URI (RFC 3261 §19.1.1).
fn transport_of(parameter: &str) -> Result<Transport, String> {
    let value =
        parameter.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("transport"));
    let of = |(_, value): (&str, &str)| {
        let known = [Transport::Udp, Transport::Tcp];
        known.into_iter().find(|transport| transport.token().eq_ignore_ascii_case(value.trim()))
    };
    value.and_then(of).ok_or_else(|| {
        format!("after the address, write ;transport=udp or ;transport=tcp, got {parameter:?}")
    })
}

/// An address, or a host name with the first address that the system knows of it.
fn address_of(place: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = place.parse::<SocketAddr>() {
        return Ok(address);
    }
    if let Ok(ip) = place.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, SIP_PORT));
    }
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().ok()),
        None => (place, Some(SIP_PORT)),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let (true, Some(port)) = (!host.is_empty() && host.chars().all(is_name), port) else {
        return Err(format!(
            "must be an address or a host name such as 192.0.2.10:5060 or sip.example.org, or NAME=ADDRESS, got {place:?}"
        ));
    };
    let found = (host, port).to_socket_addrs().map_err(|error| {
        format!("no address of the host {host:?} can be found: {error}; write its address")
    })?;
    // The boxes of most networks have no IPv6.
    let all: Vec<SocketAddr> = found.collect();
    let first = all.iter().find(|one| one.is_ipv4()).or_else(|| all.first());
    first.copied().ok_or_else(|| format!("the host {host:?} has no address; write its address"))
}

impl fmt::Display for TrunkGroupTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.trunk_group {
            write!(f, "{name}=")?;
        }
        self.address.fmt(f)?;
        match self.transport {
            Some(transport) => write!(f, ";transport={}", transport.token().to_ascii_lowercase()),
            None => Ok(()),
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
        TargetArgs { target, ..TargetArgs::default() }.trunk_groups(&network())
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
        for wrong in [
            "",
            "no-such-host.invalid",
            "two words",
            "localhost:port",
            "0.0.0.0:5060",
            "127.0.0.1:0",
            "mobile=",
            "224.0.0.1",
            "127.0.0.1;transport=tls",
            "127.0.0.1;lr",
        ] {
            assert!(wrong.parse::<TrunkGroupTarget>().is_err(), "{wrong}");
        }
        let target: TrunkGroupTarget = "mobile=[::1]:5070".parse().expect("an IPv6 address");
        assert_eq!(target.to_string(), "mobile=[::1]:5070");
        for (text, meant) in [
            ("localhost:5080", "127.0.0.1:5080"),
            ("mobile=localhost;transport=TCP", "mobile=127.0.0.1:5060;transport=tcp"),
            ("192.0.2.1:5080;transport=udp", "192.0.2.1:5080;transport=udp"),
            ("[2001:db8::1];transport=tcp", "[2001:db8::1]:5060;transport=tcp"),
        ] {
            let target: TrunkGroupTarget = text.parse().expect("a target");
            assert_eq!(target.to_string(), meant, "{text}");
            assert_eq!(meant.parse(), Ok(target), "as another program is told");
        }
    }

    #[test]
    fn each_trunk_group_is_called_by_its_own_transport() {
        let target = ["mobile=192.0.2.1;transport=tcp", "192.0.2.2"];
        let target = target.iter().map(|text| text.parse().expect("a target")).collect();
        let targets = TargetArgs { target, ..TargetArgs::default() };
        assert_eq!(targets.transports(&network()), [Some(Transport::Tcp), None]);
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
