//! The life of a program that serves boxes: ready, running, draining, ended.
//!
//! ```text
//!   start ──► running ──────────────────────────────► draining ──► all drained ──► final
//!                │   first signal, drain order,          │ second signal, stop order,
//!                │   end of the parent, DrainRequest     │ drain timeout
//!                └─ stop order, panic in a box ──────────┴───────────────────────► final
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Notify;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, sleep_until};
use trace::Hub;

use crate::boxes::Boxes;
use crate::console::{Console, PendingOrder};
use crate::directory::Directory;
use crate::lifecycle_notice::LifecycleNotice;
use crate::limits::{forbid_huge_pages, raise_fd_limit, usage};
use crate::observation::Observation;
use crate::parent::{FromParent, Parent, wake_without_parent};
use crate::record_watch::RecordWatch;
use crate::signals::Signals;
use crate::socket::SocketLimits;
use crate::spec::NodeSpec;
use crate::start_error::StartError;
use contract::{
    BoxOrder, DirectoryEntry, ProcessEnding, ProcessOrder, ProcessReport, Reply, Usage,
};
use telemetry::attempt_key;

/// How long the end of a program waits for the messages of its last calls to be written.
const LAST_WRITES: Duration = Duration::from_secs(10);
/// How often it looks whether they are.
const WRITTEN_YET: Duration = Duration::from_millis(5);

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// A parent process reads our stdout and writes our stdin (`--supervised`).
    pub supervised: bool,
    /// How long calls in progress may take to end before the boxes stop anyway.
    pub drain_timeout: Duration,
    /// How often the parent is told how the boxes fare.
    pub snapshot_interval: Duration,
    pub limits: SocketLimits,
    /// Filled and kept up to date while the boxes run.
    pub directory: Directory,
    pub drain_request: DrainRequest,
    /// Told once every box listens.
    pub listening: ListeningNotice,
    /// Orders to the boxes from within this process.
    pub console: Console,
    /// What becomes of the records.
    pub records: RecordWatch,
    pub observation: Observation,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            supervised: false,
            drain_timeout: Duration::from_secs(10),
            snapshot_interval: Duration::from_secs(1),
            limits: SocketLimits::default(),
            directory: Directory::default(),
            drain_request: DrainRequest::default(),
            listening: ListeningNotice::default(),
            console: Console::default(),
            records: RecordWatch::default(),
            observation: Observation::default(),
        }
    }
}

/// Lets the program itself begin the drain, as a generator that has done its work does.
#[derive(Debug, Clone, Default)]
pub struct DrainRequest(Arc<Notify>);

impl DrainRequest {
    /// Begins the drain, now or as soon as the boxes run. From any thread.
    pub fn begin(&self) {
        self.0.notify_one();
    }
}

/// Says when the boxes of a program listen.
#[derive(Debug, Clone, Default)]
pub struct ListeningNotice(Arc<Notify>);

