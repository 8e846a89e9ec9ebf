//! Arbiters (threads) and the way from the shell's thread to an actor on another.

use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;

use actix::{Actor, Addr, Arbiter, System};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use telemetry::BoxKind;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use trace::{DatedStart, Recorder, TracedBox};

use crate::actor::{Command, Drain, Impair, LifecycleReporter, NodeActor, Stop, TakeSnapshot};
use crate::clock::WallStart;
use crate::hep::HepSender;
use crate::lifecycle_notice::LifecycleNotice;
use crate::observation::Observation;
use crate::observer::Observer;
use crate::remote::{OrderError, Remote, Replying, Seen};
use crate::show_calls::ShowCalls;
use crate::socket::{Bound, SocketLimits, Sockets};
use crate::start_error::StartError;
use contract::{BoxOrder, Node, Snapshot};

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
    observing: Option<Observing>,
    notices: UnboundedSender<LifecycleNotice>,
}

/// Who looks on at a box through which calls go.
pub(crate) struct Observing {
    pub(crate) observation: Observation,
    pub(crate) kind: BoxKind,
}

impl Observing {
    fn begin(self, name: &str, address: SocketAddr, start: WallStart) -> Option<Observer> {
        let Observation { hub, hep } = self.observation;
        let seen_by = TracedBox { kind: self.kind, name: name.to_owned(), address };
        let unix_us = u64::try_from(start.unix.as_micros()).unwrap_or(u64::MAX);
        let start = DatedStart { instant: start.now, unix_us };
        let recorder = hub.and_then(|hub| Recorder::new(&hub, seen_by.clone(), start));
        Observer::new(recorder, hep.map(|collector| HepSender::new(collector, seen_by, start)))
    }
}

impl Launch {
    pub(crate) fn on(
        thread: &Thread,
        name: String,
        limits: SocketLimits,
        observing: Option<Observing>,
        notices: UnboundedSender<LifecycleNotice>,
    ) -> Self {
        Self { name, arbiter: thread.0.handle(), limits, observing, notices }
    }
}

/// Builds a node on its thread, starts its actor and returns the way to it.
pub(crate) fn launch<N, B, A, S>(
    bound: Bound,
    launch: Launch,
    build: B,
    accept: A,
    sink: S,
) -> LocalBoxFuture<'static, Result<Box<dyn Remote>, StartError>>
where
    N: Node + Unpin + 'static,
    N::Command: Send + 'static,
    N::Event: 'static,
    N::Snapshot: Into<Snapshot> + Send + 'static,
    B: FnOnce(SocketAddr, WallStart) -> N + Send + 'static,
    A: Fn(BoxOrder) -> Result<N::Command, String> + 'static,
    S: FnMut(N::Event) + Send + 'static,
{
    let Launch { name, arbiter, limits, observing, notices } = launch;
    let (ready, started) = oneshot::channel();
    let box_name = name.clone();
    arbiter.spawn_fn(move || {
        let address = bound.address;
        let actor = Sockets::open(bound, limits).map(|sockets| {
            let start = WallStart::read();
            let node = build(address, start);
            let observer = observing.and_then(|it| it.begin(&box_name, address, start));
            let reporter = LifecycleReporter::new(box_name, notices);
            NodeActor::new(node, sockets, Box::new(sink), observer, reporter).start()
        });
        let _ = ready.send(actor); // fails only when the shell has ended
    });
    Box::pin(async move {
        match started.await {
            Ok(Ok(actor)) => Ok(Box::new(ActorRemote { actor, accept }) as Box<dyn Remote>),
            Ok(Err(error)) => Err(StartError::Sockets { name, error }),
            Err(_) => Err(StartError::Panicked { name }),
        }
    })
}

struct ActorRemote<N: Node + Unpin + 'static, A> {
    actor: Addr<NodeActor<N>>,
    accept: A,
}

impl<N, A> Remote for ActorRemote<N, A>
where
    N: Node + Unpin + 'static,
    N::Command: Send + 'static,
    N::Snapshot: Into<Snapshot> + Send + 'static,
    A: Fn(BoxOrder) -> Result<N::Command, String>,
{
    fn order(&self, name: &str, order: BoxOrder) -> Result<Replying, OrderError> {
        let name = name.to_owned();
        if !self.actor.connected() {
            return Err(OrderError::Ended { name });
        }
        let reply = match order {
            BoxOrder::Impair(order) => self.actor.send(Impair(order)).boxed_local(),
            BoxOrder::ShowCalls(wanted) => self.actor.send(ShowCalls(wanted)).boxed_local(),
            order => match (self.accept)(order) {
                Ok(command) => self.actor.send(Command::<N>(command)).boxed_local(),
                Err(reason) => return Err(OrderError::Refused { name, reason }),
            },
        };
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
            Some((snapshot.into(), sockets))
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
