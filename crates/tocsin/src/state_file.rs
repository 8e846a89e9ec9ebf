//! Keeps the state of a run in its folder while the run goes on, so that it can be told when it was killed.

use std::time::{Duration, Instant};

use run_folder::{Folder, RunState};

/// Between two states, by the clock on the wall.
const INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct StateFile<'a> {
    folder: &'a Folder,
    next: Instant,
    /// The disk refused a state, which was said once.
    has_complained: bool,
}

impl<'a> StateFile<'a> {
    /// The state file in `folder`, which is due at once.
    pub(crate) fn new(folder: &'a Folder) -> Self {
        Self { folder, next: Instant::now(), has_complained: false }
    }

    /// When the state is to be written next.
    pub(crate) const fn next_due(&self) -> Instant {
        self.next
    }

    /// The time zero of the run has come.
    pub(crate) fn begin(&self) {
        self.folder.begin();
    }

    /// Writes the state as it is now.
    pub(crate) fn keep(&mut self, state: &RunState) {
        self.next = Instant::now() + INTERVAL;
        if let Err(error) = state.keep(self.folder)
            && !std::mem::replace(&mut self.has_complained, true)
        {
            cli::complain!("! the state of the run cannot be kept: {error:#}");
        }
    }
}
