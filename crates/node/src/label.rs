//! How people and configuration files call a box.

use std::net::SocketAddr;

use contract::NodeKind;

/// How people and configuration files call a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Unique in the process.
    pub name: String,
    pub kind: NodeKind,
    /// Where to listen, with UDP and TCP. Port 0 takes any free port.
    pub address: SocketAddr,
    /// The key of the configuration that gives the address, such as `sites.alpha.address`.
    pub setting: String,
}
