//! One campaign from its start to its end in virtual time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use account::outcome::BASE;
use account::summary::ProcessUsage;
use campaign::Time;
use conductor::{Conductor, Stage as _};
use contract::{DirectoryEntry, GeneratorSnapshot, NodeKind};
use load_gen::Shard;
use run_folder::{ClosedRun, EndedRun, Folder, RunState, environment};
use telemetry::MessageFigures;
use world::{Link, START, VirtualNetwork};

use super::kept_messages;
use super::listener::BoxListener;
use super::progress_lines::ProgressLines;
use super::stage::VirtualTime;
use super::task::RunTask;
use crate::state_file::StateFile;

/// Between two boxes, one way: what a national network needs.
const LINK: Link = Link { latency: Duration::from_millis(5), ..Link::CLEAN };

/// Runs one task, and writes what it leaves behind into `folder`.
pub(super) fn run(
    task: &RunTask,
    folder: &Folder,
    quiet: bool,
    records: bool,
    interruptions: &AtomicU32,
    reached: &AtomicU64,
) -> anyhow::Result<ClosedRun> {
    let started = Instant::now();
    let RunTask { campaign, topology, .. } = task;
    let file = match records {
        true => Some(BufWriter::new(File::create(folder.records(&task.name))?)),
        false => None,
    };
    let mut listener = BoxListener::new(campaign.rules(), file);
    listener.intake = listener.intake.putting_aside_in(folder.path());
    let clips = cli::load_clips(&topology.media)?;
    let mut world = VirtualNetwork::new(topology.clone(), clips, LINK, campaign.seed, listener);
    world.net.stop_trace();
    let hub = match task.keeps_attempts {
        true => kept_messages::hub(folder, &task.name, campaign.trace)?,
        false => None,
    };
    hub.iter().for_each(|hub| world.keep_calls(hub.clone()));
    world.start_shard(campaign, task.only.map_or(Shard::WHOLE, Shard::only));
    folder.begin();
    let mut stage = VirtualTime::new(world);
    let mut conductor = Conductor::new(campaign, &topology.pool_sites());
    // Only the campaign itself rings anywhere; its variants would be taken for it.
    if task.name == BASE && !task.figures_only {
        conductor = conductor.posting_alarms(campaign, START);
    }
    let lines = ProgressLines::new(task, quiet, reached);
    // Without records there is nothing to tell a run by that was killed.
    let state_file = (records && task.keeps_attempts).then(|| StateFile::new(folder));
    let interrupted = drive(task, &mut stage, &mut conductor, lines, state_file, interruptions);
    stage.world.drain();
    if let Some(complaint) = conductor.finish_posting() {
        cli::complain!("warning: {complaint}");
    }
    conclude(task, folder, stage.world, &conductor, interrupted, started)
}

/// Conducts until the campaign is over or interrupted, and puts the network back unless it is interrupted again. True when
/// interrupted.
fn drive(
    task: &RunTask,
    stage: &mut VirtualTime,
    conductor: &mut Conductor,
    mut lines: ProgressLines<'_>,
    mut state_file: Option<StateFile<'_>>,
    interruptions: &AtomicU32,
) -> bool {
    let end = task.campaign.duration();
    loop {
        let at = stage.time();
        conductor.work(stage);
        lines.tell(at, &stage.world);
        if let Some(file) = state_file.as_mut().filter(|file| file.next_due() <= Instant::now()) {
            file.keep(&state(task, true, at, stage.world.generator(), conductor));
        }
        if interruptions.load(Ordering::Relaxed) > 0
            || stage.is_drained
            || (at >= end && stage.world.generator().finished)
            || at >= end + task.campaign.drain_timeout
        {
            break;
        }
        pass_time(stage, conductor);
    }
    conductor.end(stage);
    loop {
        conductor.work(stage);
        let count = interruptions.load(Ordering::Relaxed);
        if conductor.is_settled(stage.time()) || count > 1 {
            return count > 0;
        }
        pass_time(stage, conductor);
    }
}

/// Lets time pass until the conductor has something to do.
fn pass_time(stage: &mut VirtualTime, conductor: &mut Conductor) {
    for (id, answer) in stage.run_until(conductor.next_due()) {
        conductor.answered(stage.time(), id, answer);
    }
}

