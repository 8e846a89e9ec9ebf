//! The boxes of a simulated network by their addresses.

use std::net::SocketAddr;

use hashbrown::HashMap;

use crate::any_node::AnyNode;

pub(crate) struct Host {
    pub(crate) node: Box<dyn AnyNode>,
    /// The RTP and RTCP ports of its plane, by the numbers that the plane gave them.
    pub(crate) ports: Vec<SocketAddr>,
}

/// Each step looks for a box or two, so a hash map finds them; whoever wants them all gets them by address.
#[derive(Default)]
pub(crate) struct Hosts(HashMap<SocketAddr, Host>);

impl Hosts {
    pub(crate) fn insert(&mut self, address: SocketAddr, host: Host) {
        self.0.insert(address, host);
    }

    pub(crate) fn remove(&mut self, address: &SocketAddr) -> Option<Host> {
        self.0.remove(address)
    }

    pub(crate) fn contains(&self, address: &SocketAddr) -> bool {
        self.0.contains_key(address)
    }

    pub(crate) fn get(&self, address: &SocketAddr) -> Option<&Host> {
        self.0.get(address)
    }

    pub(crate) fn get_mut(&mut self, address: &SocketAddr) -> Option<&mut Host> {
        self.0.get_mut(address)
    }

    /// All addresses, in order.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let mut addresses: Vec<_> = self.0.keys().copied().collect();
        addresses.sort_unstable();
        addresses
    }
}
