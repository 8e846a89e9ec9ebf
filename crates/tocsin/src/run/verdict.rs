//! After the run: records and state to summary, report and exit code.

use cli::say;
use run_folder::{Folder, RunState};

use super::prepared::Prepared;
use crate::told::tell;

/// Writes everything that is left of a run, prints the report, and returns the exit code.
pub(crate) fn conclude(prepared: &Prepared, folder: &Folder, mut state: RunState) -> u8 {
    if let Err(error) = state.keep(folder) {
        state.degraded.push(format!("{error:#}"));
    }
    let told = run_folder::finish(folder, &prepared.campaign, &prepared.topology, state);
    say("");
    tell(&told, folder.path())
}
