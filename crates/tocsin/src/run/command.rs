//! One run on real sockets from the command line to the exit code.

use std::process::ExitCode;
use std::time::Duration;

use campaign::Time;
use cli::say;
use conductor::Conductor;
use run_folder::{Folder, Receipt, RunState, command_line};
use tokio::runtime::Builder;

use super::args::RunArgs;
use super::campaign_start::CampaignStart;
use super::collector::StateCollector;
use super::display::Display;
use super::fleet::Fleet;
use super::interruptions::{INTERRUPTED, Interruptions};
use super::loopback::missing_addresses;
use super::prepared::{InheritedOptions, Prepared, unix_us};
use super::stage::{HandLine, Processes};
use super::target::TargetNetwork;
use super::target_watch::TargetWatch;
use super::{live, manage, verdict};
use crate::changed_campaign::ChangedCampaign;
use crate::host_limits::host_limits;
use crate::state_file::StateFile;
use crate::virtual_time::{VirtualTimeOptions, blast_radius};

/// Runs a campaign in the time that the command line or its file says.
pub(crate) fn run(args: &RunArgs) -> ExitCode {
    let change = args.load.change();
    let plain = args.file();
    let loaded = match ChangedCampaign::load(&plain, change) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let ChangedCampaign { file, campaign, topology } = loaded;
    let is_virtual = args.virtual_time || (campaign.time == Time::Virtual && !args.real_time);
    let target = args.drive.target_network(&topology);
    let target = target.and_then(|target| {
        target.as_ref().map_or(Ok(()), |_| TargetNetwork::check(&campaign))?;
        Ok(target)
    });
    let target = match target {
        Ok(target) => target,
        Err(sentence) => return cli::fail(&anyhow::anyhow!(sentence), cli::USAGE),
    };
    if is_virtual && target.is_some() {
        let sentence = "--target is on real sockets: say --real-time, or leave --virtual-time away";
        return cli::fail(&anyhow::anyhow!(sentence), cli::USAGE);
    }
    if is_virtual && args.hep.is_some() {
        let sentence = "--hep sends copies of real messages, and in virtual time there are none: say --real-time";
        return cli::fail(&anyhow::anyhow!(sentence), cli::USAGE);
    }
    if is_virtual && args.metrics.metrics.is_some() {
        let sentence =
            "--metrics shows processes, and in virtual time there are none: say --real-time";
        return cli::fail(&anyhow::anyhow!(sentence), cli::USAGE);
    }
    if is_virtual {
        let options = VirtualTimeOptions {
            file: &file,
            plain: &plain,
            change,
            runs: &args.runs,
            quiet: args.quiet,
            variant: args.variant.as_deref(),
            records: args.records,
            seeds: args.seeds,
            only: args.only,
            sensitivity: args.sensitivity,
        };
        return crate::virtual_time::run(&options, &campaign, &topology);
    }
    if args.seeds > 1 || args.sensitivity {
        let sentence = "--seeds and --sensitivity need many runs, which only virtual time makes at once: say --virtual-time";
        return cli::fail(&anyhow::anyhow!(sentence), cli::USAGE);
    }
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::fail(&error.into(), cli::USAGE),
    };
    if let Some(target) = target.as_ref().filter(|_| !args.drive.target.no_probe)
        && let Err(sentence) = target.probe()
    {
        return cli::fail(&anyhow::anyhow!(sentence), cli::USAGE);
    }
    let folder = match Folder::create(&args.runs, &campaign.name) {
        Ok(folder) => folder,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    let set = [file.set.clone(), missing_addresses(&topology)].concat();
    let prepared = Prepared {
        args: InheritedOptions {
            campaign_file: file.file,
            given: file.set,
            set,
            shards: args.shards,
            only: args.only,
            log: args.log,
            hep: args.hep,
            disk_limit: args.disk_limit,
        },
        campaign,
        topology,
        target,
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
    let given = &prepared.args.given;
    Receipt::begin(folder, &prepared.campaign, file, given, Time::Real, host_limits())?;
    let by_hand = HandLine::new();
    let watch = args.watch.target_manage.as_deref();
    let watch = watch.map(|file| TargetWatch::begin(file, by_hand.sender())).transpose()?;
    let Some(fleet) = Fleet::start(prepared, folder, &mut interruptions).await? else {
        say("interrupted while the network started: no call was placed");
        return Ok(INTERRUPTED);
    };
    let managed = match &prepared.target {
        None => {
            let (state, console) = (fleet.latest_state(), fleet.console());
            Some(manage::open(&prepared.topology, folder, state, console, by_hand.sender())?)
        }
        Some(_) => None,
    };
    let _metrics = manage::show(&args.metrics, fleet.latest_state())?;
    for sentence in blast_radius(&prepared.campaign, &prepared.topology) {
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
    let display = Display::open(prepared, args.quiet, args.no_screen);
    let start = CampaignStart::set(prepared, &fleet);
    let mut stage = Processes::new(prepared, folder, fleet, start, by_hand);
    let mut conductor = Conductor::new(&prepared.campaign, &prepared.topology.pool_sites())
        .posting_alarms(&prepared.campaign, Duration::from_micros(prepared.since_us));
    let mut collector = StateCollector::new(prepared, folder, start);
    live::watch(
        &mut conductor,
        &mut stage,
        &mut interruptions,
        &mut collector,
        &mut StateFile::new(folder),
        display,
    )
    .await;
    let elapsed = collector.state(&stage, &interruptions, &conductor).elapsed;
    stage.fleet.shut_down(&mut interruptions).await;
    drop((managed, watch));
    live::take_rest(&mut conductor, &mut stage);
    let last = collector.state(&stage, &interruptions, &conductor);
    // The drain of the network is no part of the campaign.
    let state = RunState { ended: true, elapsed, ..last };
    Ok(verdict::conclude(prepared, folder, state))
}

/// What is about to happen, in a line.
fn announcement(prepared: &Prepared) -> String {
    let Prepared { campaign, topology, .. } = prepared;
    let place = match &prepared.target {
        Some(target) => format!("to {}", target.place()),
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
