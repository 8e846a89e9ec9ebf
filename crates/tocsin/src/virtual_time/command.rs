//! Runs in virtual time from the command line to the exit code.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use campaign::{Campaign, Time};
use cli::FileArgs;
use run_folder::{ClosedRun, Folder, Receipt, command_line};
use topology::Topology;

use super::options::VirtualTimeOptions;
use super::pool::{Done, Pool};
use super::sensitivity::Sensitivity;
use super::task::{RunTask, tasks, with_seeds};
use crate::host_limits::host_limits;
use crate::run::{INTERRUPTED, Interruptions};
use crate::told::tell;

/// Runs a campaign and its variants.
pub(crate) fn run(
    options: &VirtualTimeOptions<'_>,
    campaign: &Campaign,
    topology: &Topology,
) -> ExitCode {
    let tasks = match tasks(options, campaign, topology) {
        Ok(tasks) => tasks,
        Err(code) => return code,
    };
    let sensitivity = match options.sensitivity {
        true => match Sensitivity::plan(options, campaign, &tasks) {
            Ok(sensitivity) => Some(sensitivity),
            Err(sentence) => return cli::fail(&anyhow::anyhow!(sentence), cli::USAGE),
        },
        false => None,
    };
    let folder = match Folder::create(options.runs, &campaign.name) {
        Ok(folder) => folder,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    match run_campaign(options, &folder, campaign, &tasks, sensitivity) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            cli::complain!("the run folder is {}", folder.path().display());
            cli::fail(&error, cli::USAGE)
        }
    }
}

fn run_campaign(
    options: &VirtualTimeOptions<'_>,
    folder: &Folder,
    campaign: &Campaign,
    tasks: &[RunTask],
    sensitivity: Option<Sensitivity>,
) -> anyhow::Result<u8> {
    folder.keep_inputs(&options.file.file, campaign)?;
    folder.write("command.txt", &(command_line() + "\n"))?;
    let FileArgs { file, set, .. } = options.file;
    Receipt::begin(folder, campaign, file, set, Time::Virtual, host_limits())?;
    let interruptions = count_interruptions()?;
    for sentence in blast_radius(&tasks[0].campaign, &tasks[0].topology) {
        cli::say!("! {sentence}");
    }
    if !options.quiet {
        let length = topology::format_duration(campaign.duration());
        let calls = campaign.expected_attempts();
        cli::say!(
            "{}: {length} in virtual time, about {calls:.0} callers, {} to run; Ctrl-C ends it",
            campaign.name,
            count(tasks.len() * options.seeds as usize),
        );
    }
    let pool = Pool { options, folder, interruptions: &interruptions };
    let mut runs = run_seeds(&pool, tasks)?;
    if let Some(sensitivity) = sensitivity {
        sensitivity.run(&pool, campaign, &mut runs)?;
    }
    let told = run_folder::publish(folder, campaign, runs, Time::Virtual, world::START);
    cli::say("");
    Ok(tell(&told, folder.path()))
}

/// Runs all tasks, and each of them again for every further seed. What a further seed came to is with the run of the first.
fn run_seeds(pool: &Pool<'_>, tasks: &[RunTask]) -> anyhow::Result<Vec<ClosedRun>> {
    let seeds = pool.options.seeds;
    let mut done = pool.run(&with_seeds(tasks, seeds))?.into_iter();
    let mut runs: Vec<ClosedRun> = Vec::new();
    for done in done.by_ref().take(tasks.len()) {
        let Done::Whole(run) = done else { unreachable!("these are no repetitions") };
        runs.push(*run);
    }
    for (place, done) in done.enumerate() {
        if let Done::Figures(seed) = done {
            runs[place % tasks.len()].outcome.absorb(seed);
        }
    }
    for run in &mut runs {
        let made = run.outcome.seeds.len();
        if made < seeds as usize {
            let sentence = format!("{made} of {seeds} seeds were run: it was interrupted");
            run.outcome.summary.notes.push(sentence);
        }
    }
    Ok(runs)
}

/// What to know before: how much the operations touch at once, and how soon a dead site is found.
pub(crate) fn blast_radius(campaign: &Campaign, topology: &Topology) -> Vec<String> {
    let worst = *topology.pool.detection().end();
    operations::lint::blast_radius(&campaign.operations.operations, &topology.pool_sites(), worst)
}

/// How often SIGINT, SIGTERM or SIGHUP has come: the first one ends the campaign, the second one the put-back too. A third one
/// ends the process.
fn count_interruptions() -> anyhow::Result<Arc<AtomicU32>> {
    let count = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&count);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut interruptions = runtime.block_on(async { Interruptions::catch() })?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            interruptions.next().await;
            seen.store(1, Ordering::Relaxed);
            cli::complain!("interrupted: ending what is in progress; Ctrl-C again stops at once");
            interruptions.next().await;
            seen.store(2, Ordering::Relaxed);
            interruptions.next().await;
            std::process::exit(INTERRUPTED.into());
        });
    });
    Ok(count)
}

fn count(tasks: usize) -> String {
    match tasks {
        1 => "one world".to_owned(),
        more => format!("{more} worlds"),
    }
}
