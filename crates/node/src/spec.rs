//! What a program says of a box that it wants to run.

use std::fmt;
use std::net::SocketAddr;

use contract::{BoxOrder, Node, Snapshot};
use futures_util::future::LocalBoxFuture;

use crate::clock::WallStart;
use crate::label::Label;
use crate::remote::Remote;
use crate::socket::{Bound, Listener};
use crate::start_error::StartError;
use crate::system::{self, Launch};

type LaunchFn = dyn FnOnce(Bound, Launch) -> LocalBoxFuture<'static, Started> + Send;
type Started = Result<Box<dyn Remote>, StartError>;

/// A box to run: its label, and how to build its [`Node`].
pub struct NodeSpec {
    pub(crate) label: Label,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) launch: Box<LaunchFn>,
}

impl NodeSpec {
    /// Describes a box.
    ///
    /// - `build` makes the node, on the thread that will run it, with the address that it got.
    /// - `accept` turns an order into the node's command; its error is a sentence.
    /// - `sink` takes each event, on the node's thread: it must be quick and never wait.
    pub fn new<N, B, A, S>(label: Label, build: B, accept: A, sink: S) -> Self
    where
        N: Node + Unpin + 'static,
        N::Command: Send + 'static,
        N::Event: 'static,
        N::Snapshot: Into<Snapshot> + Send + 'static,
        B: FnOnce(SocketAddr, WallStart) -> N + Send + 'static,
        A: Fn(BoxOrder) -> Result<N::Command, String> + Send + 'static,
        S: FnMut(N::Event) + Send + 'static,
    {
        let launch = move |bound, launch| system::launch(bound, launch, build, accept, sink);
        Self { label, listeners: Vec::new(), launch: Box::new(launch) }
    }

    /// The same box, which takes connections at these places too.
    #[must_use]
    pub fn listening(self, listeners: Vec<Listener>) -> Self {
        Self { listeners, ..self }
    }

    /// A sentence for each further place where it takes connections.
    pub(crate) fn further_places(&self) -> Vec<String> {
        let Label { name, kind, .. } = &self.label;
        let told = |one: &Listener| {
            format!("{kind} {name} listens on {} ({})", one.address, one.entry.transport.token())
        };
        self.listeners.iter().map(told).collect()
    }
}

impl fmt::Debug for NodeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeSpec").field("label", &self.label).finish_non_exhaustive()
    }
}
