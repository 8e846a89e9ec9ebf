//! `tocsin console`: the page of this machine's runs, and of the one that goes on.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use cli::{TlsArgs, say};
use console::{ConsoleListener, ConsoleSettings, Live};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Where examples are, as far as they are there.
const CAMPAIGNS: [&str; 3] = [".", "configs/campaigns", "configs/outages"];

/// Serves a page for a browser: the map of the run that goes on, its operator's desk, calls, and all runs
#[derive(Debug, Args)]
pub(crate) struct ConsoleArgs {
    /// Where the page is served; port 0 takes any free port. Beyond this machine it speaks TLS
    #[arg(value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    address: SocketAddr,
    /// Folder in which run folders are
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    runs: PathBuf,
    /// A folder of campaigns that can be started; may be given several times [default: this one, configs/campaigns and
    /// configs/outages]
    #[arg(long, value_name = "FOLDER")]
    campaigns: Vec<PathBuf>,
    #[command(flatten)]
    tls: TlsArgs,
}

pub(crate) fn console(args: &ConsoleArgs) -> ExitCode {
    let served = Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot begin")
        .and_then(|runtime| runtime.block_on(serve(args)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::fail(&error, cli::USAGE),
    }
}

/// Serves until somebody interrupts.
async fn serve(args: &ConsoleArgs) -> anyhow::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt()).context("cannot hear Ctrl-C")?;
    let mut terminated = signal(SignalKind::terminate()).context("cannot hear SIGTERM")?;
    let listener = ConsoleListener::bind(args.address, &args.tls, &args.runs)?;
    let named = args.campaigns.clone();
    let campaigns = match named.is_empty() {
        true => CAMPAIGNS.map(PathBuf::from).into_iter().filter(|it| it.is_dir()).collect(),
        false => named,
    };
    let program = std::env::current_exe().context("cannot find this program")?;
    say(format_args!("console at {}", listener.link()));
    listener.told().iter().for_each(|told| say(format_args!("{told}")));
    let settings = ConsoleSettings { runs: args.runs.clone(), campaigns, program };
    let console = listener.serve(settings, Live::Attached(args.runs.clone()))?;
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    drop(console);
    Ok(())
}
