//! Lines that show how far a run in virtual time is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use load_gen::Progress;
use world::VirtualNetwork;

use super::listener::BoxListener;
use super::task::RunTask;

/// Between two lines, in virtual time.
const INTERVAL: Duration = Duration::from_secs(30 * 60);

/// Shows how far a run is, unless it is quiet.
pub(super) struct ProgressLines<'a> {
    /// How far it is, in virtual milliseconds.
    reached: &'a AtomicU64,
    progress: Progress,
    call_servers: Vec<String>,
    next: Option<Duration>,
}

impl<'a> ProgressLines<'a> {
    pub(super) fn new(task: &RunTask, quiet: bool, reached: &'a AtomicU64) -> Self {
        let call_servers: Vec<String> =
            task.topology.call_servers().map(|one| one.name.clone()).collect();
        let progress = Progress::new(call_servers.clone());
        if !quiet {
            cli::say!("{}", progress.header());
        }
        Self { reached, progress, call_servers, next: (!quiet).then_some(INTERVAL) }
    }

    /// Says a line if it is time for one.
    pub(super) fn tell(&mut self, at: Duration, world: &VirtualNetwork<BoxListener>) {
        let millis = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        self.reached.store(millis, Ordering::Relaxed);
        if self.next.is_none_or(|next| at < next) {
            return;
        }
        self.next = Some(at + INTERVAL);
        let taken = |name: &String| match world.is_alive(name) {
            true => world.call_server(name).counts.offered,
            false => 0,
        };
        let taken: Vec<u64> = self.call_servers.iter().map(taken).collect();
        cli::say!("{}", self.progress.line(at, &world.generator(), &taken));
    }
}
