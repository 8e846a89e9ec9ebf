//! After the run: records and state to summary, report and exit code.

use load_gen::summary::Books;

use super::Prepared;
use super::folder::Folder;
use crate::archive::{self, Ending, Receipt, State};
use cli::say;

/// Writes everything that is left of a run, prints the report, and returns the exit code. What the disk refuses is
/// missing in the folder and a reason in the report.
pub(crate) fn conclude(prepared: &Prepared, folder: &Folder, state: State) -> u8 {
    let kept = state.keep(folder);
    let files: Vec<_> = state.record_files.iter().map(|file| folder.path().join(file)).collect();
    let mut books = Books::open(state.rules(&prepared.campaign));
    books.read(&files);
    let (zero_us, took) = (state.started_us, state.elapsed);
    let mut outcome = archive::close(Ending {
        campaign: &prepared.campaign,
        topology: &prepared.topology,
        name: "run".to_owned(),
        title: "on real sockets".to_owned(),
        state,
        books,
        took,
        archive: Some(folder),
    });
    if let Err(error) = kept {
        archive::degrade(&mut outcome.summary, format!("{error:#}"));
    }
    let text = archive::publish(folder, &prepared.campaign, &mut outcome, zero_us);
    if let Err(error) = Receipt::update(folder, &outcome.summary) {
        cli::complain!("error: {error:#}");
    }
    say(format_args!("\n{text}\nrun folder: {}", folder.path().display()));
    outcome.summary.exit_code()
}
