//! Sites whose commands are remembered, and told to whoever watches.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::{CallsWanted, DirectoryEntry, EffectEnd, Reply};
use futures_util::future::BoxFuture;
use operations::Action;

use super::{
    Canaries, ChronicleKind, CommandLog, CommandNote, Intervention, LiveFeed, ManagedCallServer,
    ManagedSites, NetworkView,
};

/// Sites whose commands are remembered.
pub(super) struct LoggedSites(pub(super) Arc<dyn ManagedSites>);

impl ManagedSites for LoggedSites {
    fn members(&self) -> Vec<ManagedCallServer> {
        self.0.members()
    }

    fn boxes(&self) -> BTreeMap<String, DirectoryEntry> {
        self.0.boxes()
    }

    fn command(&self, name: &str, action: &Action) -> BoxFuture<'static, Reply> {
        self.0.command(name, action)
    }

    fn show_calls(&self, name: &str, wanted: CallsWanted) -> BoxFuture<'static, Reply> {
        self.0.show_calls(name, wanted)
    }

    fn effect(&self, name: &str, ticket: u64) -> BoxFuture<'static, EffectEnd> {
        self.0.effect(name, ticket)
    }

    fn network(&self) -> &NetworkView {
        self.0.network()
    }

    fn feed(&self) -> &LiveFeed {
        self.0.feed()
    }

    fn canaries(&self) -> &Canaries {
        self.0.canaries()
    }

    fn command_log(&self) -> &CommandLog {
        self.0.command_log()
    }

    fn intervene(&self, what: Intervention) -> BoxFuture<'static, Result<String, String>> {
        self.0.intervene(what)
    }

    fn note(&self, note: CommandNote) {
        let CommandNote { by, name, action, result, .. } = &note;
        let told = match result {
            None => format!("{by}: {name}: {action}: given"),
            Some(result) => format!("{by}: {name}: {action}: {result}"),
        };
        self.feed().tell(ChronicleKind::Command, None, &told);
        self.command_log().note(&note);
        self.0.note(note);
    }
}
