//! `tocsin bench`: how many sessions a second can a network establish? After RFC 7501 and RFC 7502.
//!
//! ```text
//!   network (ours, or --target) ◄──── callers of one trial, then of the next ──── search: rise, narrow, confirm
//!        │                                                                            │
//!        └── 150 %: must refuse cleanly ── half: must have recovered ──► bench.json, report.txt, exit code
//! ```
//!
//! A rate counts when every session was established, and the generator has nothing against itself.

mod keep;
mod load;
mod trial_network;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use account::bench::{
    BenchReport, BenchVerdict, Bounds, Conclusion, RateLimit, Search, SearchResult, SearchStage,
    Trial, TrialFinding, brief, header, row,
};
use campaign::{Campaign, ENVIRONMENT_PREFIX};
use clap::Args;
use cli::FileArgs;
use run_folder::{Folder, command_line};
use telemetry::LogFormat;
use tokio::runtime::Builder;
use topology::reader::Document;
use topology::{Layers, Problems, Topology, parse_duration};

use self::load::Setup;
use self::trial_network::{NetworkOptions, TrialNetwork};
use crate::run::{DriveArgs, INTERRUPTED, TargetNetwork, missing_addresses, unix_us};
use cli::say;

/// Finds the session establishment rate of a network (RFC 7502), and what happens beyond it
///
/// Of a network file, every route is called; of a campaign, its mix is. Its phases and callers are those of the options.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    drive: DriveArgs,
    /// Folder in which run folders are made
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    runs: PathBuf,
    /// The first rate, in calls per second; it doubles while it holds
    #[arg(long, value_name = "RATE", default_value = "50", value_parser = rate)]
    start: f64,
    /// Try no higher rate than this
    #[arg(long, value_name = "RATE", default_value = "50000", value_parser = rate)]
    max_rate: f64,
    /// Try this one rate, in calls per second; lower ones only if it does not hold
    #[arg(long, value_name = "RATE", value_parser = rate, conflicts_with_all = ["start", "max_rate"])]
    rate: Option<f64>,
    /// Seed of every random draw, in place of the file's
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// How long a rate is tried
    #[arg(long, visible_alias = "duration", value_name = "DURATION", default_value = "4s", value_parser = duration)]
    step: Duration,
    /// How long the best rate is tried again; the default is three steps
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    confirm: Option<Duration>,
    /// How close to the limit to come
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share)]
    resolution: f64,
    /// From the answer to the BYE of each session
    #[arg(long, value_name = "DURATION", default_value = "100ms", value_parser = duration)]
    talk: Duration,
    /// A session that is not established by then has failed
    #[arg(long, value_name = "DURATION", default_value = "4s", value_parser = duration)]
    within: Duration,
    /// Beyond the limit, whoever is let in must hear it ring within this time, in 99 of 100 cases
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    overload_pdd: Duration,
    /// Sessions with media, both ways
    #[arg(long)]
    media: bool,
    /// Leave the answering points as the file has them; otherwise they answer at once, so that the switch is measured
    #[arg(long)]
    keep_psaps: bool,
    /// Log lines of the network's programs for people (human) or for programs (json)
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    log: LogFormat,
}

/// Share of the best rate with which it is checked that a network has recovered.
const RECOVERED: f64 = 0.5;

/// How far beyond the best rate a network is driven.
const OVERLOAD: f64 = 1.5;

/// The file, read and checked.
struct BenchInput {
    name: String,
    setup: Setup,
    /// What is changed in the network for this bench.
    set: Vec<(String, String)>,
    topology: Topology,
    target: Option<TargetNetwork>,
}

pub(crate) fn run(args: &BenchArgs) -> ExitCode {
    let input = match read_input(args) {
        Ok(input) => input,
        Err(code) => return code,
    };
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::fail(&error.into(), cli::USAGE),
    };
    if let Some(target) = input.target.as_ref().filter(|_| !args.drive.target.no_probe)
        && let Err(sentence) = target.probe()
    {
        return cli::fail(&anyhow::anyhow!(sentence), cli::USAGE);
    }
    let folder = match Folder::create(&args.runs, &format!("bench-{}", input.name)) {
        Ok(folder) => folder,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    match runtime.block_on(conduct(args, input, &folder)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            cli::complain!("the run folder is {}", folder.path().display());
            cli::fail(&error, cli::USAGE)
        }
    }
}

