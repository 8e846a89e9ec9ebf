//! Words to whoever started a program. A terminal, pipe or disk that takes no more of them ends no program: `println!` and
//! `eprintln!` would.

use std::fmt::Display;
use std::io::Write as _;

/// Prints a line to the standard output.
pub fn say(line: impl Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Prints a line to the standard error output.
pub fn complain(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Formats as `println!` does, and [says](say) it.
#[macro_export]
macro_rules! say {
    ($($words:tt)*) => { $crate::say(format_args!($($words)*)) };
}

/// Formats as `eprintln!` does, and [complains](complain) of it.
#[macro_export]
macro_rules! complain {
    ($($words:tt)*) => { $crate::complain(format_args!($($words)*)) };
}
