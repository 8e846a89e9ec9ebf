//! The way to the management plane of a network that runs.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use cli::manage::{
    Access, AuthorRequest, CallServerView, CallServerViews, CommandLogView, CommandRequest,
    CommandResults, DoneView, ErrorBody, LoadRequest, LoggedCommand, StateView,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::StatusCode;
use ureq::http::header::AUTHORIZATION;
use ureq::{Agent, Body};

/// How long the plane may take to say what it knows, and longer than the sites to say what they answered.
const PATIENCE: Duration = Duration::from_secs(10);

/// The effect of a command takes a day at most.
const LONGEST_EFFECT: Duration = Duration::from_secs(24 * 3_600);

/// The longest answer: hundreds of boxes are shorter.
const LONGEST_ANSWER: u64 = 16 << 20;

pub(crate) struct Client {
    access: Access,
    agent: Agent,
}

impl Client {
    /// Reads where the network is managed.
    pub(crate) fn open(file: &Path) -> anyhow::Result<Self> {
        let access = Access::read(file).context("no network is managed there")?;
        let settings = Agent::config_builder()
            // The token is for this address and for nobody on the way.
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false);
        Ok(Self { access, agent: settings.build().new_agent() })
    }

    pub(super) fn sites(&self) -> anyhow::Result<Vec<CallServerView>> {
        let request = self.agent.get(self.url("sites"));
        let request = request.header(AUTHORIZATION, self.access.token.credentials());
        let request = request.config().timeout_global(Some(PATIENCE)).build();
        self.answer::<CallServerViews>(request.call()).map(|views| views.sites)
    }

    /// What was commanded of late, by whomever.
    pub(crate) fn log(&self) -> anyhow::Result<Vec<LoggedCommand>> {
        let request = self.agent.get(self.url("command-log"));
        let request = request.header(AUTHORIZATION, self.access.token.credentials());
        let request = request.config().timeout_global(Some(PATIENCE)).build();
        self.answer::<CommandLogView>(request.call()).map(|view| view.commands)
    }

    pub(super) fn command(&self, asked: &CommandRequest) -> anyhow::Result<CommandResults> {
        let effect = if asked.wait { asked.effect_timeout } else { Duration::ZERO };
        let longest = PATIENCE + asked.timeout + effect;
        self.post("commands", asked, longest)
    }

    /// The network, and its run, at this moment.
    pub(super) fn state(&self) -> anyhow::Result<StateView> {
        let request = self.agent.get(self.url("state"));
        let request = request.header(AUTHORIZATION, self.access.token.credentials());
        let request = request.config().timeout_global(Some(PATIENCE)).build();
        self.answer(request.call())
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
        let request = self.agent.delete(self.url(&format!("faults/{number}")));
        let request = request.header(AUTHORIZATION, self.access.token.credentials());
        let request = request.config().timeout_global(Some(PATIENCE)).build();
        let asked = serde_json::to_string(&AuthorRequest { by: Some(by) })?;
        self.answer(request.force_send_body().send(asked))
    }

    /// Changes the load of the run.
    pub(super) fn load(&self, asked: &LoadRequest) -> anyhow::Result<DoneView> {
        self.post("load", asked, PATIENCE)
    }

    fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        asked: &impl Serialize,
        longest: Duration,
    ) -> anyhow::Result<T> {
        let request = self.agent.post(self.url(path));
        let request = request.header(AUTHORIZATION, self.access.token.credentials());
        let request = request.config().timeout_global(Some(longest)).build();
        self.answer(request.send(serde_json::to_string(asked)?))
    }

    fn url(&self, what: &str) -> String {
        format!("http://{}/v1/{what}", self.access.address)
    }

    fn answer<T: DeserializeOwned>(
        &self,
        answer: Result<ureq::http::Response<Body>, ureq::Error>,
    ) -> anyhow::Result<T> {
        let address = self.access.address;
        let mut answer = answer
            .with_context(|| format!("no network is managed there: {address} does not answer"))?;
        let status = answer.status();
        if status == StatusCode::UNAUTHORIZED {
            bail!("no network is managed there: {address} belongs to another one by now");
        }
        let limited = answer.body_mut().with_config().limit(LONGEST_ANSWER);
        let text =
            limited.read_to_string().with_context(|| format!("{address} stopped talking"))?;
        if !status.is_success() {
            let trouble = serde_json::from_str::<ErrorBody>(&text);
            bail!("{}", trouble.map_or_else(|_| format!("{address}: {status}"), |it| it.error));
        }
        serde_json::from_str(&text).with_context(|| format!("{address} is no management plane"))
    }
}
