//! Words to whoever started a program. A terminal, pipe or disk that takes no more of them ends no program: `println!` and
//! `eprintln!` would. But a disk that took only a part of them is told at the end, by [`finish`].

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use telemetry::visible;

/// Exit code when the standard output did not take everything, and nothing else is to be said.
pub const UNTOLD: u8 = 4;

/// Why the standard output did not take everything.
static TROUBLE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line to the standard output, without control characters in it.
pub fn say(line: impl Display) {
    note(write_line(&mut io::stdout().lock(), &line.to_string()));
}

/// The same for a text with colours of its own, in which nothing else is hidden.
pub fn say_painted(text: &str) {
    let mut out = io::stdout().lock();
    note(
        out.write_all(text.as_bytes())
            .and_then(|()| out.write_all(b"\n"))
            .and_then(|()| out.flush()),
    );
}

/// Keeps in mind that the standard output did not take something.
pub(crate) fn note(written: io::Result<()>) {
    let Err(error) = written else { return };
    // A reader that has seen enough, such as `head`, goes away: that is no trouble.
    if error.kind() != ErrorKind::BrokenPipe {
        TROUBLE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Prints a line to the standard error output, without control characters in it.
pub fn complain(line: impl Display) {
    let _ = write_line(&mut io::stderr().lock(), &line.to_string());
}

/// In one piece: lines of several processes must not mix.
fn write_line(out: &mut impl Write, line: &str) -> io::Result<()> {
    let line = visible(line) + "\n";
    out.write_all(line.as_bytes())?;
    out.flush()
}

/// The exit code of a program that would end with `code`, once all its words are said: a success of which the standard output
/// did not take everything is none.
#[must_use]
pub fn finish(code: ExitCode) -> ExitCode {
    let trouble = TROUBLE.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(error) = trouble else { return code };
    complain(format_args!(
        "error: the standard output did not take everything: {error}; make room, or give another place"
    ));
    if code == ExitCode::SUCCESS { ExitCode::from(UNTOLD) } else { code }
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
