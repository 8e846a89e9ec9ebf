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
    Access, AccessFile, Canaries, CommandLog, CommandNote, HttpListener, Intervention, Listening,
    LiveFeed, ManagedCallServer, ManagedSites, NetworkView, Token,
};
use crate::{ServerIdentity, TlsArgs};

/// Whether a program can be managed, and where.
#[derive(Debug, Clone, Args)]
pub struct ManageArgs {
    /// Let operators manage the sites at this address: port 0 takes any free port; see tocsin ctl
    #[arg(long, value_name = "ADDRESS")]
    pub manage: Option<SocketAddr>,
    /// Write the address and the token of this start into this file, for its owner alone
    #[arg(long, value_name = "FILE", default_value = "manage.json", requires = "manage")]
    pub manage_file: PathBuf,
    /// Let --manage listen beyond loopback without TLS: the token crosses the network as clear text
    #[arg(long, requires = "manage", conflicts_with = "certificate")]
    pub manage_in_clear: bool,
    #[command(flatten)]
    pub tls: TlsArgs,
}

/// A management plane that is about to begin: its address is bound, and its file written.
#[derive(Debug)]
pub struct Management {
    listener: HttpListener,
    token: Token,
    file: AccessFile,
    /// Of its certificate, in lines.
    told: Vec<String>,
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
    /// The address cannot be had; a file cannot be written, or is no certificate.
    pub fn open(&self) -> anyhow::Result<Option<Management>> {
        let Some(address) = self.manage else {
            if self.tls.certificate.is_some() {
                bail!("--certificate is for --manage: say at which address to listen");
            }
            return Ok(None);
        };
        let identity = match self.manage_in_clear {
            true => None,
            false => self.tls.identity(address, &self.manage_file.with_extension("pem"))?,
        };
        Management::open(address, &self.manage_file, identity).map(Some)
    }
}

impl Management {
    /// Binds `address`, draws a token, and writes both into `file`, with the fingerprint of whoever it is there.
    ///
    /// # Errors
    /// One of these cannot be done.
    pub fn open(
        address: SocketAddr,
        file: &Path,
        identity: Option<ServerIdentity>,
    ) -> anyhow::Result<Self> {
        let listener = HttpListener::bind(address, "management")?;
        let token = Token::draw()?;
        let told = identity.as_ref().map(|it| it.told().to_vec()).unwrap_or_default();
        let fingerprint = identity.as_ref().map(|it| it.fingerprint().to_owned());
        let access = Access { address: listener.address(), token: token.clone(), fingerprint };
        let file = AccessFile::create(file, access)?;
        Ok(Self { listener: listener.secured(identity), token, file, told })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// What the person who starts it is to know of its certificate, in lines.
    #[must_use]
    pub fn told(&self) -> &[String] {
        &self.told
    }

    /// Begins to answer. To be called inside a runtime.
    ///
    /// # Errors
    /// The runtime cannot take the socket.
    pub fn serve(self, sites: Arc<dyn ManagedSites>) -> anyhow::Result<Managed> {
        let Self { listener, token, file, .. } = self;
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
    command_log: CommandLog,
}

impl OwnBoxes {
    pub(crate) fn new(
        members: Vec<ManagedCallServer>,
        directory: Directory,
        console: Console,
        network: NetworkView,
        feed: LiveFeed,
    ) -> Self {
        let (canaries, command_log) = (Canaries::default(), CommandLog::default());
        Self { members, directory, console, network, feed, canaries, command_log }
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

    fn command_log(&self) -> &CommandLog {
        &self.command_log
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
    fn beyond_loopback_management_speaks_tls_unless_clear_text_is_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let args = |manage_in_clear, manage: &str| ManageArgs {
            manage: Some(manage.parse().expect("an address")),
            manage_file: folder.path().join("manage.json"),
            manage_in_clear,
            tls: TlsArgs::default(),
        };
        let fingerprint = |in_clear, address: &str| {
            let opened = args(in_clear, address).open().expect("an address").expect("managed");
            let access = Access::read(&folder.path().join("manage.json")).expect("a file");
            assert_eq!(opened.told().is_empty(), access.fingerprint.is_none());
            access.fingerprint
        };
        assert_eq!(fingerprint(false, "127.0.0.1:0"), None);
        assert_eq!(fingerprint(true, "0.0.0.0:0"), None);
        let own = fingerprint(false, "0.0.0.0:0").expect("TLS");
        assert_eq!(fingerprint(false, "0.0.0.0:0"), Some(own), "it is kept");
        let files = TlsArgs { certificate: Some("x.pem".into()), key: Some("x.pem".into()) };
        let unmanaged = ManageArgs { manage: None, tls: files, ..args(false, "127.0.0.1:0") };
        let error = unmanaged.open().expect_err("refused").to_string();
        assert!(error.contains("--certificate is for --manage"), "{error}");
    }
}
