//! The program `load-gen`: only the callers, against a network that runs already.

mod probe;
mod target;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use cli::{BoxArgs, FileArgs, RecordSink};
use contract::{BoxOrder, Node as _, NodeKind};
use media::Clips;
use node::clock::WallStart;
use node::{Label, NodeSpec};
use sip_proto::Transport;
use sip_proto::timer::Timers;
use sip_proto::wall_clock::WallClock;
use topology::Topology;

use campaign::{Campaign, ENVIRONMENT_PREFIX};
use load_gen::{Command, Config, Generator, RequestUri, Shard, TenDigits};

pub use probe::probe;
pub use target::{TargetArgs, TrunkGroupTarget, address_towards};

/// Callers are ready for so long before the campaign begins: what a program does for the first time takes it longer, and
/// would make the first calls late.
pub const HEAD_START: Duration = Duration::from_millis(250);

/// Whoever is told to wait for longer was given another unit of time.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// Places the calls of a campaign against a network that runs already
#[derive(Debug, Args)]
pub struct LoadArgs {
    #[command(flatten)]
    pub campaign: FileArgs,
    #[command(flatten)]
    pub target: TargetArgs,
    /// Where the callers are; port 0 takes any free port. The default is any port of the address from which this machine
    /// reaches the trunk groups
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<SocketAddr>,
    /// Generators that share the load, each on a thread of its own
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub shards: u32,
    /// Place the calls of this one caller only, by their number in the campaign, counted from 0
    #[arg(long, value_name = "NUMBER", conflicts_with = "shards")]
    pub only: Option<u32>,
    /// Begin at the Unix time, in microseconds, of the order {"begin_at_us": TIME}, so that all programs of a run have one
    /// start
    #[arg(long, hide = true, requires = "supervised")]
    pub begin_on_command: bool,
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
    args.serve.set_clock();
    if let Err(error) = args.serve.log.init() {
        return cli::fail(&error, cli::USAGE);
    }
    let records = match args.serve.record_file() {
        Ok(records) => records,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    let limit = HEAD_START + campaign.duration() + campaign.drain_timeout;
    let clips = match cli::load_clips(&topology.media) {
        Ok(clips) => clips,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    let trunk_groups = match args.target.trunk_groups(&topology) {
        Ok(trunk_groups) => trunk_groups,
        Err(sentence) => {
            cli::complain!("error: {sentence}");
            return ExitCode::from(cli::USAGE);
        }
    };
    let anywhere = || SocketAddr::new(address_towards(&trunk_groups), 0);
    let address = args.address.unwrap_or_else(anywhere);
    let request_uri = args.target.request_uri.clone();
    let transports = args.target.transports(&topology);
    // Who starts this program for a run has asked already.
    if args.target.is_given() && !args.target.no_probe && !args.serve.supervised {
        for ((_, to), transport) in trunk_groups.iter().zip(&transports) {
            if let Err(sentence) = probe(SocketAddr::new(address.ip(), 0), *to, *transport) {
                cli::complain!("error: {sentence}");
                return ExitCode::from(cli::USAGE);
            }
        }
    }
    let callees = Callees { trunk_groups, transports, request_uri };
    let (start, nonce) = (WallStart::read(), args.serve.seed());
    let begin = (!args.begin_on_command).then(|| start.now + HEAD_START);
    let spec = |index| {
        let whole = Shard { index, of: args.shards };
        let shard = args.only.map_or(whole, Shard::only);
        let name = format!("load-{}", index + 1);
        let identity = GeneratorIdentity { name, address, shard, nonce, begin };
        let callees = callees.clone();
        generator_spec(
            identity,
            callees,
            &campaign,
            &topology,
            clips.clone(),
            start,
            records.clone(),
        )
    };
    let specs = (0..args.shards).map(spec).collect();
    cli::serve(&args.serve, &records, specs, Some(limit))
}

/// Which generator of which run.
#[derive(Debug, Clone)]
struct GeneratorIdentity {
    /// By its place in the program, whatever part of the calls it has.
    name: String,
    address: SocketAddr,
    shard: Shard,
    /// See [`Config::nonce`].
    nonce: u64,
    /// Start of the campaign; `None`: a command tells.
    begin: Option<Instant>,
}

/// Whom the callers call, and how they say so.
#[derive(Debug, Clone)]
struct Callees {
    trunk_groups: Vec<(String, SocketAddr)>,
    /// How each is called.
    transports: Vec<Option<Transport>>,
    request_uri: Option<RequestUri>,
}

/// A generator as a box to run, dated by `start`.
fn generator_spec(
    identity: GeneratorIdentity,
    callees: Callees,
    campaign: &Campaign,
    topology: &Topology,
    clips: Clips,
    start: WallStart,
    records: RecordSink,
) -> NodeSpec {
    let GeneratorIdentity { name, address, shard, nonce, begin } = identity;
    let label = Label { name, kind: NodeKind::Generator, address, setting: "--address".to_owned() };
    let timers = topology.timers;
    let timers = Timers { t1: timers.t1, t2: timers.t2, t4: timers.t4 };
    let ten_digits = TenDigits::of(topology);
    let (media_ports, idle_after) = (topology.media.ports.clone(), topology.media.idle_after);
    let audit = topology.timers.audit;
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
            audit,
            clips,
            trunk_groups: callees.trunk_groups,
            ten_digits,
            request_uri: callees.request_uri,
        };
        let mut generator = Generator::new(config, &campaign)
            .expect("the campaign was checked against its network")
            .over(callees.transports);
        if let Some(at) = begin {
            generator.handle_command(start.now, Command::Start { at });
        }
        generator
    };
    let accept = move |order| accept(&order, start);
    NodeSpec::new(label, build, accept, move |record| records.write(&record))
}

