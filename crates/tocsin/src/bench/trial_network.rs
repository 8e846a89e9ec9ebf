//! What a bench is made of: a network that stays, and callers that come for one trial each.

use std::path::PathBuf;
use std::time::Duration;

use account::bench::Trial;
use account::summary::{Capacity, RunFacts, Summary};
use anyhow::bail;
use campaign::{Campaign, ENVIRONMENT_PREFIX};
use cli::FileArgs;
use contract::{GeneratorSnapshot, ProcessOrder, Snapshot};
use run_folder::Folder;
use telemetry::Rules;
use tokio::time::{Instant, sleep_until};

use super::load::Setup;
use crate::run::{
    CampaignStart, Fleet, InheritedOptions, Interruptions, PlannedProcess, Prepared, TargetNetwork,
    Tier, callers, network, unix_us,
};

/// How long the callers may take to end what they cannot end well, before the trial is cut off: a BYE that nobody answers
/// takes 32 s otherwise.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long the boxes may hold calls after their callers are gone: a lost BYE is sent again after 0.5, 1, 2 and 4 s.
const SETTLE: Duration = Duration::from_secs(15);

/// Boxes show themselves so often.
const SHOWN: Duration = Duration::from_secs(1);

/// How long a target that shows nothing is left alone after a trial that it did not hold. Nobody here knows what it asks for
/// in Retry-After.
const REST: Duration = Duration::from_secs(5);

/// What all processes of a bench have in common.
pub(crate) struct NetworkOptions {
    /// Changes to the network file.
    pub(crate) set: Vec<(String, String)>,
    pub(crate) log: telemetry::LogFormat,
    pub(crate) target: Option<TargetNetwork>,
    pub(crate) since_us: u64,
}

/// A network with its callers.
pub(crate) struct TrialNetwork<'a> {
    folder: &'a Folder,
    setup: Setup,
    options: NetworkOptions,
    /// As its processes were started.
    prepared: Prepared,
    fleet: Fleet,
    interruptions: Interruptions,
    trials: usize,
    /// Of all callers so far.
    counts: GeneratorSnapshot,
    started_us: u64,
    /// Trials that were cut off: their callers have no record of what was in progress.
    cut_off: u64,
}

impl<'a> TrialNetwork<'a> {
    /// Starts the network, unless it runs already. `None` when interrupted before it ran.
    pub(crate) async fn start(
        folder: &'a Folder,
        setup: Setup,
        options: NetworkOptions,
    ) -> anyhow::Result<Option<Self>> {
        let length = Duration::from_secs(1);
        let prepared = prepare(folder, &setup, &options, "bench", 1.0, length)?;
        let mut interruptions = Interruptions::catch()?;
        // On one machine the generator must be the last to starve: otherwise it could only accuse itself.
        let yielding = network(&prepared).into_iter().map(PlannedProcess::yielding);
        let mut fleet = Fleet::idle(yielding.collect());
        for tier in Tier::ALL {
            if !fleet.start_tier(&prepared, folder, &mut interruptions, tier).await? {
                return Ok(None);
            }
        }
        let (counts, started_us) = (GeneratorSnapshot::default(), unix_us());
        let (trials, cut_off) = (0, 0);
        Ok(Some(Self {
            folder,
            setup,
            options,
            prepared,
            fleet,
            interruptions,
            trials,
            counts,
            started_us,
            cut_off,
        }))
    }

    /// Attempts `rate` sessions a second for `length`, and waits for the end of all of them. `None` when interrupted,
    /// or when a process was lost: what is left is another network.
    pub(crate) async fn attempt(
        &mut self,
        stage: &'static str,
        rate: f64,
        length: Duration,
    ) -> anyhow::Result<Option<Trial>> {
        self.trials += 1;
        let name = format!("load-{:02}", self.trials);
        let prepared = prepare(self.folder, &self.setup, &self.options, &name, rate, length)?;
        self.fleet.add(callers(&name, 1, None));
        let (folder, interruptions) = (self.folder, &mut self.interruptions);
        if !self.fleet.start_tier(&prepared, folder, interruptions, Tier::Load).await? {
            return Ok(None);
        }
        let start = CampaignStart::set(&prepared, &self.fleet);
        let end = start.instant + length + self.setup.drain() + PATIENCE;
        self.watch(end).await;
        let counts = self.fleet.generator(&name);
        counts.iter().for_each(|counts| self.counts += counts);
        if self.interruptions.seen() || !self.fleet.losses().is_empty() {
            return Ok(None);
        }
        let Some(counts) = counts else {
            bail!(
                "the callers of trial {} said nothing; see {}",
                self.trials,
                folder.log(&name).display()
            );
        };
        let summary = self.judge(&prepared, &name, &counts, start.us, length);
        self.cut_off += u64::from(summary.ledger.in_progress > 0);
        Ok(Some(Trial::new((self.trials, stage), rate, length, &summary, &counts)))
    }

    /// Waits until the callers are gone; those that are left at `end` are cut off.
    async fn watch(&mut self, end: Instant) {
        let mut stopped = false;
        while self.fleet.is_loading() {
            tokio::select! {
                () = self.fleet.next() => {}
                () = self.interruptions.next() => {
                    let urgent = self.interruptions.are_urgent();
                    self.fleet.order(Tier::Load, if urgent { &ProcessOrder::Stop } else { &ProcessOrder::Drain });
                }
                () = sleep_until(end), if !stopped => {
                    stopped = true;
                    self.fleet.order(Tier::Load, &ProcessOrder::Stop);
                }
            }
        }
    }