fn conclude(
    task: &RunTask,
    folder: &Folder,
    world: VirtualNetwork<BoxListener>,
    conductor: &Conductor,
    interrupted: bool,
    started: Instant,
) -> anyhow::Result<ClosedRun> {
    let topology = &task.topology;
    let generators = world.generator();
    let lost = world.lost().to_vec();
    let names = topology.call_servers().map(|one| (one.address, one.name.clone()));
    let names: BTreeMap<SocketAddr, String> = names.collect();
    let elapsed = world.net.elapsed();
    let messages = messages(&world);
    let kept = world.kept();
    let BoxListener { intake, hash, restarts, hangs, falls, file } = world.into_listener();
    // Recorders have kept at their end what was due then.
    let messages_dropped = kept.map_or(0, |kept| kept.read().dropped);
    let has_records = file.is_some();
    let flushed = file.map_or(Ok(()), |mut file| file.flush());
    let took = started.elapsed();
    let usage = node::usage();
    let seconds = |micros: u64| micros as f64 / 1e6;
    let name = |at: SocketAddr| names.get(&at).cloned().unwrap_or_default();
    let named = |all: Vec<(Duration, SocketAddr, String)>| -> Vec<(Duration, String, String)> {
        all.into_iter().map(|(at, from, why)| (at, name(from), why)).collect()
    };
    let mut state = RunState {
        ended: true,
        processes: vec![ProcessUsage {
            name: "world".to_owned(),
            user_s: seconds(usage.user_us),
            system_s: seconds(usage.system_us),
            max_rss_kib: usage.max_rss_kib,
            records_dropped: 0,
            messages_dropped,
        }],
        messages,
        ledger_hash: Some(hash.finish()),
        interrupted,
        lost,
        restarts: named(restarts),
        hangs: named(hangs),
        detections: falls
            .into_iter()
            .map(|fall| (fall.call_server, fall.seen_by, fall.silent_for))
            .collect(),
        ..state(task, has_records, elapsed, generators, conductor)
    };
    if let Err(error) = flushed {
        state.degraded.push(format!("the records could not be written: {error}"));
    }
    if task.keeps_attempts
        && let Err(error) = state.keep(folder)
    {
        state.degraded.push(format!("{error:#}"));
    }
    Ok(run_folder::close(EndedRun {
        campaign: &task.campaign,
        topology,
        name: task.name.clone(),
        title: task.title.clone(),
        state,
        intake,
        took,
        archive: task.keeps_attempts.then_some(folder),
    }))
}

/// Messages that came to nothing, under the names that the processes of a run on real sockets have; of boxes that are alive.
fn messages(world: &VirtualNetwork<BoxListener>) -> BTreeMap<String, MessageFigures> {
    let topology = &world.topology;
    let mut all = BTreeMap::new();
    let mut add = |process: String, name: &str, kind: NodeKind| {
        if let Some(shown) = world.shown(kind, name) {
            let entry = DirectoryEntry::listening(kind, world.at(name));
            let entry = DirectoryEntry { snapshot: Some(shown), ..entry };
            *all.entry(process).or_insert_with(MessageFigures::default) += &entry.messages();
        }
    };
    for one in topology.call_servers() {
        add(format!("site-{}", one.site), &one.name, NodeKind::CallServer);
    }
    for group in &topology.trunk_groups {
        add("trunks".to_owned(), &group.name, NodeKind::TrunkGroup);
    }
    for psap in &topology.psaps {
        add(format!("psap-{}", psap.name), &psap.name, NodeKind::Psap);
    }
    all.retain(|_, figures| !figures.is_zero());
    all
}

/// What is known at any time.
fn state(
    task: &RunTask,
    has_records: bool,
    elapsed: Duration,
    generators: GeneratorSnapshot,
    conductor: &Conductor,
) -> RunState {
    RunState {
        time: Time::Virtual,
        campaign: task.campaign.name.clone(),
        network: task.topology.name.clone(),
        set: task.set.clone(),
        copies: Folder::copies(&task.campaign),
        environment: environment(),
        started_us: u64::try_from(START.as_micros()).unwrap_or(u64::MAX),
        elapsed,
        generators,
        operations: conductor.report(),
        record_files: match has_records {
            true => vec![format!("records/{}.jsonl", task.name).into()],
            false => Vec::new(),
        },
        ..RunState::default()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    use campaign::Campaign;
    use topology::Layers;

    use super::*;

    /// The network is put back site after site, a minute apart.
    fn task(folder: &Path) -> RunTask {
        let networks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/networks");
        let network = networks.join("six-sites.toml");
        let campaign = format!(
            r#"
network = {network:?}
[[phases]]
name = "steady"
duration = "1m"
arrivals = {{ model = "constant", rate = 1 }}
[[mix]]
number = "15"
[callers]
talk = "5s"
patience = "30s"
[operations.back]
at = "end"
commands = ["unlock"]
sites = ["alpha", "beta", "gamma"]
interval = "1m"
"#
        );
        let path = folder.join("campaign.toml");
        fs::write(&path, campaign).expect("a file");
        let none = Layers::none();
        let (campaign, topology) = Campaign::load_with_network(&path, &none, &none)
            .unwrap_or_else(|problems| panic!("{problems}"));
        RunTask {
            name: BASE.to_owned(),
            title: String::new(),
            campaign,
            topology: Arc::new(topology),
            only: None,
            set: Vec::new(),
            keeps_attempts: false,
            figures_only: false,
        }
    }

    #[test]
    fn a_second_interruption_ends_the_put_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let task = task(folder.path());
        let settles = |interruptions: u32| {
            let listener = BoxListener::new(task.campaign.rules(), None);
            let clips = cli::load_clips(&task.topology.media).expect("clips");
            let mut world =
                VirtualNetwork::new(Arc::clone(&task.topology), clips, LINK, 1, listener);
            world.start_campaign(&task.campaign);
            let mut stage = VirtualTime::new(world);
            let mut conductor = Conductor::new(&task.campaign, &task.topology.pool_sites());
            let reached = AtomicU64::new(0);
            let lines = ProgressLines::new(&task, true, &reached);
            let count = AtomicU32::new(interruptions);
            assert!(drive(&task, &mut stage, &mut conductor, lines, None, &count));
            conductor.is_settled(stage.time())
        };
        assert!(settles(1));
        assert!(!settles(2));
    }
}
