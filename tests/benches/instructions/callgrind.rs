//! One subject under callgrind.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use system_tests::counted::Subject;
use system_tests::counted::record::collected;

/// The first argument of the process that is counted; the second is the name of the subject.
pub(crate) const RUN: &str = "run";

/// Callgrind counts from the beginning of this function to its end. It returns something, so that no call of its own takes
/// its place.
#[inline(never)]
pub(crate) fn count(work: &mut dyn FnMut()) -> u8 {
    work();
    black_box(0)
}

/// Instructions of one unit of the subject, and its name.
pub(crate) fn instructions(subject: &Subject, folder: &Path) -> anyhow::Result<(String, u64)> {
    let own = std::env::current_exe()?;
    let profile = folder.join(format!("{}.callgrind", subject.name.replace(' ', "-")));
    let mut command = Command::new("valgrind");
    // The environment of a process lies on its stack, and moves what is below.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.args(["--tool=callgrind", "--collect-atstart=no"]);
    command.arg("--toggle-collect=*instructions*callgrind*count*");
    command.arg(format!("--callgrind-out-file={}", profile.display()));
    let output = command.arg(own).args([RUN, subject.name]).output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} did not run: {words}", subject.name);
    let count =
        collected(&words).with_context(|| format!("{}: no count: {words}", subject.name))?;
    ensure!(count > 0, "{}: nothing was counted", subject.name);
    Ok((subject.name.to_owned(), count / subject.units))
}

/// # Errors
/// There is no callgrind.
pub(crate) fn check_installed() -> anyhow::Result<()> {
    let version = Command::new("valgrind").arg("--version").output();
    ensure!(
        version.is_ok_and(|output| output.status.success()),
        "valgrind is not installed: run tests/install-peers.sh, or install the package valgrind"
    );
    Ok(())
}
