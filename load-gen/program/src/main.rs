//! `load-gen CAMPAIGN.toml`: the callers as a program of their own.

use std::process::ExitCode;

use clap::Parser;
use load_program::{LoadArgs, run};

#[derive(Debug, Parser)]
#[command(version, about = "Places the calls of a campaign against a network that runs already")]
struct Cli {
    #[command(flatten)]
    args: LoadArgs,
}

fn main() -> ExitCode {
    cli::finish(cli::parse::<Cli>().map_or_else(|code| code, |cli| run(&cli.args)))
}
