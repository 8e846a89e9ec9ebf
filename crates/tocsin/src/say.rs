//! Words to whoever started the program.

use std::fmt::Display;
use std::io::Write as _;

/// Prints a line. A terminal or a pipe that is gone takes nothing, and ends no run: what was measured is in its folder.
pub(crate) fn say(line: impl Display) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
