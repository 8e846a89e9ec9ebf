//! The program `load-gen`: only the callers, against a network that runs already.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use cli::{BoxArgs, FileArgs, Records};
use media::Clips;
use node::{Label, Node as _, NodeSpec, WallStart};
use sip_proto::timer::Timers;
use sip_proto::wall::WallClock;
use topology::Topology;

use crate::campaign::{Campaign, ENVIRONMENT_PREFIX};
use crate::{Command, Config, Generator, Shard};

/// Places the calls of a campaign against a network that runs already
#[derive(Debug, Args)]
pub struct LoadArgs {
    #[command(flatten)]
    pub campaign: FileArgs,
    /// Where the callers are; port 0 takes any free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub address: SocketAddr,
    /// Generators that share the load, each on a thread of its own
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub shards: u32,
    #[command(flatten)]
    pub serve: BoxArgs,
}

/// Runs the program to its end.
#[must_use]
pub fn run(args: &LoadArgs) -> ExitCode {
    let (layers, network_layers) = args.campaign.campaign_and_network_layers(ENVIRONMENT_PREFIX);
    let loaded = Campaign::load_with_network(&args.campaign.file, &layers, &network_layers);
    let (campaign, topology) = match loaded {
        Ok(loaded) => loaded,
        Err(problems) => return cli::refuse(&problems),
    };
    if let Err(error) = args.serve.log.init() {
        return cli::fail(&error, cli::USAGE);
    }
    let records = match Records::create(args.serve.records.as_deref()) {
        Ok(records) => records,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    let limit = campaign.duration() + campaign.drain_timeout;
    let clips = match cli::load_clips(&topology.media) {
        Ok(clips) => clips,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    let (start, nonce) = (WallStart::read(), args.serve.seed());
    let spec = |index| {
        let place = Place { address: args.address, shard: Shard { index, of: args.shards }, nonce };
        generator_spec(place, &campaign, &topology, clips.clone(), start, records.clone())
    };
    let specs = (0..args.shards).map(spec).collect();
    cli::serve(&args.serve, &records, specs, Some(limit))
}

/// Which generator of which run.
#[derive(Debug, Clone, Copy)]
struct Place {
    address: SocketAddr,
    shard: Shard,
    /// See [`Config::nonce`].
    nonce: u64,
}

/// A generator as a box to run; time zero of the campaign is `start`.
fn generator_spec(
    place: Place,
    campaign: &Campaign,
    topology: &Topology,
    clips: Clips,
    start: WallStart,
    records: Records,
) -> NodeSpec {
    let Place { address, shard, nonce } = place;
    let label = Label {
        name: format!("load-{}", shard.index + 1),
        kind: "generator",
        address,
        setting: "--address".to_owned(),
    };
    let timers = topology.timers;
    let timers = Timers { t1: timers.t1, t2: timers.t2, t4: timers.t4 };
    let trunk_groups =
        topology.trunk_groups.iter().map(|group| (group.name.clone(), group.address)).collect();
    let (media_ports, idle_after) = (topology.media.ports.clone(), topology.media.idle_after);
    let (name, campaign) = (label.name.clone(), campaign.clone());
    let build = move |address, _start: WallStart| {
        let clock = WallClock::new(start.now, start.unix);
        let config = Config {
            name,
            address,
            shard,
            timers,
            clock,
            nonce,
            media_ports,
            idle_after,
            clips,
            trunk_groups,
        };
        let mut generator = Generator::new(config, &campaign)
            .expect("the campaign was checked against its network");
        generator.handle_command(start.now, Command::Start { at: start.now });
        generator
    };
    NodeSpec::new(label, build, no_command, move |record| records.write(&record))
}

fn no_command(_args: serde_json::Value) -> Result<Command, String> {
    Err("a generator takes no commands".to_owned())
}
