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
    run(&Cli::parse().args)
}