/// Reads the file, whichever kind it is, and makes the load from it.
fn read_input(args: &BenchArgs) -> Result<BenchInput, ExitCode> {
    let refuse = |problems: Problems| cli::refuse(&problems);
    let usage = |sentence: String| cli::fail(&anyhow::anyhow!(sentence), cli::USAGE);
    let file = &args.file.file;
    // Only a campaign names a network.
    let is_campaign = Document::load(file, &Layers::none()).map_err(refuse)?.has("network");
    let (name, network, mix, topology, seed) = if is_campaign {
        let (layers, network_layers) = args.file.campaign_and_network_layers(ENVIRONMENT_PREFIX);
        let loaded = Campaign::load_with_network(file, &layers, &network_layers);
        let (campaign, topology) = loaded.map_err(refuse)?;
        let Campaign { name, network, mix, seed, .. } = campaign;
        (name, network, mix, topology, seed)
    } else {
        let topology = Topology::load(file, &args.file.network_layers()).map_err(refuse)?;
        let mix = load::of_network(&topology);
        (topology.name.clone(), file.clone(), mix, topology, 1)
    };
    if mix.is_empty() || topology.trunk_groups.is_empty() {
        let file = file.display();
        return Err(usage(format!(
            "{file}: a bench needs a route to call, and a trunk group to call it through"
        )));
    }
    let target = args.drive.target_network(&topology).map_err(usage)?;
    let ours = |(key, _): &&(String, String)| topology::is_network_key(key);
    let mut set: Vec<_> = args.file.set.iter().filter(ours).cloned().collect();
    if !args.keep_psaps {
        // What the command line says has the last word.
        set.splice(0..0, load::answer_at_once(&topology));
    }
    set.extend(missing_addresses(&topology));
    let network = load::anywhere(&network);
    let changed = FileArgs { file: network.clone(), set: set.clone() };
    let topology = Topology::load(&network, &changed.network_layers()).map_err(refuse)?;
    let (talk, within, media) = (args.talk, args.within, args.media);
    let seed = args.seed.unwrap_or(seed);
    let setup = Setup { network, seed, mix, talk, within, media };
    Ok(BenchInput { name, setup, set, topology, target })
}

async fn conduct(args: &BenchArgs, input: BenchInput, folder: &Folder) -> anyhow::Result<u8> {
    let BenchInput { setup, set, topology, target, .. } = input;
    folder.write("command.txt", &command_line())?;
    let network = match &target {
        Some(target) => target.place(),
        None => topology.name.clone(),
    };
    let options = NetworkOptions { set, log: args.log, target, since_us: unix_us() };
    let Some(mut trial_network) = TrialNetwork::start(folder, setup.clone(), options).await? else {
        say("interrupted while the network started: no call was placed");
        return Ok(INTERRUPTED);
    };
    folder.begin();
    say(format_args!(
        "bench of {network}: trials of {}; Ctrl-C ends it",
        topology::format_duration(args.step)
    ));
    say(header());
    let mut trials = Vec::new();
    let measured = measure(args, &mut trial_network, &mut trials).await;
    let interrupted = trial_network.is_interrupted();
    let (losses, summary) = trial_network.finish().await;
    let (found, retained) = measured?;
    let unheard = summary.as_ref().and_then(|summary| summary.media.as_ref()?.complaint());
    let ledger = summary.map(|summary| summary.ledger);
    let pdd_limit = args.overload_pdd;
    let conclusion =
        Conclusion { found, trials, retained, pdd_limit, ledger, unheard, losses, interrupted };
    let bench = conclusion.judge();
    let (talk_s, within_s) = (setup.talk.as_secs_f64(), setup.within.as_secs_f64());
    let Setup { seed, media, .. } = setup;
    let mut bench = BenchReport { network, seed, talk_s, within_s, media, ..bench };
    keep::keep(folder, &mut bench);
    say(format_args!("\n{}\nrun folder: {}", brief(&bench), folder.path().display()));
    Ok(match bench.verdict {
        BenchVerdict::Pass => 0,
        BenchVerdict::Fail => 1,
        BenchVerdict::Invalid => 3,
        BenchVerdict::Degraded => 4,
        BenchVerdict::Interrupted => INTERRUPTED,
    })
}

