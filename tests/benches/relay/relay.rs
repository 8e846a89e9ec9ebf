//! What the benchmark knows of a relay, and the relays that it compares.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::bare::Bare;
use crate::ours::Ours;
use crate::rtpengine::Rtpengine;
use crate::session::Ports;

/// A running relay. Its process ends when it is dropped.
pub(crate) trait Relay {
    /// The process that relays.
    fn process(&self) -> u32;

    /// The host of its ports.
    fn host(&self) -> Ipv4Addr;

    /// Sets up calls until there are so many, and returns the ports of these.
    ///
    /// # Errors
    /// When the relay refuses a call, or has lost one.
    fn grow(&mut self, calls: usize) -> anyhow::Result<&[Ports]>;

    /// Ends all calls.
    ///
    /// # Errors
    /// When the relay does not let them end.
    fn end(self: Box<Self>) -> anyhow::Result<()>;
}

/// Which relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One socket for all streams, in C.
    BareShared,
    /// A socket for each side of a call, in C.
    Bare,
    Rtpengine,
    Ours,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::BareShared, Self::Bare, Self::Rtpengine, Self::Ours];

    /// Its name in the figures.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BareShared => "bare_shared",
            Self::Bare => "bare",
            Self::Rtpengine => "rtpengine",
            Self::Ours => "ours",
        }
    }

    /// Starts it without a call.
    ///
    /// # Errors
    /// When it is not here, or does not start.
    pub(crate) fn start(self) -> anyhow::Result<Box<dyn Relay>> {
        Ok(match self {
            Self::BareShared => Box::new(Bare::start(true)?),
            Self::Bare => Box::new(Bare::start(false)?),
            Self::Rtpengine => Box::new(Rtpengine::start()?),
            Self::Ours => Box::new(Ours::start()?),
        })
    }
}

/// Where an installed program is, if it is installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Some servers are where only root's PATH leads.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|place| place.is_file())
}