impl ListeningNotice {
    /// Waits until all of them do; for ever, if one of them cannot. For one waiter.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}

/// Runs boxes until they are asked to end. To be called inside [`run`](crate::run).
///
/// # Errors
/// The boxes could not be started.
pub async fn serve(specs: Vec<NodeSpec>, options: Options) -> Result<ProcessEnding, StartError> {
    if options.supervised
        && let Err(error) = wake_without_parent()
    {
        tracing::debug!(%error, "stopped when its parent dies, this process would not end");
    }
    let parent = options.supervised.then(Parent::on_stdio);
    serve_for(parent, specs, options).await
}

pub(crate) async fn serve_for(
    parent: Option<Parent>,
    specs: Vec<NodeSpec>,
    options: Options,
) -> Result<ProcessEnding, StartError> {
    if let Err(error) = raise_fd_limit() {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
    if let Err(error) = forbid_huge_pages() {
        tracing::debug!(%error, "memory may come in huge pages");
    }
    // Caught before the first box runs: no call may be cut off by an early signal.
    let signals = Signals::catch(parent.is_none()).map_err(StartError::Signals)?;
    let further: Vec<String> = specs.iter().flat_map(NodeSpec::further_places).collect();
    let boxes =
        Boxes::start(specs, options.limits, options.directory, options.observation.clone()).await?;
    let mut ticks = interval(options.snapshot_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut shell = Shell {
        boxes,
        parent,
        signals,
        ticks,
        drain_request: options.drain_request,
        console: options.console,
        records: options.records,
        hub: options.observation.hub,
        begun: Instant::now(),
        drain_timeout: options.drain_timeout,
        deadline: None,
    };
    shell.tell_ready(&further);
    options.listening.0.notify_one();
    let ending = shell.watch().await;
    let boxes = shell.last_look().await;
    let Shell { boxes: open, mut parent, records, hub, .. } = shell;
    open.close().await;
    settle_trace(hub.as_ref()).await;
    if let Some(parent) = &mut parent {
        let usage = used(&records, hub.as_ref(), Some(parent));
        parent.tell(ProcessReport::Final { ending: ending.clone(), usage, boxes });
    }
    Ok(ending)
}

/// Stands between the boxes and whoever started the program.
struct Shell {
    boxes: Boxes,
    /// `None`: a person at a terminal.
    parent: Option<Parent>,
    signals: Signals,
    ticks: Interval,
    drain_request: DrainRequest,
    console: Console,
    records: RecordWatch,
    hub: Option<Hub>,
    drain_timeout: Duration,
    /// When the drain is given up; `None` while running.
    deadline: Option<Instant>,
    begun: Instant,
}

enum ShellEvent {
    Signal,
    FromParent(FromParent),
    DrainRequested,
    Orders(Vec<PendingOrder>),
    Notice(LifecycleNotice),
    Tick,
    DrainTimeout,
}

impl Shell {
    async fn watch(&mut self) -> ProcessEnding {
        loop {
            let ending = match self.next().await {
                ShellEvent::Signal if self.deadline.is_some() => Some(ProcessEnding::Stopped),
                ShellEvent::Signal | ShellEvent::DrainRequested => self.drain(),
                ShellEvent::FromParent(incoming) => self.obey(incoming).await,
                ShellEvent::Orders(orders) => self.carry_out(orders).await,
                ShellEvent::Notice(notice) => self.note(notice).await,
                ShellEvent::Tick => {
                    self.show().await;
                    self.tell_bad_ends();
                    None
                }
                ShellEvent::DrainTimeout => Some(self.give_up()),
            };
            if let Some(ending) = ending {
                return ending;
            }
        }
    }

    async fn next(&mut self) -> ShellEvent {
        let deadline = self.deadline;
        tokio::select! {
            () = self.signals.next() => ShellEvent::Signal,
            incoming = next_from(&mut self.parent) => ShellEvent::FromParent(incoming),
            () = self.drain_request.0.notified() => ShellEvent::DrainRequested,
            orders = self.console.next() => ShellEvent::Orders(orders),
            notice = self.boxes.next_notice() => ShellEvent::Notice(notice),
            _ = self.ticks.tick() => ShellEvent::Tick,
            () = passed(deadline) => ShellEvent::DrainTimeout,
        }
    }

    async fn obey(&mut self, incoming: FromParent) -> Option<ProcessEnding> {
        match incoming {
            FromParent::Order(ProcessOrder::Drain) | FromParent::End => self.drain(),
            FromParent::Order(ProcessOrder::Stop) => Some(ProcessEnding::Stopped),
            FromParent::Order(ProcessOrder::Box { id, name, order }) => {
                let changes = changes(&order);
                let reply = self.order(&name, order).await;
                // Whoever has the reply and looks sees what has changed.
                if changes {
                    self.show().await;
                }
                self.tell(ProcessReport::Reply { id, name, reply });
                None
            }
            FromParent::Order(ProcessOrder::KeepCalls { attempts }) => {
                if let Some(hub) = &self.hub {
                    hub.want(attempts.iter().filter_map(|attempt| attempt_key(attempt)));
                }
                None
            }
            FromParent::Nonsense { line, reason } => {
                self.tell(ProcessReport::Refused { line, reason });
                None
            }
        }
    }

    /// Gives an order at once; what the box says comes later.
    fn order(&self, name: &str, order: BoxOrder) -> impl Future<Output = Reply> + use<> {
        let given = self.boxes.order(name, order);
        async move {
            match given {
                Ok(reply) => reply.await,
                Err(error) => Reply::Refused(error.to_string()),
            }
        }
    }

    /// All are given before the first is waited for: an order to several boxes reaches them together.
    async fn carry_out(&mut self, orders: Vec<PendingOrder>) -> Option<ProcessEnding> {
        let given = orders.iter().map(|pending| self.order(&pending.name, pending.order.clone()));
        let replies = join_all(given.collect::<Vec<_>>()).await;
        if orders.iter().any(|pending| changes(&pending.order)) {
            self.show().await;
        }
        for (pending, reply) in orders.into_iter().zip(replies) {
            pending.answer(reply);
        }
        None
    }

    fn drain(&mut self) -> Option<ProcessEnding> {
        if self.deadline.is_none() {
            self.deadline = Some(Instant::now() + self.drain_timeout);
            let timeout = self.drain_timeout;
            tracing::info!(?timeout, "draining: a second signal stops at once");
            self.boxes.drain();
        }
        self.drained()
    }

    fn drained(&mut self) -> Option<ProcessEnding> {
        let drained = self.deadline.is_some() && self.boxes.are_drained();
        drained.then(|| {
            self.tell(ProcessReport::Drained { complete: true });
            ProcessEnding::Drained
        })
    }

    async fn note(&mut self, notice: LifecycleNotice) -> Option<ProcessEnding> {
        match notice {
            LifecycleNotice::Failed(name) => {
                tracing::error!(%name, "a box panicked: this is a bug; the program ends");
                Some(ProcessEnding::Failed(vec![name]))
            }
            LifecycleNotice::Drained(_) | LifecycleNotice::Stopped(_) => self.drained(),
            LifecycleNotice::Effect(name, effect) => {
                // Whoever hears of it and looks sees what has changed.
                self.show().await;
                self.console.tell_effect(&name, effect.clone());
                self.tell(ProcessReport::Effect { name, effect });
                None
            }
        }
    }

    fn give_up(&mut self) -> ProcessEnding {
        let timeout = self.drain_timeout;
        tracing::warn!(?timeout, "calls are still in progress: stopping anyway");
        self.tell(ProcessReport::Drained { complete: false });
        ProcessEnding::DrainTimedOut
    }

    async fn show(&mut self) {
        self.boxes.refresh().await;
        let boxes = self.boxes.directory().entries();
        let at_us = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.tell(ProcessReport::Snapshot { at_us, usage: self.usage(), boxes });
    }

    fn tell_ready(&mut self, further: &[String]) {
        let boxes = self.boxes.directory().entries();
        if self.parent.is_none() {
            for (name, entry) in &boxes {
                tracing::info!("{} {name} listens on {} (UDP, TCP)", entry.kind, entry.address);
            }
            further.iter().for_each(|place| tracing::info!("{place}"));
        }
        self.tell(ProcessReport::Ready { boxes });
    }

    /// What ended badly here is kept in the other processes too.
    fn tell_bad_ends(&mut self) {
        let attempts = self.hub.as_ref().map(Hub::take_bad_ends).unwrap_or_default();
        if !attempts.is_empty() {
            let attempts = attempts.iter().map(|attempt| format!("{attempt:032x}")).collect();
            self.tell(ProcessReport::EndedBadly { attempts });
        }
    }

    /// The boxes as they are in the end.
    async fn last_look(&mut self) -> BTreeMap<String, DirectoryEntry> {
        self.tell_bad_ends();
        self.boxes.refresh().await;
        self.boxes.directory().entries()
    }

    fn usage(&self) -> Usage {
        used(&self.records, self.hub.as_ref(), self.parent.as_ref())
    }

    fn tell(&mut self, report: ProcessReport) {
        if let Some(parent) = &mut self.parent {
            parent.tell(report);
        }
    }
}

/// What the process has used until now.
fn used(records: &RecordWatch, hub: Option<&Hub>, parent: Option<&Parent>) -> Usage {
    let snapshots_dropped = parent.map_or(0, Parent::dropped);
    let trace = hub.map(Hub::counts).unwrap_or_default();
    Usage { records: records.look(), snapshots_dropped, trace, ..usage() }
}

/// Waits until all that recorders have kept at their end is written, so that the last report knows what found no room.
async fn settle_trace(hub: Option<&Hub>) {
    let end = Instant::now() + LAST_WRITES;
    while hub.is_some_and(Hub::is_writing) && Instant::now() < end {
        sleep(WRITTEN_YET).await;
    }
}

/// Whether an order does anything but look.
const fn changes(order: &BoxOrder) -> bool {
    !matches!(order, BoxOrder::ShowCalls(_))
}

async fn next_from(parent: &mut Option<Parent>) -> FromParent {
    match parent {
        Some(parent) => parent.next().await,
        None => std::future::pending().await,
    }
}

async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
