//! Systems with one loopback address: there, boxes differ by port.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use topology::Topology;

/// Changes to the addresses of a network for a system that has 127.0.0.1 alone, such as macOS: every
/// box whose loopback address does not exist gets a port of 127.0.0.1 from the system.
pub(crate) fn missing_addresses(topology: &Topology) -> Vec<(String, String)> {
    moved(topology, exists)
}

fn moved(topology: &Topology, exists: impl Fn(IpAddr) -> bool) -> Vec<(String, String)> {
    let sites = topology.call_servers().map(|one| (one.address_path(), one.address));
    let trunks = topology.trunk_groups.iter();
    let trunks = trunks.map(|one| (format!("trunk_groups.{}.address", one.name), one.address));
    let psaps = topology.psaps.iter();
    let psaps = psaps.map(|one| (format!("psaps.{}.address", one.name), one.address));
    let missing = |address: &SocketAddr| address.ip().is_loopback() && !exists(address.ip());
    sites
        .chain(trunks)
        .chain(psaps)
        .filter(|(_, address)| missing(address))
        .map(|(key, _)| (key, SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0).to_string()))
        .collect()
}

/// False only when the system says that there is no such address.
fn exists(ip: IpAddr) -> bool {
    let bound = UdpSocket::bind(SocketAddr::new(ip, 0));
    !bound.is_err_and(|error| error.kind() == ErrorKind::AddrNotAvailable)
}

#[cfg(test)]
mod tests {
    use topology::Layers;

    use super::*;

    const NETWORK: &str = r#"
        [sites.alpha]
        address = "127.0.0.11:5060"
        [trunk_groups.mobile]
        address = "127.0.0.1:5060"
        [psaps.samu]
        address = "127.0.0.31:5060"
        number = "0199000015"
        positions = 1
        [[routes]]
        numbers = ["15"]
        psaps = ["samu"]
    "#;

    #[test]
    fn only_addresses_that_do_not_exist_move() {
        let topology = Topology::parse("test", NETWORK, &Layers::none()).unwrap();
        let keys = |changes: Vec<(String, String)>| {
            changes.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        let only_one = |ip: IpAddr| ip == IpAddr::from(Ipv4Addr::LOCALHOST);
        let expected = ["sites.alpha.address", "psaps.samu.address"];
        assert_eq!(keys(moved(&topology, only_one)), expected);
        assert!(moved(&topology, |_| true).is_empty());
    }

    #[test]
    fn an_address_that_is_not_ours_does_not_exist() {
        assert!(exists(Ipv4Addr::LOCALHOST.into()));
        // A block for documentation (RFC 5737): on no machine.
        assert!(!exists([203, 0, 113, 7].into()));
    }
}