    /// What the callers of one trial say. The other boxes are heard at the end of the bench.
    fn judge(
        &self,
        prepared: &Prepared,
        name: &str,
        counts: &GeneratorSnapshot,
        started_us: u64,
        length: Duration,
    ) -> Summary {
        let groups = prepared.topology.trunk_groups.iter();
        let unrecorded = groups.map(|group| group.name.clone()).collect();
        let mut run = self.run(prepared, counts.clone(), started_us, length);
        run.rules = Rules { unrecorded, ..prepared.campaign.rules() };
        run.generator_messages = run.messages.get(name).cloned().unwrap_or_default();
        let own = run.processes.iter().filter(|process| process.name == name);
        run.generator_cpu_s = own.map(|process| process.user_s + process.system_s).sum();
        Summary::of(run, &[self.folder.records(name)])
    }

    fn run<'p>(
        &self,
        prepared: &'p Prepared,
        generators: GeneratorSnapshot,
        started_us: u64,
        duration: Duration,
    ) -> RunFacts<'p> {
        RunFacts {
            started_us,
            duration,
            capacity: Capacity::of(&prepared.topology),
            processes: self.fleet.usage(),
            messages: self.fleet.messages(),
            refused_without_port: self
                .fleet
                .counted(|shown| shown.media().map_or(0, |media| media.refused)),
            lost: self.fleet.lost_boxes(),
            ..RunFacts::new(&prepared.campaign, &prepared.topology.name, generators)
        }
    }

    /// Waits until no box holds a call any more, or longer than any should, and until no site is left alone any more because
    /// its Retry-After asked for it. Returns which boxes hold how many calls.
    pub(crate) async fn settle(&mut self) -> Vec<(String, u64)> {
        if self.prepared.target.is_some() {
            let end = Instant::now() + REST;
            tokio::select! {
                () = sleep_until(end) => {}
                () = self.interruptions.next() => {}
            }
            return Vec::new();
        }
        let end = Instant::now() + SETTLE;
        let asked = self.prepared.topology.call_servers().map(|one| one.retry_after).max();
        // What is shown now may be a second old.
        let fresh = asked.unwrap_or_default().clamp(SHOWN, SETTLE - SHOWN) + SHOWN / 2;
        let fresh = Instant::now() + fresh;
        loop {
            let held = self.held();
            if (held.is_empty() && Instant::now() >= fresh) || Instant::now() >= end {
                return held;
            }
            tokio::select! {
                () = self.fleet.next() => {}
                () = sleep_until(fresh), if Instant::now() < fresh => {}
                () = sleep_until(end) => {}
                () = self.interruptions.next() => return held,
            }
        }
    }

    /// Calls that boxes have in progress.
    fn held(&self) -> Vec<(String, u64)> {
        let held = |(name, shown): (&String, &Snapshot)| {
            let calls = shown.calls_in_progress()?;
            (calls > 0).then(|| (name.clone(), calls))
        };
        let tiers = [Tier::Psaps, Tier::Sites, Tier::Trunks];
        tiers.into_iter().flat_map(|tier| self.fleet.shown(tier)).filter_map(held).collect()
    }

    /// True once somebody wants the bench to end.
    pub(crate) const fn is_interrupted(&self) -> bool {
        self.interruptions.seen()
    }

    /// Stops the network, and compares what all boxes wrote during the bench. `None` when the network is a target, or when
    /// a trial was cut off and nobody can know the rest.
    pub(crate) async fn finish(mut self) -> (Vec<String>, Option<Summary>) {
        self.fleet.shut_down(&mut self.interruptions).await;
        let losses = self.fleet.losses();
        if self.prepared.target.is_some() || self.cut_off > 0 || self.interruptions.seen() {
            return (losses, None);
        }
        let spent = Duration::from_micros(unix_us().saturating_sub(self.started_us));
        let run = self.run(&self.prepared, self.counts.clone(), self.started_us, spent);
        (losses, Some(Summary::of(run, &self.fleet.record_files(self.folder))))
    }
}

/// Writes the campaign of a trial, and reads it as the processes will.
fn prepare(
    folder: &Folder,
    setup: &Setup,
    options: &NetworkOptions,
    name: &str,
    rate: f64,
    length: Duration,
) -> anyhow::Result<Prepared> {
    let file = format!("{name}.toml");
    folder.write(&file, &setup.campaign(name, rate, length))?;
    let file: PathBuf = folder.path().join(file);
    let NetworkOptions { set, log, target, since_us } = options;
    let files = FileArgs { file: file.clone(), set: set.clone() };
    let (layers, network_layers) = files.campaign_and_network_layers(ENVIRONMENT_PREFIX);
    let (campaign, topology) = Campaign::load_with_network(&file, &layers, &network_layers)?;
    Ok(Prepared {
        args: InheritedOptions {
            campaign_file: file,
            given: set.clone(),
            set: set.clone(),
            shards: 1,
            only: None,
            log: *log,
            hep: None,
            disk_limit: u64::MAX,
        },
        campaign,
        topology,
        target: target.clone(),
        since_us: *since_us,
    })
}
