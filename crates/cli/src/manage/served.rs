//! The management plane of boxes in this process, as the options of a program ask for it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use contract::{BoxOrder, CallsWanted, DirectoryEntry, EffectEnd, Reply};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use node::{Console, Directory};
use operations::Action;

use super::{
    Access, AccessFile, Canaries, CommandNote, HttpListener, Intervention, Listening, LiveFeed,
    ManagedCallServer, ManagedSites, NetworkView, Token,
};

/// Whether a program can be managed, and where.
#[derive(Debug, Clone, Args)]
pub struct ManageArgs {
    /// Let operators manage the sites at this address: port 0 takes any free port; see tocsin ctl
    #[arg(long, value_name = "ADDRESS")]
    pub manage: Option<SocketAddr>,
    /// Write the address and the token of this start into this file, for its owner alone
    #[arg(long, value_name = "FILE", default_value = "manage.json", requires = "manage")]
    pub manage_file: PathBuf,
    /// Let --manage listen beyond loopback: the token crosses the network as clear text
    #[arg(long, requires = "manage")]
    pub manage_in_clear: bool,
}

/// A management plane that is about to begin: its address is bound, and its file written.
#[derive(Debug)]
pub struct Management {
    listener: HttpListener,
    token: Token,
    file: AccessFile,
}

/// A management plane as long as this is kept.
#[derive(Debug)]
#[must_use = "it ends when dropped"]
pub struct Managed {
    _listening: Listening,
    _file: AccessFile,
}

impl ManageArgs {
    /// Opens what is asked for, if anything.
    ///
    /// # Errors
    /// The address cannot be had, or is not on loopback; the file cannot be written.
    pub fn open(&self) -> anyhow::Result<Option<Management>> {
        let Some(address) = self.manage else { return Ok(None) };
        if !address.ip().is_loopback() && !self.manage_in_clear {
            bail!(
                "--manage {address}: the token would cross the network as clear text; listen on 127.0.0.1 and reach it \
                 through ssh -L, or say --manage-in-clear"
            );
        }
        Management::open(address, &self.manage_file).map(Some)
    }
}

impl Management {
    /// Binds `address`, draws a token, and writes both into `file`.
    ///
    /// # Errors
    /// One of these cannot be done.
    pub fn open(address: SocketAddr, file: &Path) -> anyhow::Result<Self> {
        let listener = HttpListener::bind(address, "management")?;
        let token = Token::draw()?;
        let access = Access { address: listener.address(), token: token.clone() };
        let file = AccessFile::create(file, access)?;
        Ok(Self { listener, token, file })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Begins to answer. To be called inside a runtime.
    ///
    /// # Errors
    /// The runtime cannot take the socket.
    pub fn serve(self, sites: Arc<dyn ManagedSites>) -> anyhow::Result<Managed> {
        let Self { listener, token, file } = self;
        Ok(Managed { _listening: listener.serve(sites, token)?, _file: file })
    }
}

/// The boxes that [`node::serve()`] runs in this process.
pub(crate) struct OwnBoxes {
    members: Vec<ManagedCallServer>,
    directory: Directory,
    console: Console,
    network: NetworkView,
    feed: LiveFeed,
    canaries: Canaries,
}

impl OwnBoxes {
    pub(crate) fn new(
        members: Vec<ManagedCallServer>,
        directory: Directory,
        console: Console,
        network: NetworkView,
        feed: LiveFeed,
    ) -> Self {
        Self { members, directory, console, network, feed, canaries: Canaries::default() }
    }
}

impl ManagedSites for OwnBoxes {
    fn members(&self) -> Vec<ManagedCallServer> {
        self.members.clone()
    }

    fn boxes(&self) -> BTreeMap<String, DirectoryEntry> {
        self.directory.entries()
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
        let CommandNote { by, name, action, result, .. } = note;
        match result {
            None => tracing::warn!(by, call_server = name, %action, "commanded"),
            Some(result) => {
                tracing::warn!(by, call_server = name, %action, ?result, "command over");
            }
        }
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

    fn intervene(&self, _: Intervention) -> BoxFuture<'static, Result<String, String>> {
        let what = "no campaign runs here: faults and load are for tocsin run, which starts and kills processes";
        std::future::ready(Err(what.to_owned())).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_loopback_management_must_be_asked_for_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let args = |manage_in_clear, manage: &str| ManageArgs {
            manage: Some(manage.parse().expect("an address")),
            manage_file: folder.path().join("manage.json"),
            manage_in_clear,
        };
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
            let error = args(false, address).open().expect_err("refused").to_string();
            assert!(error.contains("--manage-in-clear"), "{error}");
        }
        assert!(args(false, "127.0.0.1:0").open().expect("loopback").is_some());
        assert!(args(true, "0.0.0.0:0").open().expect("asked for").is_some());
    }
}
