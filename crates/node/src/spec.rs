//! What a program says of a box that it wants to run.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde_json::Value;

use crate::boxes::StartError;
use crate::clock;
use crate::socket::Bound;
use crate::system::{self, Launch, Remote};
use contract::Node;

/// How people and configuration files call a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Unique in the process.
    pub name: String,
    /// Words for people, such as `call server`.
    pub kind: &'static str,
    /// Where to listen, with UDP and TCP. Port 0 takes any free port.
    pub address: SocketAddr,
    /// The key of the configuration that gives the address, such as `sites.alpha.address`.
    pub setting: String,
}

/// One moment on both clocks, from which a node can date what it records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallStart {
    pub now: Instant,
    /// Time since 1 January 1970 UTC.
    pub unix: Duration,
}

impl WallStart {
    /// Reads both clocks.
    #[must_use]
    pub fn read() -> Self {
        Self { now: clock::now(), unix: clock::unix() }
    }
}

type LaunchFn = dyn FnOnce(Bound, Launch) -> LocalBoxFuture<'static, Started> + Send;
type Started = Result<Box<dyn Remote>, StartError>;

/// A box to run: its label, and how to build its [`Node`].
pub struct NodeSpec {
    pub(crate) label: Label,
    pub(crate) launch: Box<LaunchFn>,
}

impl NodeSpec {
    /// Describes a box.
    ///
    /// - `build` makes the node, on the thread that will run it, with the address that it got.
    /// - `decode` turns an operator's command into the node's; its error is a sentence.
    /// - `sink` takes each event, on the node's thread: it must be quick and never wait.
    pub fn new<N, B, D, S>(label: Label, build: B, decode: D, sink: S) -> Self
    where
        N: Node + Unpin + 'static,
        N::Command: Send + 'static,
        N::Event: 'static,
        N::Snapshot: Serialize + Send + 'static,
        B: FnOnce(SocketAddr, WallStart) -> N + Send + 'static,
        D: Fn(Value) -> Result<N::Command, String> + Send + 'static,
        S: FnMut(N::Event) + Send + 'static,
    {
        let launch = move |bound, launch| system::launch(bound, launch, build, decode, sink);
        Self { label, launch: Box::new(launch) }
    }
}

impl fmt::Debug for NodeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeSpec").field("label", &self.label).finish_non_exhaustive()
    }
}
