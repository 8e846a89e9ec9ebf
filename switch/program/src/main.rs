//! `switch NETWORK.toml`: the switch as a program of its own.

use std::process::ExitCode;

use clap::Parser;
use switch_program::{SwitchArgs, run};

#[derive(Debug, Parser)]
#[command(version, about = "Serves the call servers and trunk groups of a network")]
struct Cli {
    #[command(flatten)]
    args: SwitchArgs,
}

fn main() -> ExitCode {
    cli::finish(cli::parse::<Cli>().map_or_else(|code| code, |cli| run(&cli.args)))
}
