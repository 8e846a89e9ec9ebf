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
mod face;
mod fleet;
mod keeper;
mod live;
mod loopback;
mod manage;
mod plan;
mod target;
mod verdict;
mod zero;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use campaign::{Campaign, ENVIRONMENT_PREFIX, Time};
use clap::Args;
use cli::FileArgs;
use cli::metrics::MetricsArgs;
use run_folder::{Folder, Receipt, State, command_line};
use tokio::runtime::Builder;
use topology::Topology;

use crate::replay::Replay;
use cli::say;
pub(crate) use fleet::Fleet;
use keeper::Keeper;
pub(crate) use live::Interruptions;
pub(crate) use loopback::missing_addresses;
pub(crate) use plan::{Process, Tier, callers, network};
pub(crate) use target::{DriveArgs, Elsewhere};
pub(crate) use zero::Zero;

/// Runs a campaign: starts its network, places its calls, and judges what happened
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    campaign: FileArgs,
    #[command(flatten)]
    drive: DriveArgs,
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
    /// Generators that share the load, each on a thread of its own
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    shards: u32,
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Progress in lines, also where a terminal could show a screen
    #[arg(long)]
    no_screen: bool,
    /// No live progress at all
    #[arg(long)]
    quiet: bool,
    /// Log lines of the network's programs for people (human) or for programs (json)
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    log: telemetry::LogFormat,
}

/// Exit code after an interruption before the first call.
pub(crate) const INTERRUPTED: u8 = 130;

/// What is known of a campaign before it runs.
pub(crate) struct Prepared {
    pub(crate) args: Inherited,
    pub(crate) campaign: Campaign,
    pub(crate) topology: Topology,
    /// The network that the callers call, if it is not started for them.
    pub(crate) elsewhere: Option<Elsewhere>,
    /// Unix microseconds from which the clock of a compressed run goes faster.
    pub(crate) since_us: u64,
}

/// The options that child processes inherit.
pub(crate) struct Inherited {
    pub(crate) campaign_file: PathBuf,
    /// What the command line says.
    pub(crate) given: Vec<(String, String)>,
    /// The same, and the addresses that this system has in place of those of the file.
    pub(crate) set: Vec<(String, String)>,
    /// Generators that share the load.
    pub(crate) shards: u32,
    pub(crate) log: telemetry::LogFormat,
}

pub(crate) fn run(args: &RunArgs) -> ExitCode {
    let (layers, network_layers) = args.campaign.campaign_and_network_layers(ENVIRONMENT_PREFIX);
    let loaded = Campaign::load_with_network(&args.campaign.file, &layers, &network_layers);
    let (campaign, topology) = match loaded {
        Ok(loaded) => loaded,
        Err(problems) => return cli::refuse(&problems),
    };
    let is_virtual = args.virtual_time || (campaign.time == Time::Virtual && !args.real_time);
    let elsewhere = args.drive.elsewhere(&topology);
    let elsewhere = elsewhere.and_then(|elsewhere| {
        elsewhere.as_ref().map_or(Ok(()), |_| Elsewhere::check(&campaign))?;
        Ok(elsewhere)
    });
    let elsewhere = match elsewhere {
        Ok(elsewhere) => elsewhere,
        Err(sentence) => return cli::fail(&anyhow::anyhow!(sentence), cli::USAGE),
    };
    if is_virtual && elsewhere.is_some() {
        let sentence = "--target is on real sockets: say --real-time, or leave --virtual-time away";
        return cli::fail(&anyhow::anyhow!(sentence), cli::USAGE);
    }
    if is_virtual && args.metrics.metrics.is_some() {
        let sentence =
            "--metrics shows processes, and in virtual time there are none: say --real-time";
        return cli::fail(&anyhow::anyhow!(sentence), cli::USAGE);
    }
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
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::fail(&error.into(), cli::USAGE),
    };
    if let Some(elsewhere) = elsewhere.as_ref().filter(|_| !args.drive.no_probe)
        && let Err(error) = runtime.block_on(elsewhere.probe())
    {
        return cli::fail(&error, cli::USAGE);
    }
    let folder = match Folder::create(&args.runs, &campaign.name) {
        Ok(folder) => folder,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    let set = [args.campaign.set.clone(), missing_addresses(&topology)].concat();
    let prepared = Prepared {
        args: Inherited {
            campaign_file: args.campaign.file.clone(),
            given: args.campaign.set.clone(),
            set,
            shards: args.shards,
            log: args.log,
        },
        campaign,
        topology,
        elsewhere,
        since_us: unix_us(),
    };
    runtime.block_on(async {
        match conduct(args, &prepared, &folder).await {
            Ok(code) => ExitCode::from(code),
            Err(error) => {
                cli::complain!("the run folder is {}", folder.path().display());
                cli::fail(&error, cli::USAGE)
            }
        }
    })
}

async fn conduct(args: &RunArgs, prepared: &Prepared, folder: &Folder) -> anyhow::Result<u8> {
    let mut interruptions = Interruptions::catch()?;
    let file = &prepared.args.campaign_file;
    folder.keep_inputs(file, &prepared.campaign)?;
    folder.write("command.txt", &(command_line() + "\n"))?;
    Receipt::begin(folder, &prepared.campaign, file, &prepared.args.given, Time::Real)?;
    let Some(mut fleet) = Fleet::start(prepared, folder, &mut interruptions).await? else {
        say("interrupted while the network started: no call was placed");
        return Ok(INTERRUPTED);
    };
    let managed = match &prepared.elsewhere {
        None => Some(manage::open(&prepared.topology, folder, &fleet)?),
        Some(_) => None,
    };
    let _metrics = manage::show(&args.metrics, &fleet)?;
    for sentence in crate::replay::lint(&prepared.campaign, &prepared.topology) {
        say(format_args!("! {sentence}"));
    }
    if prepared.campaign.compression > 1.0 {
        say(format_args!(
            "every clock of this run goes {} times faster: calls, timers, restarts and people; what the machine itself takes does not",
            prepared.campaign.compression
        ));
    }
    if !args.quiet {
        say(announcement(prepared));
    }
    let face = face::Face::open(prepared, args.quiet, args.no_screen);
    let zero = Zero::set(prepared, &fleet);
    let mut keeper = Keeper::new(prepared, folder, zero);
    let watched =
        live::watch(prepared, &mut fleet, &mut interruptions, &mut keeper, face, zero).await;
    let live::Watched { room, detections } = &watched;
    let elapsed = keeper.state(&fleet, &interruptions, room, detections).elapsed;
    fleet.shut_down(&mut interruptions).await;
    drop(managed);
    let last = keeper.state(&fleet, &interruptions, room, detections);
    // The drain of the network is no part of the campaign.
    let state = State { ended: true, elapsed, ..last };
    Ok(verdict::conclude(prepared, folder, state))
}

/// What is about to happen, in a line.
fn announcement(prepared: &Prepared) -> String {
    let Prepared { campaign, topology, .. } = prepared;
    let place = match &prepared.elsewhere {
        Some(elsewhere) => format!("to {}", elsewhere.place()),
        None => format!(
            "on {} sites, {} trunk groups, {} PSAPs",
            topology.sites.len(),
            topology.trunk_groups.len(),
            topology.psaps.len()
        ),
    };
    let (name, calls) = (&campaign.name, campaign.expected_attempts());
    let length = topology::format_duration(campaign.duration());
    format!("{name}: about {calls:.0} calls in {length} {place}; Ctrl-C drains")
}

pub(crate) fn unix_us() -> u64 {
    let unix = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(unix.unwrap_or(Duration::ZERO).as_micros()).unwrap_or(u64::MAX)
}
