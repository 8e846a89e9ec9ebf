//! The management plane: operators see the sites of a running network and command them, over HTTP.
//!
//! ```text
//!  tocsin ctl ──reads──► manage.json (address, token; mode 0600)
//!      │ HTTP, Bearer token                 ▲ written at start, removed at the end
//!      ▼                                    │
//!  listener.rs ─► routes.rs ─► command_request.rs ─► ManagedSites ─► the boxes of this process, or of child processes
//! ```
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/sites` | every call server: name, site, state, and what it last showed of itself |
//! | `GET /v1/boxes` | the same of every box, whatever it is, by name |
//! | `GET /v1/command-log` | the last 1,000 commands: who, what, how long ago, and what came of it |
//! | `POST /v1/commands` | carries out an [`CommandRequest`], and says what each call server answered |
//!
//! Who has the token may do everything; nobody else gets an answer but 401. Pages in browsers get 421, with the token or without
//! (`guard.rs`).

mod access;
mod box_view;
mod command_log;
mod command_note;
mod command_request;
mod connections;
pub(crate) mod guard;
mod listener;
mod noted_command;
mod routes;
mod served;
#[cfg(test)]
mod tests;

pub use access::{Access, AccessFile, Token};
pub use command_log::{CommandLogView, LoggedCommand};
pub use command_note::CommandNote;
pub use command_request::{
    CommandPlan, CommandRequest, CommandResult, CommandResults, CommandStatus, RequestManner,
    RequestedCommand, SiteSelection,
};
pub use listener::{HttpListener, Listening};
pub(crate) use served::OwnBoxes;
pub use served::{ManageArgs, Managed, Management};

use std::collections::BTreeMap;

use contract::{BoxState, CallServerSnapshot, DirectoryEntry, EffectEnd, Reply, Snapshot};
use futures_util::future::BoxFuture;
use operations::Action;
use serde::{Deserialize, Serialize};

/// The call servers that are managed, and the way to them.
pub trait ManagedSites: Send + Sync + 'static {
    /// The call servers, in the order of the network file.
    fn members(&self) -> Vec<ManagedCallServer>;

    /// What is known of every box, by name.
    fn boxes(&self) -> BTreeMap<String, DirectoryEntry>;

    /// Sends a command to a call server, at once. [`Reply::Silent`] when nothing comes back.
    fn command(&self, name: &str, action: &Action) -> BoxFuture<'static, Reply>;

    /// Waits for the end of a command that a call server [accepted](Reply::Accepted) with this ticket. Asked once for each.
    fn effect(&self, name: &str, ticket: u64) -> BoxFuture<'static, EffectEnd>;

    /// Takes note of a command: once as it goes out, once when it is accepted if its effect takes its time, and once when it is
    /// over.
    fn note(&self, note: CommandNote);
}

/// A call server of the network file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedCallServer {
    /// The site's name for its only call server, else `site.blade`.
    pub name: String,
    pub site: String,
}

/// A call server as `GET /v1/sites` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallServerView {
    pub name: String,
    pub site: String,
    pub state: BoxState,
    /// As the call server last showed itself, at most a second ago; null before the first time.
    pub snapshot: Option<CallServerSnapshot>,
}

/// The answer to `GET /v1/sites`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallServerViews {
    pub sites: Vec<CallServerView>,
}

/// The answer to a request that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
