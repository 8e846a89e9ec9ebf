//! `tocsin run` in virtual time: the campaign on the simulated network, and its variants beside it.
//!
//! ```text
//!   campaign, and each variant ──► evening.rs: World + ControlRoom ──► VariantOutcome
//!                                       │                                 │
//!                             summary.json, report.txt      account::outcome: the table of all of them
//! ```

mod evening;
mod ledger_hash;

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use account::outcome::{BASE, VariantOutcome};
use campaign::{Campaign, ENVIRONMENT_PREFIX, Time, Variant};
use cli::FileArgs;
use run_folder::{Folder, Receipt, command_line};
use topology::{Problems, Topology};

/// How to replay.
#[derive(Debug)]
pub(crate) struct Replay<'a> {
    pub(crate) file: &'a FileArgs,
    pub(crate) runs: &'a Path,
    pub(crate) quiet: bool,
    /// Only this variant; `base` is the campaign itself. `None`: all of them.
    pub(crate) variant: Option<&'a str>,
    /// Write the records of all boxes into the run folder.
    pub(crate) records: bool,
}

/// One run to make.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// `base`, or the name of a variant.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) campaign: Campaign,
    pub(crate) topology: Arc<Topology>,
    /// What lies over its files.
    pub(crate) set: Vec<(String, String)>,
    /// Its attempts are written down: those of the first task, of the others there are only figures.
    pub(crate) keeps_attempts: bool,
}

pub(crate) fn replay(replay: &Replay<'_>, campaign: &Campaign, topology: &Topology) -> ExitCode {
    let tasks = match tasks(replay, campaign, topology) {
        Ok(tasks) => tasks,
        Err(code) => return code,
    };
    let folder = match Folder::create(replay.runs, &campaign.name) {
        Ok(folder) => folder,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    match conduct(replay, &folder, campaign, tasks) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            cli::complain!("the run folder is {}", folder.path().display());
            cli::fail(&error, cli::USAGE)
        }
    }
}

/// The campaign and its variants, each read with its own keys set.
fn tasks(
    replay: &Replay<'_>,
    campaign: &Campaign,
    topology: &Topology,
) -> Result<Vec<Task>, ExitCode> {
    let base = Task {
        name: BASE.to_owned(),
        title: campaign.title.clone(),
        campaign: campaign.clone(),
        topology: Arc::new(topology.clone()),
        set: replay.file.set.clone(),
        keeps_attempts: true,
    };
    let mut tasks = vec![base];
    for variant in &campaign.variants {
        tasks.push(variant_of(replay.file, variant).map_err(|problems| {
            cli::complain!("variant {}:", variant.name);
            cli::refuse(&problems)
        })?);
    }
    let Some(wanted) = replay.variant else { return Ok(tasks) };
    let names: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
    tasks.retain(|task| task.name == wanted);
    if tasks.is_empty() {
        cli::complain!(
            "error: --variant {wanted}: no such variant; there are {}",
            names.join(", ")
        );
        return Err(ExitCode::from(cli::USAGE));
    }
    tasks.iter_mut().for_each(|task| task.keeps_attempts = true);
    Ok(tasks)
}

/// Reads the campaign again with the keys of a variant over it. What the command line sets has the last word.
pub(crate) fn variant_of(file: &FileArgs, variant: &Variant) -> Result<Task, Problems> {
    let set = [variant.set.clone(), file.set.clone()].concat();
    let file = FileArgs { file: file.file.clone(), set };
    let (layers, network_layers) = file.campaign_and_network_layers(ENVIRONMENT_PREFIX);
    let (campaign, topology) = Campaign::load_with_network(&file.file, &layers, &network_layers)?;
    let (name, title) = (variant.name.clone(), variant.title.clone());
    let topology = Arc::new(topology);
    Ok(Task { name, title, campaign, topology, set: file.set, keeps_attempts: false })
}

fn conduct(
    replay: &Replay<'_>,
    folder: &Folder,
    campaign: &Campaign,
    tasks: Vec<Task>,
) -> anyhow::Result<u8> {
    folder.keep_inputs(&replay.file.file, campaign)?;
    folder.write("command.txt", &(command_line() + "\n"))?;
    Receipt::begin(folder, campaign, &replay.file.file, &replay.file.set, Time::Virtual)?;
    let stop = interruption()?;
    for sentence in lint(&tasks[0].campaign, &tasks[0].topology) {
        cli::say!("! {sentence}");
    }
    if !replay.quiet {
        let length = topology::format_duration(campaign.duration());
        let calls = campaign.expected_attempts();
        cli::say!(
            "{}: {length} in virtual time, about {calls:.0} callers, {} to run; Ctrl-C ends it",
            campaign.name,
            count(tasks.len()),
        );
    }
    let mut outcomes = run_all(replay, folder, &tasks, &stop)?;
    let told = run_folder::publish(folder, campaign, &mut outcomes, Time::Virtual, world::START);
    cli::say!("\n{}\nrun folder: {}", told.text, folder.path().display());
    Ok(told.exit_code)
}

/// Runs all tasks, as many at once as there are cores.
fn run_all(
    replay: &Replay<'_>,
    folder: &Folder,
    tasks: &[Task],
    stop: &AtomicBool,
) -> anyhow::Result<Vec<VariantOutcome>> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let next = Mutex::new(0..tasks.len());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..cores.min(tasks.len()) {
            scope.spawn(|| {
                loop {
                    let Some(index) = next.lock().ok().and_then(|mut next| next.next()) else {
                        return;
                    };
                    let quiet = replay.quiet || tasks.len() > 1;
                    let outcome = evening::run(&tasks[index], folder, quiet, replay.records, stop);
                    if !replay.quiet
                        && tasks.len() > 1
                        && let Ok(outcome) = &outcome
                    {
                        cli::say!("{}", outcome.line());
                    }
                    if let Ok(mut done) = done.lock() {
                        done.push((index, outcome));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

/// What to know before: how much the operations touch at once, and how soon a dead site is found.
pub(crate) fn lint(campaign: &Campaign, topology: &Topology) -> Vec<String> {
    let worst = *topology.pool.detection().end();
    operations::lint::blast_radius(&campaign.operations.operations, &topology.pool_sites(), worst)
}

/// A flag that SIGINT, SIGTERM or SIGHUP sets; a second one ends the process.
fn interruption() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut interruptions = runtime.block_on(async { crate::run::Interruptions::catch() })?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            interruptions.next().await;
            seen.store(true, Ordering::Relaxed);
            cli::complain!("interrupted: ending what is in progress; Ctrl-C again stops at once");
            interruptions.next().await;
            std::process::exit(crate::run::INTERRUPTED.into());
        });
    });
    Ok(stop)
}

fn count(tasks: usize) -> String {
    match tasks {
        1 => "one world".to_owned(),
        more => format!("{more} worlds"),
    }
}
