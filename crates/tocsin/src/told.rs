//! The last words of a run.

use std::path::Path;

use cli::say;
use run_folder::Published;

/// Prints the report of the run in `folder` and where it is; returns the exit code of the run.
pub(crate) fn tell(published: &Published, folder: &Path) -> u8 {
    say(format_args!("{}\nrun folder: {}", published.text, folder.display()));
    published.exit_code
}