/// The search, the overload and the recovery. What was found is `None` when interrupted.
async fn measure(
    args: &BenchArgs,
    network: &mut TrialNetwork<'_>,
    trials: &mut Vec<Trial>,
) -> anyhow::Result<(Option<SearchResult>, Vec<(String, u64)>)> {
    let resolution = args.resolution;
    let (start, max) = args.rate.map_or((args.start, args.max_rate), |rate| (rate, rate));
    let mut search = Search::new(Bounds { start, max, resolution });
    while let Some(next) = search.next() {
        let (stage, length) = match next.stage {
            SearchStage::Rise => ("rise", args.step),
            SearchStage::Narrow => ("narrow", args.step),
            SearchStage::Confirm => ("confirm", args.confirm.unwrap_or(args.step * 3)),
        };
        let Some(finding) = attempt(network, trials, stage, next.rate, length).await? else {
            return Ok((None, Vec::new()));
        };
        search.take(finding);
    }
    let found = search.result();
    let mut retained = Vec::new();
    if let Some(SearchResult::Found { rate, limit, .. }) = found {
        // Beyond a floor there is no telling what the network is driven to.
        if matches!(limit, RateLimit::Network { .. }) {
            let beyond = rate * OVERLOAD;
            let mut driven = attempt(network, trials, "overload", beyond, args.step).await?;
            // Once more, as in the search.
            if driven == Some(TrialFinding::GeneratorOut) {
                driven = attempt(network, trials, "overload", beyond, args.step).await?;
            }
            if driven.is_none() {
                return Ok((found, retained));
            }
        }
        if attempt(network, trials, "recovery", rate * RECOVERED, args.step).await?.is_some() {
            retained = network.settle().await;
        }
    }
    Ok((found, retained))
}

/// Makes a trial, tells it, and lets the network come to rest if it was too much.
async fn attempt(
    network: &mut TrialNetwork<'_>,
    trials: &mut Vec<Trial>,
    stage: &'static str,
    rate: f64,
    length: Duration,
) -> anyhow::Result<Option<TrialFinding>> {
    let Some(trial) = network.attempt(stage, rate, length).await? else { return Ok(None) };
    say(row(&trial));
    let finding = trial.finding;
    trials.push(trial);
    if finding != TrialFinding::Held {
        network.settle().await;
    }
    Ok((!network.is_interrupted()).then_some(finding))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: Option<f64> = text.trim_end_matches("/s").parse().ok();
    let sane = rate.filter(|rate| (0.5..=100_000.0).contains(rate));
    sane.ok_or_else(|| "must be 0.5..=100000 calls per second".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%');
    let share: Option<f64> = match number {
        Some(number) => number.trim().parse().ok().map(|percent: f64| percent / 100.0),
        None => text.parse().ok(),
    };
    let sane = share.filter(|share| (0.001..=0.5).contains(share));
    sane.ok_or_else(|| "must be 0.1%..=50%".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percent_or_parts() {
        assert_eq!((share("5%"), share("0.05"), share("5 %")), (Ok(0.05), Ok(0.05), Ok(0.05)));
        assert!(share("0").is_err() && share("80%").is_err() && share("much").is_err());
        assert_eq!((rate("50"), rate("50/s")), (Ok(50.0), Ok(50.0)));
        assert!(rate("0").is_err() && rate("nan").is_err() && rate("1e9").is_err());
    }
}
