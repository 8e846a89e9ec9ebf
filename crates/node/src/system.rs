//! Arbiters (threads) and the way from the shell's thread to an actor on another.

use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;

use actix::{Actor, Addr, Arbiter, System};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::actor::{Command, Drain, Lifeline, NodeActor, Stop, TakeSnapshot};
use crate::boxes::{CommandError, Notice, StartError};
use crate::socket::{Bound, SocketCounts, SocketLimits, Sockets};
use contract::{Node, Reply};

use crate::WallStart;

/// Runs `future` on this thread, with the actor system that boxes need.
pub fn run<F: Future>(future: F) -> F::Output {
    System::new().block_on(future)
}

/// A thread that runs boxes.
pub(crate) struct Thread(Arbiter);

impl Thread {
    pub(crate) fn start() -> io::Result<Self> {
        Arbiter::try_new().map(Self)
    }

    /// Ends the thread and the boxes that still run on it.
    pub(crate) fn end(self) {
        self.0.stop();
        if self.0.join().is_err() {
            tracing::error!("a thread of boxes panicked");
        }
    }
}

/// Where and how one box is to start.
pub(crate) struct Launch {
    name: String,
    arbiter: actix::ArbiterHandle,
    limits: SocketLimits,
    notices: UnboundedSender<Notice>,
}

impl Launch {
    pub(crate) fn on(
        thread: &Thread,
        name: String,
        limits: SocketLimits,
        notices: UnboundedSender<Notice>,
    ) -> Self {
        Self { name, arbiter: thread.0.handle(), limits, notices }
    }
}

/// The way of a reply. `None` when the box has ended.
pub(crate) type Replying = LocalBoxFuture<'static, Option<Reply>>;

/// What a box looks like: the node's own snapshot, and its sockets.
pub(crate) type Seen = (Value, SocketCounts);

/// The shell's side of one actor, whatever the node is.
pub(crate) trait Remote {
    /// Sends a command; what the box says to it comes later.
    fn command(&self, name: &str, args: Value) -> Result<Replying, CommandError>;
    /// `None` when the box has ended.
    fn snapshot(&self) -> LocalBoxFuture<'static, Option<Seen>>;
    /// Starts the drain; the end of it comes as a [`Notice`].
    fn drain(&self);
    /// Ends the box; the end of it comes as a [`Notice`].
    fn stop(&self);
}

/// Builds a node on its thread, starts its actor and returns the way to it.
pub(crate) fn launch<N, B, D, S>(
    bound: Bound,
    launch: Launch,
    build: B,
    decode: D,
    sink: S,
) -> LocalBoxFuture<'static, Result<Box<dyn Remote>, StartError>>
where
    N: Node + Unpin + 'static,
    N::Command: Send + 'static,
    N::Event: 'static,
    N::Snapshot: Serialize + Send + 'static,
    B: FnOnce(SocketAddr, WallStart) -> N + Send + 'static,
    D: Fn(Value) -> Result<N::Command, String> + 'static,
    S: FnMut(N::Event) + Send + 'static,
{
    let Launch { name, arbiter, limits, notices } = launch;
    let (ready, started) = oneshot::channel();
    let lifeline_name = name.clone();
    arbiter.spawn_fn(move || {
        let address = bound.address;
        let actor = Sockets::open(bound, limits).map(|sockets| {
            let node = build(address, WallStart::read());
            let lifeline = Lifeline::new(lifeline_name, notices);
            NodeActor::new(node, sockets, Box::new(sink), lifeline).start()
        });
        let _ = ready.send(actor); // fails only when the shell has ended
    });
    Box::pin(async move {
        match started.await {
            Ok(Ok(actor)) => Ok(Box::new(ActorRemote { actor, decode }) as Box<dyn Remote>),
            Ok(Err(error)) => Err(StartError::Sockets { name, error }),
            Err(_) => Err(StartError::Panicked { name }),
        }
    })
}

struct ActorRemote<N: Node + Unpin + 'static, D> {
    actor: Addr<NodeActor<N>>,
    decode: D,
}

impl<N, D> Remote for ActorRemote<N, D>
where
    N: Node + Unpin + 'static,
    N::Command: Send + 'static,
    N::Snapshot: Serialize + Send + 'static,
    D: Fn(Value) -> Result<N::Command, String>,
{
    fn command(&self, name: &str, args: Value) -> Result<Replying, CommandError> {
        let name = name.to_owned();
        let command = match (self.decode)(args) {
            Ok(command) => command,
            Err(reason) => return Err(CommandError::Refused { name, reason }),
        };
        if !self.actor.connected() {
            return Err(CommandError::Ended { name });
        }
        let reply = self.actor.send(Command::<N>(command));
        // An actor skips a message whose sender is gone; a command counts even if nobody waits for the reply.
        let (told, replying) = oneshot::channel();
        actix::spawn(async move {
            let _ = told.send(reply.await.ok());
        });
        Ok(Box::pin(async move { replying.await.ok().flatten() }))
    }

    fn snapshot(&self) -> LocalBoxFuture<'static, Option<Seen>> {
        let taken = self.actor.send(TakeSnapshot::<N>(PhantomData));
        Box::pin(async move {
            let (snapshot, sockets) = taken.await.ok()?;
            let snapshot = serde_json::to_value(snapshot)
                .unwrap_or_else(|error| Value::String(format!("cannot be shown: {error}")));
            Some((snapshot, sockets))
        })
    }

    // Both wait for room in the mailbox: an order to end must not be lost because the box is busy.
    // A box that has ended already needs neither.
    fn drain(&self) {
        let order = self.actor.send(Drain);
        actix::spawn(async move {
            let _ = order.await;
        });
    }

    fn stop(&self) {
        let order = self.actor.send(Stop);
        actix::spawn(async move {
            let _ = order.await;
        });
    }
}
