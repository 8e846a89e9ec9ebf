//! `tocsin`: one program with the three programs of the network inside it.

mod bench;
mod check;
mod control_room;
mod ctl;
mod defects;
mod outcome;
mod replay;
mod run;
mod say;
mod screen;
mod webhook;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A tenth of the time of a call goes into memory; this takes less of it than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(version, about = "Emulates an emergency telephone network, and breaks it on purpose")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Bench(bench::BenchArgs),
    Check(check::CheckArgs),
    Ctl(ctl::CtlArgs),
    Defects(defects::DefectsArgs),
    Switch(switch::program::SwitchArgs),
    Psap(psap_mock::program::PsapArgs),
    Load(load_gen::program::LoadArgs),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Check(args) => check::check(&args),
        Command::Ctl(args) => ctl::run(&args),
        Command::Defects(args) => defects::defects(&args),
        Command::Switch(args) => switch::program::run(&args),
        Command::Psap(args) => psap_mock::program::run(&args),
        Command::Load(args) => load_gen::program::run(&args),
    }
}
