//! The way to the management plane of a network that runs.

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use cli::manage::{
    Access, AuthorRequest, CallServerView, CallServerViews, CommandLogView, CommandRequest,
    CommandResults, DoneView, ErrorBody, LoadRequest, LoggedCommand, Method, StateView,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// How long the plane may take to say what it knows, and longer than the sites to say what they answered.
const PATIENCE: Duration = Duration::from_secs(10);

/// The effect of a command takes a day at most.
const LONGEST_EFFECT: Duration = Duration::from_secs(24 * 3_600);

/// Status of an answer to somebody who is not known (RFC 9110 §15.5.2).
const UNAUTHORIZED: u16 = 401;

/// Asks, and waits for what comes back.
pub(crate) struct Client {
    access: Access,
    runtime: Runtime,
}

impl Client {
    /// Reads where the network is managed.
    pub(crate) fn open(file: &Path) -> anyhow::Result<Self> {
        let access = Access::read(file).context("no network is managed there")?;
        let runtime = Builder::new_current_thread().enable_all().build().context("cannot begin")?;
        Ok(Self { access, runtime })
    }

    pub(super) fn sites(&self) -> anyhow::Result<Vec<CallServerView>> {
        self.get("sites").map(|views: CallServerViews| views.sites)
    }

    /// What was commanded of late, by whomever.
    pub(crate) fn log(&self) -> anyhow::Result<Vec<LoggedCommand>> {
        self.get("command-log").map(|view: CommandLogView| view.commands)
    }

    pub(super) fn command(&self, asked: &CommandRequest) -> anyhow::Result<CommandResults> {
        let effect = if asked.wait { asked.effect_timeout } else { Duration::ZERO };
        let longest = PATIENCE + asked.timeout + effect;
        self.post("commands", asked, longest)
    }

    /// The network, and its run, at this moment.
    pub(super) fn state(&self) -> anyhow::Result<StateView> {
        self.get("state")
    }

    /// Gives a command that waits after its canary to the others, which takes what it takes.
    pub(super) fn go_on(&self, id: u64, by: String) -> anyhow::Result<CommandResults> {
        let asked = AuthorRequest { by: Some(by) };
        self.post(&format!("canaries/{id}/continue"), &asked, LONGEST_EFFECT)
    }

    /// Ends a command that waits after its canary.
    pub(super) fn abandon(&self, id: u64, by: String) -> anyhow::Result<DoneView> {
        let asked = AuthorRequest { by: Some(by) };
        self.post(&format!("canaries/{id}/abandon"), &asked, PATIENCE)
    }

    /// Ends a fault that acts.
    pub(super) fn heal(&self, number: u64, by: String) -> anyhow::Result<DoneView> {
        let asked = serde_json::to_string(&AuthorRequest { by: Some(by) })?;
        self.ask(Method::DELETE, &format!("faults/{number}"), Some(asked), PATIENCE)
    }

    /// Changes the load of the run.
    pub(super) fn load(&self, asked: &LoadRequest) -> anyhow::Result<DoneView> {
        self.post("load", asked, PATIENCE)
    }

    fn get<T: DeserializeOwned>(&self, what: &str) -> anyhow::Result<T> {
        self.ask(Method::GET, what, None, PATIENCE)
    }

    fn post<T: DeserializeOwned>(
        &self,
        what: &str,
        asked: &impl Serialize,
        longest: Duration,
    ) -> anyhow::Result<T> {
        self.ask(Method::POST, what, Some(serde_json::to_string(asked)?), longest)
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        what: &str,
        body: Option<String>,
        longest: Duration,
    ) -> anyhow::Result<T> {
        let address = self.access.address;
        let path = format!("/v1/{what}");
        // On a thread of its own: a run asks from inside its runtime.
        let asked = || {
            let asked = self.access.ask(method, &path, body);
            self.runtime.block_on(async { timeout(longest, asked).await })
        };
        let answered = thread::scope(|scope| scope.spawn(asked).join());
        let (status, text) = answered
            .map_err(|_| anyhow!("asking {address} broke off"))?
            .unwrap_or_else(|_| Err(anyhow!("nothing came within {} s", longest.as_secs())))
            .with_context(|| format!("no network is managed there: {address} does not answer"))?;
        if status == UNAUTHORIZED {
            bail!("no network is managed there: {address} belongs to another one by now");
        }
        let text = text.with_context(|| format!("{address} stopped talking"))?;
        if !(200..300).contains(&status) {
            let trouble = serde_json::from_slice::<ErrorBody>(&text);
            bail!("{}", trouble.map_or_else(|_| format!("{address}: {status}"), |it| it.error));
        }
        serde_json::from_slice(&text).with_context(|| format!("{address} is no management plane"))
    }
}
