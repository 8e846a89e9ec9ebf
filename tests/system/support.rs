//! The small network of the ladders, and the six sites of the floods.

use std::time::Duration;

use campaign::{Arrivals, CallerAudio, Callers, Campaign, MixEntry, Phase};
use system_tests::network::Network;
use topology::Distribution;
use world::Link;

/// Two sites taken in turn, one trunk group, two answering points that answer after two seconds.
pub(crate) const TWO_SITES: &str = r#"
[pool]
probe_interval = "1h"

[sites.alpha]
address = "127.0.0.11:5060"
ring_timeout = "20s"

[sites.beta]
address = "127.0.0.12:5060"
ring_timeout = "20s"

[trunk_groups.mobile]
address = "127.0.0.21:5060"
policy = "round-robin"
circuits = 2
next_site_after = "2s"

[psaps.samu-59]
address = "127.0.0.31:5060"
number = "0353010015"
positions = 2
queue = 0
ring = "2s"
talk = "10s"

[psaps.samu-75]
address = "127.0.0.34:5060"
number = "0199000015"
positions = 2
queue = 0
ring = "2s"
talk = "10s"

[[routes]]
numbers = ["15", "112", "urn:service:sos.ambulance"]
psaps = ["samu-59", "samu-75"]

[[routes]]
numbers = ["18", "urn:service:sos.fire"]
psaps = ["samu-75", "samu-59"]
"#;

/// The example network with six sites, as it ships.
pub(crate) const SIX_SITES: &str = include_str!("../../configs/networks/six-sites.toml");

/// The columns of most ladders.
pub(crate) const PATH: [&str; 4] = ["caller", "mobile", "alpha", "samu-59"];

pub(crate) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The small network with clean links, after the first round of probes.
pub(crate) fn two_sites() -> Network {
    two_sites_with(&[])
}

/// The same with some of its text replaced.
pub(crate) fn two_sites_with(changes: &[(&str, &str)]) -> Network {
    let mut text = TWO_SITES.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "{old:?} is not in the network");
        text = text.replacen(old, new, 1);
    }
    let mut network = Network::new(&text, Link::CLEAN, 1);
    network.run_for(ms(100));
    network
}

/// A campaign of `rate` calls per second for `length`: all short numbers, some callers give up.
pub(crate) fn campaign(rate: f64, length: Duration, seed: u64) -> Campaign {
    let entry = |number: &str, communes: &[&str], weight| MixEntry {
        number: number.to_owned(),
        communes: communes.iter().map(ToString::to_string).collect(),
        weight,
        trunk_group: None,
        talk: None,
        redial: true,
    };
    Campaign {
        assumed: Vec::new(),
        steady_state: Vec::new(),
        name: "flood".to_owned(),
        title: "as the file says".to_owned(),
        network: "six-sites.toml".into(),
        seed,
        phases: vec![Phase {
            name: "flood".to_owned(),
            duration: length,
            arrivals: Arrivals::Poisson { rate },
        }],
        mix: vec![
            entry("15", &["59350", "75056"], 3.0),
            entry("17", &["59350", "75056"], 2.0),
            entry("18", &["59350", "2A004"], 2.0),
            entry("112", &["59350", "75056"], 2.0),
            entry("urn:service:sos.fire", &["75056"], 1.0),
        ],
        feed: None,
        callers: Callers {
            talk: Distribution::Uniform { from: seconds(1), to: seconds(4) },
            patience: Some(Distribution::Exponential { mean: seconds(20) }),
            caller_hangs_up: 0.5,
            media: 0.0,
            audio: CallerAudio::Tones,
            digits: String::new(),
            redial: None,
        },
        drain_timeout: seconds(30),
        max_in_progress: 10_000,
        ring_limit: seconds(60),
        validity: campaign::Validity::default(),
        trace: campaign::TraceSettings::default(),
        foreign_callers: false,
        unrecorded: Vec::new(),
        thresholds: Vec::new(),
        progress_interval: seconds(1),
        operations: operations::OperationsSettings::default(),
        figures: Vec::new(),
        variants: Vec::new(),
        plots: Vec::new(),
        time: campaign::Time::Real,
        begins: Duration::ZERO,
        compression: 1.0,
    }
}

/// Nothing is left anywhere: no call, no circuit, no position, and after a drain no leg and no
/// transaction.
pub(crate) fn assert_idle(network: &mut Network) {
    let idle = network.run_until_idle(seconds(3 * 3_600));
    assert!(idle, "still held: {:#?}", network.held());
    assert_eq!(network.unbalanced(), [""; 0]);
    network.net.drain_all();
    network.run_for(seconds(200));
    assert_eq!(network.net.not_drained(), []);
}
