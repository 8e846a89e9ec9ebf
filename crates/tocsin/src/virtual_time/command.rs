//! Runs in virtual time from the command line to the exit code: as many at once as there are cores.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use campaign::{Campaign, Time};
use cli::FileArgs;
use run_folder::{ClosedRun, Folder, Receipt, command_line};
use topology::Topology;

use super::forecast::Forecast;
use super::options::VirtualTimeOptions;
use super::task::{RunTask, tasks};
use super::virtual_run;
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
    let folder = match Folder::create(options.runs, &campaign.name) {
        Ok(folder) => folder,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    match run_campaign(options, &folder, campaign, tasks) {
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
    tasks: Vec<RunTask>,
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
            count(tasks.len()),
        );
    }
    let runs = run_all(options, folder, &tasks, &interruptions)?;
    let told = run_folder::publish(folder, campaign, runs, Time::Virtual, world::START);
    cli::say("");
    Ok(tell(&told, folder.path()))
}

/// Runs all tasks, as many at once as there are cores.
fn run_all(
    options: &VirtualTimeOptions<'_>,
    folder: &Folder,
    tasks: &[RunTask],
    interruptions: &AtomicU32,
) -> anyhow::Result<Vec<ClosedRun>> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let next = Mutex::new(0..tasks.len());
    let done = Mutex::new(Vec::new());
    let workers = cores.min(tasks.len());
    let forecast = Forecast::new(tasks.iter().map(|task| task.campaign.duration()), workers);
    std::thread::scope(|scope| {
        if !options.quiet {
            scope.spawn(|| forecast.tell(|line| cli::say!("{line}")));
        }
        for _ in 0..workers {
            scope.spawn(|| {
                let _worker = forecast.worker();
                loop {
                    let Some(index) = next.lock().ok().and_then(|mut next| next.next()) else {
                        return;
                    };
                    let quiet = options.quiet || tasks.len() > 1;
                    let run = virtual_run::run(
                        &tasks[index],
                        folder,
                        quiet,
                        options.records,
                        interruptions,
                        forecast.reached(index),
                    );
                    if !options.quiet
                        && tasks.len() > 1
                        && let Ok(run) = &run
                    {
                        cli::say!("{}", run.outcome.line());
                    }
                    if let Ok(mut done) = done.lock() {
                        done.push((index, run));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, run)| run).collect()
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
