//! Where everything listens: hosts of this bench, where nothing else does.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

const fn at(last: u8, port: u16) -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(127, 78, 0, last), port))
}

/// Who calls, and who calls while others hold their calls.
pub(crate) const CALLER: SocketAddr = at(2, 5060);
pub(crate) const HOLDER: SocketAddr = at(4, 5060);
/// Who answers.
pub(crate) const CALLEE: SocketAddr = at(3, 5060);
/// What stands between them; a trunk group is in front of the call server.
pub(crate) const BETWEEN: SocketAddr = at(10, 5060);
pub(crate) const TRUNK_GROUP: SocketAddr = at(11, 5060);
