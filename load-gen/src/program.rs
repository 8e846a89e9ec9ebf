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
use crate::{
    Command, Config, Generator, RequestUri, Shard, TargetArgs, TenDigits, address_towards,
};

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
    let records = match Records::create(args.serve.records.as_deref()) {
        Ok(records) => records,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    let limit = campaign.duration() + campaign.drain_timeout;
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
    let callees = Callees { trunk_groups, request_uri };
    let (start, nonce) = (WallStart::read(), args.serve.seed());
    let spec = |index| {
        let place = Place { address, shard: Shard { index, of: args.shards }, nonce };
        let callees = callees.clone();
        generator_spec(place, callees, &campaign, &topology, clips.clone(), start, records.clone())
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

/// Whom the callers call, and how they say so.
#[derive(Debug, Clone)]
struct Callees {
    trunk_groups: Vec<(String, SocketAddr)>,
    request_uri: Option<RequestUri>,
}

/// A generator as a box to run; time zero of the campaign is `start`.
fn generator_spec(
    place: Place,
    callees: Callees,
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
    let ten_digits = TenDigits::of(topology);
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
            trunk_groups: callees.trunk_groups,
            ten_digits,
            request_uri: callees.request_uri,
        };
        let mut generator = Generator::new(config, &campaign)
            .expect("the campaign was checked against its network");
        generator.handle_command(start.now, Command::Start { at: start.now });
        generator
    };
    NodeSpec::new(label, build, decode, move |record| records.write(&record))
}

/// `{"advise": true}` advises the public to redial; `{"publish_ten_digits": true}` tells it the
/// ten-digit numbers of the PSAPs.
fn decode(args: serde_json::Value) -> Result<Command, String> {
    let yes = |key| args.get(key).and_then(serde_json::Value::as_bool) == Some(true);
    match (yes("advise"), yes("publish_ten_digits")) {
        (true, false) => Ok(Command::Advise),
        (false, true) => Ok(Command::PublishTenDigits),
        _ => Err("write {\"advise\": true} or {\"publish_ten_digits\": true}".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_public_is_told_one_thing_at_a_time() {
        assert_eq!(decode(json!({ "advise": true })), Ok(Command::Advise));
        assert_eq!(decode(json!({ "publish_ten_digits": true })), Ok(Command::PublishTenDigits));
        for wrong in [json!({}), json!({ "advise": false }), json!("advise")] {
            assert!(decode(wrong).expect_err("no order").contains("publish_ten_digits"));
        }
        let both = json!({ "advise": true, "publish_ten_digits": true });
        assert!(decode(both).is_err());
    }
}
