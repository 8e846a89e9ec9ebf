//! Addresses as the kernel writes them.

use std::net::SocketAddr;

use nix::sys::socket::SockaddrStorage;

/// An address of IPv4 or IPv6; `None` for one of any other family.
pub(super) fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}
