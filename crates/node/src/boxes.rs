//! The boxes of one process: started together, spread over threads, asked, drained, stopped.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::directory::Directory;
use crate::lifecycle_notice::LifecycleNotice;
use crate::observation::Observation;
use crate::remote::{OrderError, Remote};
use crate::socket::{SocketLimits, bind};
use crate::spec::NodeSpec;
use crate::start_error::StartError;
use crate::system::{Launch, Observing, Thread};
use contract::{BoxOrder, BoxState, NodeKind, Reply};
use telemetry::BoxKind;

/// A box that does not answer for so long keeps its last snapshot in the directory.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_millis(500);

/// A box that is so long in answering an order is taken to be silent.
const REPLY_TIMEOUT: Duration = Duration::from_millis(500);

/// Running boxes. Lives inside [`run`](crate::run).
pub struct Boxes {
    directory: Directory,
    remotes: BTreeMap<String, Box<dyn Remote>>,
    notices: mpsc::UnboundedReceiver<LifecycleNotice>,
    threads: Vec<Thread>,
}

impl Boxes {
    /// Binds every address, then starts every box; they share as many threads as there are cores. `observation` says who looks on
    /// at their messages.
    ///
    /// # Errors
    /// All addresses that cannot be had, at once, or the first other failure.
    pub async fn start(
        specs: Vec<NodeSpec>,
        limits: SocketLimits,
        directory: Directory,
        observation: Observation,
    ) -> Result<Self, StartError> {
        check_names(&specs)?;
        let (bound, errors): (Vec<_>, Vec<_>) =
            specs.iter().map(|spec| bind(&spec.label, &spec.listeners)).partition(Result::is_ok);
        if !errors.is_empty() {
            return Err(StartError::Bind(errors.into_iter().filter_map(Result::err).collect()));
        }
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = (0..cores.min(specs.len()))
            .map(|_| Thread::start())
            .collect::<Result<Vec<_>, _>>()
            .map_err(StartError::Thread)?;

        let (told, notices) = mpsc::unbounded_channel();
        let mut boxes = Self { directory, remotes: BTreeMap::new(), notices, threads };
        for (index, (spec, bound)) in specs.into_iter().zip(bound.into_iter().flatten()).enumerate()
        {
            let name = spec.label.name.clone();
            let thread = &boxes.threads[index % boxes.threads.len()];
            let address = bound.address;
            let observing = observed_kind(spec.label.kind);
            let observing =
                observing.map(|kind| Observing { observation: observation.clone(), kind });
            let launch = Launch::on(thread, name.clone(), limits, observing, told.clone());
            match (spec.launch)(bound, launch).await {
                Ok(remote) => boxes.remotes.insert(name.clone(), remote),
                Err(error) => {
                    drop(told); // `close` waits until nobody can tell anything
                    boxes.close().await;
                    return Err(error);
                }
            };
            boxes.directory.add(name, spec.label.kind, address);
        }
        Ok(boxes)
    }

    /// The table that this keeps up to date.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Gives an order to one box, at once. The future is what the box says to it; one that says nothing in time
    /// is [`Reply::Silent`].
    ///
    /// # Errors
    /// The box did not take the order.
    pub fn order(
        &self,
        name: &str,
        order: BoxOrder,
    ) -> Result<impl Future<Output = Reply> + use<>, OrderError> {
        let unknown = || OrderError::Unknown { name: name.to_owned() };
        let reply = self.remotes.get(name).ok_or_else(unknown)?.order(name, order)?;
        Ok(
            async move { timeout(REPLY_TIMEOUT, reply).await.ok().flatten().unwrap_or(Reply::Silent) },
        )
    }

    /// Brings the snapshots in the directory up to date.
    pub async fn refresh(&self) {
        join_all(self.remotes.iter().map(async |(name, remote)| {
            match timeout(SNAPSHOT_TIMEOUT, remote.snapshot()).await {
                Ok(Some((snapshot, sockets))) => self.directory.update(name, |entry| {
                    entry.snapshot = Some(snapshot);
                    entry.sockets = sockets;
                }),
                Ok(None) => {} // it has ended; its notice says how
                Err(_) => tracing::warn!(%name, "the box is too busy to show itself"),
            }
        }))
        .await;
    }

    /// Makes every running box refuse what is new and end what is in progress.
    pub fn drain(&self) {
        for (name, remote) in &self.remotes {
            self.directory.update(name, |entry| {
                if entry.state == BoxState::Running {
                    entry.state = BoxState::Draining;
                }
            });
            remote.drain();
        }
    }

    /// Pulls the plug of one box: calls in progress get no farewell.
    pub fn stop(&self, name: &str) {
        if let Some(remote) = self.remotes.get(name) {
            remote.stop();
        }
    }

    /// True when every box has ended or has nothing in progress any more after a drain.
    #[must_use]
    pub fn are_drained(&self) -> bool {
        self.directory_states().all(|state| !state.is_up())
    }

    /// Waits for what a box tells next, and notes it in the directory. Cancel safe.
    pub async fn next_notice(&mut self) -> LifecycleNotice {
        let Some(notice) = self.notices.recv().await else {
            return std::future::pending().await; // every box has ended and said so
        };
        let (name, state) = match &notice {
            LifecycleNotice::Drained(name) => (name, BoxState::Drained),
            LifecycleNotice::Stopped(name) => (name, BoxState::Stopped),
            LifecycleNotice::Failed(name) => (name, BoxState::Failed),
            LifecycleNotice::Effect(..) => return notice,
        };
        self.directory.update(name, |entry| entry.state = state);
        notice
    }

    /// Stops every box and waits until the threads have ended.
    pub async fn close(self) {
        let Self { remotes, mut notices, threads, .. } = self;
        for remote in remotes.values() {
            remote.stop();
        }
        // Each actor holds the other end until it is gone. One that hangs must not hang this.
        let all_gone = async { while notices.recv().await.is_some() {} };
        if timeout(SNAPSHOT_TIMEOUT, all_gone).await.is_err() {
            tracing::warn!("a box does not end; its thread is left alone");
            return;
        }
        for thread in threads {
            thread.end();
        }
    }

    fn directory_states(&self) -> impl Iterator<Item = BoxState> {
        self.remotes.keys().filter_map(|name| self.directory.find(name)).map(|entry| entry.state)
    }
}

impl fmt::Debug for Boxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Boxes").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// The kind of a box through which calls go.
const fn observed_kind(kind: NodeKind) -> Option<BoxKind> {
    match kind {
        NodeKind::Generator => Some(BoxKind::Generator),
        NodeKind::TrunkGroup => Some(BoxKind::TrunkGroup),
        NodeKind::CallServer => Some(BoxKind::CallServer),
        NodeKind::Psap => Some(BoxKind::Psap),
        // What goes through an access node is seen by its trunk group.
        NodeKind::AccessNode | NodeKind::PoolMonitor => None,
    }
}

fn check_names(specs: &[NodeSpec]) -> Result<(), StartError> {
    let mut names = HashSet::new();
    match specs.iter().find(|spec| !names.insert(&spec.label.name)) {
        Some(spec) => Err(StartError::SameName { name: spec.label.name.clone() }),
        None => Ok(()),
    }
}