fn accept(order: &BoxOrder, start: WallStart) -> Result<Command, String> {
    match order {
        BoxOrder::BeginAtUs(unix) => {
            match Duration::from_micros(*unix).saturating_sub(start.unix) {
                wait if wait > LONGEST_WAIT => {
                    Err("begin_at_us is more than a day away".to_owned())
                }
                wait => Ok(Command::Start { at: start.now + wait }),
            }
        }
        other => {
            let wrong = || {
                "write begin_at_us, advise, publish_ten_digits, pace, surge or end_surges"
                    .to_owned()
            };
            Command::announcement(other).ok_or_else(wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An order as it is typed at the pipe.
    fn told(order: serde_json::Value) -> Result<Command, String> {
        let order = serde_json::from_value(order).map_err(|error| error.to_string())?;
        accept(&order, WallStart::read())
    }

    #[test]
    fn a_campaign_begins_at_the_time_that_it_is_told() {
        let start = WallStart::read();
        let in_a_second = start.unix + Duration::from_secs(1);
        let at = u64::try_from(in_a_second.as_micros()).expect("microseconds of this age");
        let Ok(Command::Start { at }) = accept(&BoxOrder::BeginAtUs(at), start) else {
            panic!("no start");
        };
        let wait = at.duration_since(start.now);
        assert!(wait <= Duration::from_secs(1) && wait > Duration::from_millis(999), "{wait:?}");
        // Whoever is told too late begins at once, and one that is told nonsense says so.
        assert_eq!(told(json!({ "begin_at_us": 1 })).map(|_| ()), Ok(()));
        assert!(told(json!({ "begin_at_us": -1 })).is_err());
        assert!(told(json!({ "begin_at_us": u64::MAX })).is_err());
        assert!(told(json!({ "begin_at_us": 1, "advise": null })).is_err());
    }

    #[test]
    fn the_public_is_told_one_thing_at_a_time() {
        assert_eq!(told(json!("advise")), Ok(Command::Advise));
        assert_eq!(told(json!("publish_ten_digits")), Ok(Command::PublishTenDigits));
        for wrong in [json!({}), json!({ "advise": false }), json!("advice")] {
            assert!(told(wrong.clone()).is_err(), "{wrong}");
        }
        assert!(
            told(json!({ "set_positions": 1 }))
                .expect_err("no order")
                .contains("publish_ten_digits")
        );
        let both = json!({ "advise": null, "publish_ten_digits": null });
        assert!(told(both).is_err());
    }
}
