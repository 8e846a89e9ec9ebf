//! The management plane: operators see the sites of a running network and command them, over HTTP.
//!
//! ```text
//!  tocsin ctl ──reads──► manage.json (address, token; mode 0600)
//!      │ HTTP, Bearer token                 ▲ written at start, removed at the end
//!      ▼                                    │
//!  listener.rs ─► admission.rs ─► routes.rs ─► command_plan.rs ─► ManagedSites ─► the boxes of this process, or of child processes
//!                                    └─► events.rs ◄── LiveFeed ◄── the loop of a run, and commands
//! ```
//!
//! Every request is a row of `TABLE` in `routes.rs`; what it is for stands at the function that answers it, and from there in the
//! OpenAPI document (`open_api.rs`).
//!
//! Who has the token may do everything; nobody else gets an answer but 401. Pages in browsers get 421, with the token or without
//! (`guard.rs`). Beyond this machine it speaks TLS (`crate::tls`); `way.rs` is the client's side.

mod access;
mod admission;
#[cfg(test)]
mod api_tests;
mod author;
mod blast_radius;
mod box_view;
#[cfg(test)]
mod calls_tests;
mod canaries;
mod canary_steps;
#[cfg(test)]
mod canary_tests;
mod command_log;
mod command_note;
mod command_plan;
mod command_request;
mod command_result;
mod connections;
mod defect_request;
mod events;
pub(crate) mod guard;
mod intervention;
mod ladder_view;
mod listener;
mod live_feed;
mod logged_sites;
mod network_view;
mod noted_command;
mod open_api;
mod open_calls;
mod routes;
mod run_view;
mod served;
mod state_view;
mod surge;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
mod trouble;
mod way;

/// How a request of the API is asked.
pub use axum::http::Method;

pub use access::{Access, AccessFile, Token};
pub use admission::Admission;
pub use author::AuthorRequest;
pub use blast_radius::BlastRadius;
pub use canaries::Canaries;
pub use command_log::{CommandLog, CommandLogView, LoggedCommand};
pub use command_note::CommandNote;
pub use command_plan::CommandPlan;
pub use command_request::{CommandRequest, RequestManner, RequestedCommand, SiteSelection};
pub use command_result::{CanaryView, CommandResult, CommandResults, CommandStatus};
pub use defect_request::{DefectRequest, DefectResults};
pub use events::StreamProgress;
pub use guard::Audience;
pub use intervention::{
    DoneView, FaultRequest, Intervention, InterventionKind, LoadAction, LoadRequest,
};
pub use ladder_view::{LadderMessage, LadderView};
pub use listener::{HttpListener, Listening};
pub use live_feed::{ChronicleKind, ChronicleLine, ChronicleView, LiveFeed};
pub use network_view::{
    DefectPlace, LinkPlace, NetworkView, PsapPlace, ReleasePlace, SitePlace, TrunkGroupPlace,
};
pub use open_api::document;
pub use open_calls::{CallInProgress, CallOrder, CallSoFar, CallsInProgress};
pub use routes::{api, api_paths};
pub use run_view::{HistoryView, ImpairedView, Moment, RunCounts, RunView, ThresholdView};
pub(crate) use served::OwnBoxes;
pub use served::{ManageArgs, Managed, Management};
pub use state_view::{LinkState, PsapLinkState, PsapState, SiteState, StateView, TrunkGroupState};
pub use surge::Surge;
pub use trouble::{body, read_body, trouble};

use std::collections::BTreeMap;

use contract::{
    BoxState, CallServerSnapshot, CallsWanted, DirectoryEntry, EffectEnd, Reply, Snapshot,
};
use futures_util::future::BoxFuture;
use operations::Action;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The call servers that are managed, and the way to them.
pub trait ManagedSites: Send + Sync + 'static {
    /// The call servers, in the order of the network file.
    fn members(&self) -> Vec<ManagedCallServer>;

    /// What is known of every box, by name.
    fn boxes(&self) -> BTreeMap<String, DirectoryEntry>;

    /// Sends a command to a call server, at once. [`Reply::Silent`] when nothing comes back.
    fn command(&self, name: &str, action: &Action) -> BoxFuture<'static, Reply>;

    /// Asks a box of any kind for these of its calls in progress: it answers [`Reply::Calls`], or as to a command.
    fn show_calls(&self, name: &str, wanted: CallsWanted) -> BoxFuture<'static, Reply>;

    /// Waits for the end of a command that a call server [accepted](Reply::Accepted) with this ticket. Asked once for each.
    fn effect(&self, name: &str, ticket: u64) -> BoxFuture<'static, EffectEnd>;

    /// Takes note of a command: once as it goes out, once when it is accepted if its effect takes its time, and once when it is
    /// over.
    fn note(&self, note: CommandNote);

    /// The network of the file.
    fn network(&self) -> &NetworkView;

    /// What is told live of it.
    fn feed(&self) -> &LiveFeed;

    /// The commands that wait for a word after their first site.
    fn canaries(&self) -> &Canaries;

    /// What was commanded of late, whichever socket it came by.
    fn command_log(&self) -> &CommandLog;

    /// Does something to the run beside commands to sites: says what was done, or why it was not.
    fn intervene(&self, what: Intervention) -> BoxFuture<'static, Result<String, String>>;
}

/// A call server of the network file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedCallServer {
    /// The site's name for its only call server, else `site.blade`.
    pub name: String,
    pub site: String,
}

/// A call server as `GET /v1/sites` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallServerView {
    pub name: String,
    pub site: String,
    #[schema(value_type = String)]
    pub state: BoxState,
    /// As the call server last showed itself, at most a second ago; null before the first time.
    #[schema(value_type = Option<Object>)]
    pub snapshot: Option<CallServerSnapshot>,
}

/// The answer to `GET /v1/sites`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallServerViews {
    pub sites: Vec<CallServerView>,
}

/// The answer to a request that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// A sentence with the fix.
    pub error: String,
}

fn views(sites: &dyn ManagedSites) -> CallServerViews {
    let mut boxes = sites.boxes();
    let view = |ManagedCallServer { name, site }: ManagedCallServer| {
        let entry = boxes.remove(&name);
        let state = entry.as_ref().map_or(BoxState::Unknown, |entry| entry.state);
        let snapshot = match entry.and_then(|entry| entry.snapshot) {
            Some(Snapshot::CallServer(snapshot)) => Some(snapshot),
            _ => None,
        };
        CallServerView { name, site, state, snapshot }
    };
    CallServerViews { sites: sites.members().into_iter().map(view).collect() }
}
