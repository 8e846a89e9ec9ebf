//! What the command lines of the three programs share: options, records, exit codes.
//!
//! A program describes its boxes and calls [`serve()`]; everything that is the same for `switch`,
//! `psap-mock` and `load-gen` happens here.

mod args;
mod clips;
mod limited_file;
pub mod manage;
pub mod metrics;
mod random_text;
mod record_keeper;
mod record_sink;
mod serve;
mod standard_output;
mod tls;
mod trace_file;

pub use args::{BoxArgs, FileArgs, LogArgs, TraceArgs, key_value};
pub use clips::load_clips;
pub use random_text::random_text;
pub use record_keeper::{RecordKeeper, ToServe};
pub use record_sink::RecordSink;
pub use serve::{serve, serve_managed, socket_limits};
pub use standard_output::{UNTOLD, complain, finish, say, say_painted};
pub use tls::{
    CertificateState, KeyFile, LabCertificate, ServerIdentity, Subject, TlsArgs,
    make_lab_certificates,
};

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use topology::Problems;

/// Exit code of a mistake in the command line or a file.
pub const USAGE: u8 = 2;

/// Reads the command line. The error is the exit code when there is nothing to do, or it makes no sense; that was said.
///
/// # Errors
/// A mistake, or a request for help.
pub fn parse<P: Parser>() -> Result<P, ExitCode> {
    P::try_parse().map_err(|told| {
        standard_output::note(told.print().and_then(|()| std::io::stdout().flush()));
        ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(USAGE))
    })
}

/// Prints every mistake on a line of its own.
#[must_use]
pub fn refuse(problems: &Problems) -> ExitCode {
    crate::complain!("{problems}");
    ExitCode::from(USAGE)
}

/// Prints an error with its causes.
#[must_use]
pub fn fail(error: &anyhow::Error, code: u8) -> ExitCode {
    crate::complain!("error: {error:#}");
    ExitCode::from(code)
}
