//! `tocsin`: one program with the three programs of the network inside it.

mod archive;
mod bench;
mod check;
mod control_room;
mod ctl;
mod defects;
mod history;
mod junit;
mod outcome;
mod page;
mod replay;
mod run;
mod schema;
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
    Report(history::ReportArgs),
    Runs(history::RunsArgs),
    Show(history::ShowArgs),
    Compare(history::CompareArgs),
    Bench(bench::BenchArgs),
    Check(check::CheckArgs),
    Ctl(ctl::CtlArgs),
    Defects(defects::DefectsArgs),
    Schema(schema::SchemaArgs),
    Switch(switch::program::SwitchArgs),
    Psap(psap_mock::program::PsapArgs),
    Load(load_gen::program::LoadArgs),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Report(args) => history::report(&args),
        Command::Runs(args) => history::runs(&args),
        Command::Show(args) => history::show(&args),
        Command::Compare(args) => history::compare(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Check(args) => check::check(&args),
        Command::Ctl(args) => ctl::run(&args),
        Command::Defects(args) => defects::defects(&args),
        Command::Schema(args) => schema::schema(&args),
        Command::Switch(args) => switch::program::run(&args),
        Command::Psap(args) => psap_mock::program::run(&args),
        Command::Load(args) => load_gen::program::run(&args),
    }
}
