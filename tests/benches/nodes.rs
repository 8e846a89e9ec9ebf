//! What a call costs inside the boxes alone: a flood over the simulated network, without sockets and without a kernel. Meant for
//! `valgrind --tool=callgrind` and `perf record`, which see nothing but protocol and call control here.

use std::time::{Duration, Instant};

use campaign::Campaign;
use system_tests::network::Network;
use topology::Layers;
use world::Link;

const NETWORK: &str = r#"
name = "bench"
[sites.one]
address = "127.0.0.11:5060"
[trunk_groups.trunk]
address = "127.0.0.21:5060"
circuits = 10000
[psaps.centre]
address = "127.0.0.31:5060"
number = "0199000015"
positions = 10000
ring = "0s"
talk = "never"
wrap_up = "0s"
[[routes]]
numbers = ["15"]
psaps = ["centre"]
"#;

const CAMPAIGN: &str = r#"
network = "bench.toml"
seed = 1
[[phases]]
name = "load"
duration = "20s"
arrivals = { model = "constant", rate = 1000 }
[[mix]]
number = "15"
communes = ["59350"]
weight = 1
[callers]
talk = "100ms"
patience = "endless"
caller_hangs_up = 1.0
media = 0
"#;

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("campaign.toml");
    std::fs::write(&file, CAMPAIGN)?;
    let campaign = Campaign::load(&file, &Layers::none())?;
    let mut network = Network::new(NETWORK, Link::CLEAN, 1);
    network.net.forget_packets();
    network.start_campaign(&campaign);
    let start = Instant::now();
    network.run_for(Duration::from_secs(25));
    let answered = network.generator().answered;
    let each = start.elapsed().as_secs_f64() * 1e6 / answered as f64;
    println!("{answered} calls answered, {each:.1} µs for each, all boxes together");
    Ok(())
}
