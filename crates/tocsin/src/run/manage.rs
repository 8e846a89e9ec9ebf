//! The sites of a run for those who manage them: what the processes last said, and the way to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cli::manage::{
    Canaries, CommandLog, CommandNote, Intervention, Listening, LiveFeed, Managed,
    ManagedCallServer, ManagedSites, Management, NetworkView,
};
use cli::metrics::{LatestState, MetricsArgs};
use contract::{BoxOrder, BoxState, CallsWanted, DirectoryEntry, EffectEnd, Reply, Usage};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use node::Console;
use operations::Action;
use tokio::sync::mpsc::{Sender, UnboundedSender};
use tokio::sync::oneshot;

use cli::say;
use run_folder::Folder;

use super::hand_line::{HandLine, PendingIntervention};
use super::prepared::Prepared;

/// The file in the run folder that says where a run is managed.
const ACCESS: &str = "manage.json";

/// The last that is known of every box and process of the run, by name; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedState(Arc<Mutex<LatestState>>);

impl SharedState {
    /// What a process says of its boxes.
    pub(super) fn update(&self, boxes: BTreeMap<String, DirectoryEntry>) {
        self.shown().boxes.extend(boxes);
    }

    /// What a process has used so far.
    pub(super) fn used(&self, process: &str, usage: Usage) {
        self.shown().processes.insert(process.to_owned(), usage);
    }

    /// All of it, for metrics.
    pub(super) fn read(&self) -> LatestState {
        self.shown().clone()
    }

    /// The process of these boxes is gone; what they showed last stays.
    pub(super) fn close<'a>(&self, boxes: impl Iterator<Item = &'a String>, state: BoxState) {
        let mut shown = self.shown();
        for name in boxes {
            if let Some(entry) = shown.boxes.get_mut(name) {
                entry.state = state;
            }
        }
    }

    fn shown(&self) -> MutexGuard<'_, LatestState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets operators manage `sites`: on loopback, with a token in the run folder.
pub(super) fn open(folder: &Folder, sites: Arc<dyn ManagedSites>) -> anyhow::Result<Managed> {
    let address = ([127, 0, 0, 1], 0).into();
    Management::open(address, &folder.path().join(ACCESS), None)?.serve(sites)
}

/// The sites of this run, for those who manage them. What they command and do comes by `hand_line`.
pub(super) fn sites(
    prepared: &Prepared,
    latest_state: SharedState,
    console: Console,
    hand_line: &HandLine,
    feed: LiveFeed,
) -> Arc<dyn ManagedSites> {
    let member = |one: &topology::CallServer| ManagedCallServer {
        name: one.name.clone(),
        site: one.site.clone(),
    };
    Arc::new(FleetSites {
        members: prepared.topology.call_servers().map(member).collect(),
        latest_state,
        console,
        notes: hand_line.sender(),
        interventions: hand_line.interventions(),
        network: NetworkView {
            communes: prepared.campaign.communes().into_iter().collect(),
            ..NetworkView::of(&prepared.topology)
        },
        feed,
        canaries: Canaries::default(),
        command_log: CommandLog::default(),
    })
}

/// Shows the metrics of all boxes and processes of this run, where that is asked for.
pub(super) fn show(
    args: &MetricsArgs,
    latest_state: SharedState,
) -> anyhow::Result<Option<Listening>> {
    let Some(metrics) = args.open()? else { return Ok(None) };
    say(format_args!("metrics at http://{}/metrics", metrics.address()));
    metrics.serve(Arc::new(move || latest_state.read())).map(Some)
}

struct FleetSites {
    members: Vec<ManagedCallServer>,
    latest_state: SharedState,
    console: Console,
    /// To the conductor of the run.
    notes: UnboundedSender<CommandNote>,
    interventions: Sender<PendingIntervention>,
    network: NetworkView,
    feed: LiveFeed,
    canaries: Canaries,
    command_log: CommandLog,
}

impl ManagedSites for FleetSites {
    fn members(&self) -> Vec<ManagedCallServer> {
        self.members.clone()
    }

    fn boxes(&self) -> BTreeMap<String, DirectoryEntry> {
        self.latest_state.shown().boxes.clone()
    }

    fn command(&self, name: &str, action: &Action) -> BoxFuture<'static, Reply> {
        self.console.order(name, action.clone().into()).boxed()
    }

    fn show_calls(&self, name: &str, wanted: CallsWanted) -> BoxFuture<'static, Reply> {
        self.console.order(name, BoxOrder::ShowCalls(wanted)).boxed()
    }

    fn effect(&self, name: &str, ticket: u64) -> BoxFuture<'static, EffectEnd> {
        self.console.effect(name, ticket).boxed()
    }

    fn note(&self, note: CommandNote) {
        // When the run is over, nobody is told any more.
        let _ = self.notes.send(note);
    }

    fn network(&self) -> &NetworkView {
        &self.network
    }

    fn feed(&self) -> &LiveFeed {
        &self.feed
    }

    fn canaries(&self) -> &Canaries {
        &self.canaries
    }

    fn command_log(&self) -> &CommandLog {
        &self.command_log
    }

    fn intervene(&self, what: Intervention) -> BoxFuture<'static, Result<String, String>> {
        let (answer, answered) = oneshot::channel();
        let sent = self.interventions.try_send(PendingIntervention { what, answer });
        async move {
            let over =
                || "the campaign is over, or has not begun: nothing can be done to it".to_owned();
            sent.map_err(|_| "too much waits to be done; try again".to_owned())?;
            answered.await.unwrap_or_else(|_| Err(over()))
        }
        .boxed()
    }
}
