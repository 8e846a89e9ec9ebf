//! `state.json`: what a run knows of itself beyond the records of its boxes.
//!
//! Replaced each second while the run goes on, so that a report can be made of a run that was killed; its last state is
//! that at its end. Everything that is told of a run comes from its inputs, its records and this.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use account::outcome::OperationsReport;
use account::summary::{Capacity, MachineFigures, ProcessUsage, RunFacts};
use anyhow::Context as _;
use campaign::{Campaign, ENVIRONMENT_PREFIX, Time};
use contract::GeneratorSnapshot;
use serde::{Deserialize, Serialize};
use telemetry::{LostNode, MessageFigures, Rules};
use topology::{Layers, Problems, Topology};

use crate::folder::Folder;
use crate::standing::STATE;

/// The file in the run folder.
const FILE: &str = STATE;

/// What a run knows of itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunState {
    /// In which time it runs.
    #[serde(rename = "world")]
    pub time: Time,
    /// The run came to its end.
    pub ended: bool,
    /// The name of the campaign, which the copy of its file does not give away.
    pub campaign: String,
    pub network: String,
    /// What lies over its files.
    pub set: Vec<(String, String)>,
    /// Keys that name CSV files, and their copies in the run folder.
    pub copies: Vec<(String, String)>,
    pub environment: Vec<(String, String)>,
    /// By the clock of the run, Unix microseconds.
    pub started_us: u64,
    /// By the clock of the run, from the first start to now, or to the end.
    pub elapsed: Duration,
    pub generators: GeneratorSnapshot,
    pub processes: Vec<ProcessUsage>,
    pub messages: BTreeMap<String, MessageFigures>,
    pub refused_without_port: BTreeMap<String, u64>,
    pub ledger_hash: Option<String>,
    pub interrupted: bool,
    pub lost: Vec<LostNode>,
    /// Sentences about what went wrong with the run itself.
    pub degraded: Vec<String>,
    /// When each loss of a process was seen.
    pub losses: Vec<(Duration, String)>,
    /// The network that was called, if it was not started for the run; it writes no records.
    pub target: Option<String>,
    /// Boxes without records, beside those that the campaign names.
    pub unrecorded: Vec<String>,
    /// Share of its core that the generator used at its busiest.
    pub busiest_cpu_share: Option<f64>,
    /// The largest step of the machine's clock.
    pub clock_step: Duration,
    /// The machine at its busiest, where the system tells.
    pub machine: Option<MachineFigures>,
    /// What operators did and supervision saw.
    #[serde(rename = "seen")]
    pub operations: OperationsReport,
    /// Restarts of call servers: when, which, why.
    pub restarts: Vec<(Duration, String, String)>,
    /// When their software began to hang, which, why.
    #[serde(default)]
    pub hangs: Vec<(Duration, String, String)>,
    /// How long each fall had lasted when a trunk group found it: which call server, which trunk group, how long.
    pub detections: Vec<(String, String, Duration)>,
    /// In the run folder.
    pub record_files: Vec<PathBuf>,
}

impl RunState {
    /// Replaces the file at once: it is never half written.
    pub fn keep(&self, folder: &Folder) -> anyhow::Result<()> {
        folder.replace(FILE, &serde_json::to_string(self)?)
    }

    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("cannot read {}: it is no run folder, or its run never began", path.display())
        })?;
        serde_json::from_str(&text).with_context(|| format!("cannot understand {}", path.display()))
    }

    /// Reads the copies of campaign and network in the run folder, with what lay over them.
    pub fn inputs(&self, folder: &Path) -> Result<(Campaign, Topology), Problems> {
        let own = [("network", "network.toml"), ("name", &self.campaign)];
        let own = own.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let set = self.set.iter().chain(&self.copies).cloned().chain(own);
        let (mut network, campaign): (Vec<_>, Vec<_>) =
            set.partition(|(key, _)| topology::is_network_key(key));
        // Of a folder that does not say, the copied file does.
        let name = Some(&self.network).filter(|name| !name.is_empty());
        network.extend(name.map(|name| ("name".to_owned(), name.clone())));
        let layers = |prefix: &str, set: Vec<(String, String)>| {
            let environment = self.environment.iter().cloned();
            Layers::none().with_environment(prefix, environment).with_overrides(set)
        };
        Campaign::load_with_network(
            &folder.join("campaign.toml"),
            &layers(ENVIRONMENT_PREFIX, campaign),
            &layers(topology::ENVIRONMENT_PREFIX, network),
        )
    }

    /// What the ledger takes as normal.
    pub fn rules(&self, campaign: &Campaign) -> Rules {
        let mut rules = campaign.rules();
        rules.unrecorded.extend(self.unrecorded.iter().cloned());
        rules
    }

    /// What a summary wants to know.
    pub fn run<'a>(&self, campaign: &'a Campaign, topology: &'a Topology) -> RunFacts<'a> {
        let load = self.processes.iter().filter(|process| process.name == "load");
        let levels = topology.psaps.iter();
        RunFacts {
            campaign,
            network: &topology.name,
            service_levels: levels.map(|psap| (psap.name.clone(), psap.service_level)).collect(),
            started_us: self.started_us,
            duration: self.elapsed,
            generators: self.generators.clone(),
            generator_cpu_s: load.map(|process| process.user_s + process.system_s).sum(),
            busiest_cpu_share: self.busiest_cpu_share,
            clock_step_us: u64::try_from(self.clock_step.as_micros()).unwrap_or(u64::MAX),
            machine: self.machine,
            capacity: Capacity::of(topology),
            generator_messages: self.messages.get("load").cloned().unwrap_or_default(),
            processes: self.processes.clone(),
            messages: self.messages.clone(),
            refused_without_port: self.refused_without_port.clone(),
            ledger_hash: self.ledger_hash.clone(),
            interrupted: self.interrupted,
            compression: match self.time {
                Time::Real => campaign.compression,
                Time::Virtual => 1.0,
            },
            rules: self.rules(campaign),
            lost: self.lost.clone(),
            degraded: [&self.degraded[..], &self.operations.shortfalls].concat(),
            unsteady: self.operations.unsteady.clone(),
            aborted: self.operations.aborted.clone(),
            by_hand: self.operations.by_hand(),
        }
    }
}

/// The variables of this process that lie over campaigns and networks.
pub fn environment() -> Vec<(String, String)> {
    let layers = [topology::ENVIRONMENT_PREFIX, ENVIRONMENT_PREFIX].map(|one| format!("{one}__"));
    let ours = |(name, _): &(String, String)| layers.iter().any(|one| name.starts_with(one));
    let text = |text: std::ffi::OsString| text.into_string().ok();
    let variables = std::env::vars_os();
    let mut variables: Vec<_> = variables
        .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
        .filter(ours)
        .collect();
    variables.sort();
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_survives_the_way_through_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = Folder::create(folder.path(), "demo").expect("a run folder");
        let mut state = RunState {
            time: Time::Virtual,
            elapsed: Duration::from_millis(1_500),
            restarts: vec![(Duration::from_secs(1), "alpha".to_owned(), "by command".to_owned())],
            ..RunState::default()
        };
        state.generators.lag.record_us(77);
        state.keep(&folder).expect("a file");
        state.keep(&folder).expect("a file in place of the first");
        let back = RunState::load(folder.path()).expect("the state");
        assert_eq!(
            (back.time, back.elapsed, &back.restarts),
            (state.time, state.elapsed, &state.restarts)
        );
        assert_eq!(back.generators.lag_quantiles(), state.generators.lag_quantiles());
        assert!(RunState::load(&folder.path().join("logs")).is_err());
    }
}
