//! `psap-mock NETWORK.toml`: the answering points as a program of their own.

use std::process::ExitCode;

use clap::Parser;
use psap_program::{PsapArgs, run};

#[derive(Debug, Parser)]
#[command(version, about = "Serves the answering points of a network")]
struct Cli {
    #[command(flatten)]
    args: PsapArgs,
}

fn main() -> ExitCode {
    cli::finish(cli::parse::<Cli>().map_or_else(|code| code, |cli| run(&cli.args)))
}
