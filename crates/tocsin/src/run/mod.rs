//! `tocsin run CAMPAIGN.toml`: the whole network as processes on loopback, the load, the verdict.
//!
//! ```text
//!   PSAPs ──ready──► sites ──ready──► trunk groups ──ready──► generator
//!                                                                 │ finished, or Ctrl-C
//!   PSAPs ◄─drain─── sites ◄──drain── trunk groups ◄───drain──────┘
//!     └──────────────── records ──► ledger ──► summary.json, report, exit code
//! ```
//!
//! Each tier learns the addresses of the one before it, so a port of 0 works everywhere.

mod child;
mod clock_watch;
mod cpu;
mod fleet;
mod folder;
mod keeper;
mod live;
mod loopback;
mod manage;
mod plan;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use cli::FileArgs;
use load_gen::campaign::{Campaign, ENVIRONMENT_PREFIX, Time};
use tokio::runtime::Builder;
use topology::Topology;

use crate::archive::{Receipt, State, World, command_line};
use crate::replay::Replay;
use fleet::Fleet;
pub(crate) use folder::Folder;
use keeper::Keeper;
pub(crate) use live::Interruptions;

/// Runs a campaign: starts its network, places its calls, and judges what happened
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    campaign: FileArgs,
    /// Folder in which run folders are made
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    runs: PathBuf,
    /// Run on the simulated network, in virtual time, whatever the file says
    #[arg(long, conflicts_with = "real_time")]
    virtual_time: bool,
    /// Run on real sockets, in real time, whatever the file says
    #[arg(long)]
    real_time: bool,
    /// In virtual time: run only this variant of the campaign; `base` is the campaign itself
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// In virtual time: keep the records of all boxes too
    #[arg(long)]
    records: bool,
    /// No live progress lines
    #[arg(long)]
    quiet: bool,
    /// Log lines of the network's programs for people (human) or for programs (json)
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    log: telemetry::LogFormat,
}

/// Exit code after an interruption before the first call.
pub(crate) const INTERRUPTED: u8 = 130;

/// What is known of a campaign before it runs.
struct Prepared {
    args: Inherited,
    campaign: Campaign,
    topology: Topology,
    /// Unix microseconds from which the clock of a compressed run goes faster.
    since_us: u64,
}

/// The options that child processes inherit.
struct Inherited {
    campaign_file: PathBuf,
    /// What the command line says.
    given: Vec<(String, String)>,
    /// The same, and the addresses that this system has in place of those of the file.
    set: Vec<(String, String)>,
    log: telemetry::LogFormat,
}

pub(crate) fn run(args: &RunArgs) -> ExitCode {
    let (layers, network_layers) = args.campaign.campaign_and_network_layers(ENVIRONMENT_PREFIX);
    let loaded = Campaign::load_with_network(&args.campaign.file, &layers, &network_layers);
    let (campaign, topology) = match loaded {
        Ok(loaded) => loaded,
        Err(problems) => return cli::refuse(&problems),
    };
    let is_virtual = args.virtual_time || (campaign.time == Time::Virtual && !args.real_time);
    if is_virtual {
        let replay = Replay {
            file: &args.campaign,
            runs: &args.runs,
            quiet: args.quiet,
            variant: args.variant.as_deref(),
            records: args.records,
        };
        return crate::replay::replay(&replay, &campaign, &topology);
    }
    let folder = match Folder::create(&args.runs, &campaign.name) {
        Ok(folder) => folder,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    let set = [args.campaign.set.clone(), loopback::missing_addresses(&topology)].concat();
    let prepared = Prepared {
        args: Inherited {
            campaign_file: args.campaign.file.clone(),
            given: args.campaign.set.clone(),
            set,
            log: args.log,
        },
        campaign,
        topology,
        since_us: unix_us(),
    };
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::fail(&error.into(), cli::USAGE),
    };
    runtime.block_on(async {
        match conduct(&prepared, &folder, args.quiet).await {
            Ok(code) => ExitCode::from(code),
            Err(error) => {
                eprintln!("the run folder is {}", folder.path().display());
                cli::fail(&error, cli::USAGE)
            }
        }
    })
}

async fn conduct(prepared: &Prepared, folder: &Folder, quiet: bool) -> anyhow::Result<u8> {
    let mut interruptions = Interruptions::catch()?;
    let file = &prepared.args.campaign_file;
    folder.keep_inputs(file, &prepared.campaign.network)?;
    folder.write("command.txt", &(command_line() + "\n"))?;
    Receipt::begin(folder, &prepared.campaign, file, &prepared.args.given, World::Real)?;
    let Some(mut fleet) = Fleet::start(prepared, folder, &mut interruptions).await? else {
        println!("interrupted while the network started: no call was placed");
        return Ok(INTERRUPTED);
    };
    let managed = manage::open(&prepared.topology, folder, &fleet)?;
    for sentence in crate::replay::lint(&prepared.campaign, &prepared.topology) {
        println!("! {sentence}");
    }
    if prepared.campaign.compression > 1.0 {
        println!(
            "every clock of this run goes {} times faster: calls, timers, restarts and people; what the machine itself takes does not",
            prepared.campaign.compression
        );
    }
    if !quiet {
        println!(
            "{}: about {:.0} calls in {} on {} sites, {} trunk groups, {} PSAPs; Ctrl-C drains",
            prepared.campaign.name,
            prepared.campaign.expected_attempts(),
            topology::format_duration(prepared.campaign.duration()),
            prepared.topology.sites.len(),
            prepared.topology.trunk_groups.len(),
            prepared.topology.psaps.len(),
        );
    }
    let mut keeper = Keeper::new(prepared, folder);
    let watched = live::watch(prepared, &mut fleet, &mut interruptions, &mut keeper, quiet).await;
    let live::Watched { room, detections } = &watched;
    let elapsed = keeper.state(&fleet, &interruptions, room, detections).elapsed;
    fleet.shut_down(&mut interruptions).await;
    drop(managed);
    let last = keeper.state(&fleet, &interruptions, room, detections);
    // The drain of the network is no part of the campaign.
    let state = State { ended: true, elapsed, ..last };
    Ok(verdict::conclude(prepared, folder, state))
}

fn unix_us() -> u64 {
    let unix = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(unix.unwrap_or(Duration::ZERO).as_micros()).unwrap_or(u64::MAX)
}
