//! `tocsin`: one program with the three programs of the network inside it.

mod account_command;
mod bench;
mod certificates;
mod changed_campaign;
mod check;
mod compare;
mod console_command;
mod ctl;
mod defects;
mod host_limits;
mod ladder_screen;
mod replay;
mod report;
mod run;
mod runs;
mod schema;
mod screen;
mod served;
mod serving;
mod show;
mod state_file;
mod told;
mod virtual_time;
mod watch;

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
    Report(report::ReportArgs),
    Replay(replay::ReplayArgs),
    Runs(runs::RunsArgs),
    Show(show::ShowArgs),
    Watch(watch::WatchArgs),
    Compare(compare::CompareArgs),
    Console(console_command::ConsoleArgs),
    Bench(bench::BenchArgs),
    Check(check::CheckArgs),
    Ctl(ctl::CtlArgs),
    Defects(defects::DefectsArgs),
    Account(account_command::AccountArgs),
    Certificates(certificates::CertificatesArgs),
    Schema(schema::SchemaArgs),
    Switch(serving::ServedSwitchArgs),
    Psap(serving::ServedPsapArgs),
    Load(load_program::LoadArgs),
}

fn main() -> ExitCode {
    cli::finish(cli::parse::<Cli>().map_or_else(|code| code, |cli| carry_out(cli.command)))
}

fn carry_out(command: Command) -> ExitCode {
    match command {
        Command::Run(args) => run::run(&args),
        Command::Report(args) => report::report(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Runs(args) => runs::runs(&args),
        Command::Show(args) => show::show(&args),
        Command::Watch(args) => watch::watch(&args),
        Command::Compare(args) => compare::compare(&args),
        Command::Console(args) => console_command::console(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Check(args) => check::check(&args),
        Command::Ctl(args) => ctl::run(&args),
        Command::Defects(args) => defects::defects(&args),
        Command::Account(args) => account_command::account(&args),
        Command::Certificates(args) => certificates::certificates(&args),
        Command::Schema(args) => schema::schema(&args),
        Command::Switch(args) => serving::switch(&args),
        Command::Psap(args) => serving::psap(&args),
        Command::Load(args) => load_program::run(&args),
    }
}
