//! One run on real sockets from the command line to the exit code.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use campaign::Time;
use cli::manage::{LiveFeed, ManagedSites};
use cli::say;
use conductor::Conductor;
use console::{Console, ConsoleListener, ConsoleSettings, Live};
use run_folder::{Folder, Receipt, RunState, command_line};
use tokio::runtime::Builder;

use super::args::RunArgs;
use super::campaign_start::CampaignStart;
use super::collector::StateCollector;
use super::display::Display;
use super::fleet::Fleet;
use super::hand_line::HandLine;
use super::interruptions::{INTERRUPTED, Interruptions};
use super::loopback::missing_addresses;
use super::prepared::{InheritedOptions, Prepared, unix_us};
use super::run_feed::RunFeed;
use super::stage::Processes;
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
    if let Some(sentence) = contradiction(args, is_virtual, target.is_some()) {
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
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::fail(&error.into(), cli::USAGE),
    };
    if let Some(target) = target.as_ref().filter(|_| !args.drive.target.no_probe)
        && let Err(sentence) = target.probe()
    {
        return cli::fail(&anyhow::anyhow!(sentence), cli::USAGE);
    }
    let console = match console(args) {
        Ok(console) => console,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
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
        match conduct(args, &prepared, &folder, console).await {
            Ok(code) => ExitCode::from(code),
            Err(error) => {
                cli::complain!("the run folder is {}", folder.path().display());
                cli::fail(&error, cli::USAGE)
            }
        }
    })
}

/// The console of this run, if one is asked for.
fn console(args: &RunArgs) -> anyhow::Result<Option<ConsoleListener>> {
    anyhow::ensure!(
        args.console.is_some() || args.tls.certificate.is_none(),
        "--certificate is for --console: say --console=ADDRESS"
    );
    let bind = |address| ConsoleListener::bind(address, &args.tls, &args.runs);
    args.console.map(bind).transpose()
}

/// The sentence about options that make no sense together with the time in which the campaign runs.
const fn contradiction(args: &RunArgs, is_virtual: bool, has_target: bool) -> Option<&'static str> {
    if !is_virtual {
        return match args.seeds > 1 || args.sensitivity {
            true => Some(
                "--seeds and --sensitivity need many runs, which only virtual time makes at once: say --virtual-time",
            ),
            false => None,
        };
    }
    if has_target {
        return Some("--target is on real sockets: say --real-time, or leave --virtual-time away");
    }
    if args.metrics.metrics.is_some() {
        return Some(
            "--metrics shows processes, and in virtual time there are none: say --real-time",
        );
    }
    if args.hep.is_some() {
        return Some(
            "--hep sends copies of real messages, and in virtual time there are none: say --real-time",
        );
    }
    if args.console.is_some() {
        return Some(
            "--console shows a run while it goes on, which in virtual time is over at once: say --real-time",
        );
    }
    None
}

async fn conduct(
    args: &RunArgs,
    prepared: &Prepared,
    folder: &Folder,
    console: Option<ConsoleListener>,
) -> anyhow::Result<u8> {
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
    let feed = LiveFeed::default();
    let sites = match &prepared.target {
        None => {
            let (state, console) = (fleet.latest_state(), fleet.console());
            Some(manage::sites(prepared, state, console, &by_hand, feed.clone()))
        }
        Some(_) => None,
    };
    let managed = sites.clone().map(|sites| manage::open(folder, sites)).transpose()?;
    let console = console.map(|console| show_console(console, args, folder, sites)).transpose()?;
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
    // The page is the screen then; one on the terminal would hide the link to it.
    let no_screen = args.no_screen || args.console.is_some();
    let display = Display::open(prepared, args.quiet, no_screen);
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
        &mut RunFeed::new(prepared, folder, feed.clone()),
    )
    .await;
    let elapsed = collector.state(&stage, &interruptions, &conductor).elapsed;
    // Whoever watches keeps what was, and does not see the network being put away.
    let is_watched = feed.end("the calls are over, and the verdict comes").await;
    stage.fleet.shut_down(&mut interruptions).await;
    drop((managed, watch));
    live::take_rest(&mut conductor, &mut stage);
    let last = collector.state(&stage, &interruptions, &conductor);
    // The drain of the network is no part of the campaign.
    let state = RunState { ended: true, elapsed, ..last };
    let code = verdict::conclude(prepared, folder, state);
    if let Some(console) = console.filter(|_| is_watched) {
        console.tell_end().await;
    }
    Ok(code)
}

/// Shows the run on a page, and says where.
fn show_console(
    console: ConsoleListener,
    args: &RunArgs,
    folder: &Folder,
    sites: Option<Arc<dyn ManagedSites>>,
) -> anyhow::Result<Console> {
    say(format_args!("console at {}", console.link()));
    console.told().iter().for_each(|told| say(format_args!("{told}")));
    let run = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    let live = match sites {
        Some(sites) => Live::Here(sites, run),
        None => Live::Nobody(run),
    };
    let program = std::env::current_exe().context("cannot find this program")?;
    let settings = ConsoleSettings { runs: args.runs.clone(), campaigns: Vec::new(), program };
    console.serve(settings, live)
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
