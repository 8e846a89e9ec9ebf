//! Many runs in virtual time, as many at once as there are cores.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use account::summary::SeedResult;
use run_folder::{ClosedRun, Folder};

use super::forecast::Forecast;
use super::options::VirtualTimeOptions;
use super::task::RunTask;
use super::virtual_run;

/// What became of a task.
#[derive(Debug)]
pub(super) enum Done {
    Whole(Box<ClosedRun>),
    /// Of a task that is there for its figures only.
    Figures(SeedResult),
    /// It was there for its figures, and was interrupted.
    NotMade,
}

/// Where runs are made.
#[derive(Debug)]
pub(super) struct Pool<'a> {
    pub(super) options: &'a VirtualTimeOptions<'a>,
    pub(super) folder: &'a Folder,
    pub(super) interruptions: &'a AtomicU32,
}

impl Pool<'_> {
    /// How many work at so many tasks.
    pub(super) fn workers(tasks: usize) -> usize {
        std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(tasks)
    }

    /// Runs all tasks; what they came to, in their order.
    pub(super) fn run(&self, tasks: &[RunTask]) -> anyhow::Result<Vec<Done>> {
        let next = Mutex::new(0..tasks.len());
        let done = Mutex::new(Vec::new());
        let workers = Self::workers(tasks.len());
        let forecast = Forecast::new(tasks.iter().map(|task| task.campaign.duration()), workers);
        std::thread::scope(|scope| {
            if !self.options.quiet {
                scope.spawn(|| forecast.tell(|line| cli::say!("{line}")));
            }
            for _ in 0..workers {
                scope.spawn(|| {
                    let _worker = forecast.worker();
                    loop {
                        let Some(index) = next.lock().ok().and_then(|mut next| next.next()) else {
                            return;
                        };
                        let run = self.run_one(&tasks[index], &forecast, index, tasks.len() > 1);
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

    fn run_one(
        &self,
        task: &RunTask,
        forecast: &Forecast,
        index: usize,
        has_company: bool,
    ) -> anyhow::Result<Done> {
        if task.figures_only && self.interruptions.load(Ordering::Relaxed) > 0 {
            return Ok(Done::NotMade);
        }
        let quiet = self.options.quiet || has_company;
        let reached = forecast.reached(index);
        let records = self.options.records && !task.figures_only;
        let run = virtual_run::run(task, self.folder, quiet, records, self.interruptions, reached)?;
        if !self.options.quiet && has_company {
            cli::say!("{}", run.outcome.line());
        }
        if !task.figures_only {
            return Ok(Done::Whole(Box::new(run)));
        }
        // Whatever else is known of it goes: there may be hundreds of such runs.
        let seed = run.outcome.seeds.into_iter().next();
        let seed = seed.filter(|_| !run.outcome.summary.interrupted);
        Ok(seed.map_or(Done::NotMade, Done::Figures))
    }
}
