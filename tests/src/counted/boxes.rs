//! Calls through one box: a network of all boxes carries them once, and the box is then fed again with what reached it,
//! alone. So the peers are canned, they say what they really say, and no instruction of theirs is counted.
//!
//! ```text
//!   0 s ──── warm: calls begin and end ──── 1 s ──── the counted calls ──── 1.5 s
//!            all boxes                               network one: all boxes, and what crosses is kept
//!                                                    network two: the counted box, fed with that
//! ```
//!
//! The base timers of SIP are short here, so that the transactions of each call end within the time that is counted, as
//! they do in the long run.

use std::net::SocketAddr;
use std::time::Duration;

use campaign::Campaign;
use sip_proto::Packet;
use topology::Layers;
use trace::{Hub, Keep, RecorderMemory};
use world::alone::{Alone, Arrival, Output, arrivals};
use world::{GENERATOR, Link};

use super::sink::RecordSink;
use crate::network::Network;

const NETWORK: &str = r#"
name = "counted"
[timers]
t1 = "10ms"
t2 = "10ms"
t4 = "10ms"
[pool]
probe_interval = "1h"
[sites.one]
address = "127.0.0.11:5060"
[trunk_groups.trunk]
address = "127.0.0.21:5060"
circuits = 1000
[psaps.centre]
address = "127.0.0.31:5060"
number = "0199000015"
positions = 1000
ring = "0s"
talk = "never"
wrap_up = "0s"
[[routes]]
numbers = ["15"]
psaps = ["centre"]
"#;

const CAMPAIGN: &str = r#"
network = "counted.toml"
seed = 1
[[phases]]
name = "load"
duration = "20s"
arrivals = { model = "constant", rate = 50 }
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

/// Transactions end 64 · T1 = 640 ms after their call, so from here on as many end as begin.
const WARM: Duration = Duration::from_secs(1);
const END: Duration = Duration::from_millis(1_500);

/// Calls that begin between the two.
pub const CALLS: u64 = 25;

/// A box, and what is about to reach it.
#[derive(Debug)]
pub struct LoneBox {
    alone: Alone,
    arrivals: Vec<Arrival>,
    records: RecordSink,
}

impl LoneBox {
    /// The box of this name, warmed up; the trunk group is `trunk`, the call server `one`, the PSAP `centre`, and the
    /// generator `generator`.
    #[must_use]
    pub fn warm(name: &str) -> Self {
        Self::warmed(name, network())
    }

    /// The same, with a flight recorder beside it, which keeps what ends badly.
    #[must_use]
    pub fn warm_and_recorded(name: &str) -> Self {
        let mut half = network();
        half.keep_calls(Hub::new(Keep::Failed, RecorderMemory::of_mib(16, false), |_| true));
        Self::warmed(name, half)
    }

    fn warmed(name: &str, mut half: Network) -> Self {
        let mut whole = network();
        let address = whole.at(name);
        whole.run_for(END);
        let arrivals = arrivals(whole.net.trace(), address, Link::CLEAN.latency, WARM, END);
        drop(whole);
        half.run_for(WARM);
        let alone = half.net.take(address).expect("a box of the network");
        Self { alone, arrivals, records: RecordSink::new() }
    }

    /// Lets the box do its part of all [`CALLS`].
    ///
    /// # Panics
    /// When it is run again, or does not write a record of each call.
    pub fn run(&mut self) {
        let arrivals = std::mem::take(&mut self.arrivals);
        let records = &mut self.records;
        self.alone.replay(arrivals, END, |output| {
            if let Output::Notice(notice) = output {
                records.take(&notice);
            }
        });
        assert_eq!(records.written(), CALLS, "a record of each call");
    }

    /// The packets that it sends meanwhile.
    #[must_use]
    pub fn packets(mut self) -> Vec<Packet> {
        let mut packets = Vec::new();
        self.alone.replay(self.arrivals, END, |output| {
            if let Output::Packet(packet) = output {
                packets.push(packet);
            }
        });
        packets
    }
}

/// The packets that the box of this name sends in the counted time when it has all others around it.
#[must_use]
pub fn packets_among_others(name: &str) -> Vec<Packet> {
    let mut whole = network();
    let address = whole.at(name);
    whole.run_for(END);
    let sent = whole.net.trace().packets();
    let sent = sent.filter(|sighting| sighting.from == address && sighting.at > WARM);
    let packets = sent.map(|sighting| Packet {
        transport: sighting.transport,
        peer: sighting.to,
        bytes: sighting.bytes.clone(),
    });
    packets.collect()
}

/// The network when the first call is due.
fn network() -> Network {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("campaign.toml");
    std::fs::write(&file, CAMPAIGN).expect("a file");
    let campaign = Campaign::load(&file, &Layers::none()).expect("a campaign without mistakes");
    let mut network = Network::new(NETWORK, Link::CLEAN, 1);
    network.start_campaign(&campaign);
    let generator: SocketAddr = GENERATOR.parse().expect("an address");
    network.name("generator", generator);
    network
}
