//! How many bytes of the heap a call takes that is held, box by box: each box is fed alone with what reached it on a network of all
//! boxes, as where instructions are counted (`counted/boxes.rs`), and what it has allocated and not given back is what its calls take.
//!
//! They are counted soon after the answer, when the transactions of their INVITEs wait for late copies: so a box stands that takes
//! new calls all the time. Where the bytes are tells `PROFILE=alpha cargo test --workspace --test memory`: it writes a profile of the
//! box of that name, for <https://nnethercote.github.io/dh_view/dh_view.html>.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use bytes::Bytes;
use campaign::Campaign;
use sip_proto::Packet;
use system_tests::network::Network;
use topology::Layers;
use world::alone::{Arrival, arrivals};
use world::{GENERATOR, Link};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const NETWORK: &str = r#"
[pool]
probe_interval = "1h"
[sites.alpha]
address = "127.0.0.11:5060"
max_calls = 10000
[trunk_groups.mobile]
address = "127.0.0.21:5060"
circuits = 10000
[psaps.samu-59]
address = "127.0.0.31:5060"
number = "0199000015"
positions = 10000
ring = "0s"
talk = "never"
[[routes]]
numbers = ["15"]
psaps = ["samu-59"]
"#;

const CAMPAIGN: &str = r#"
network = "network.toml"
seed = 1
[[phases]]
name = "load"
duration = "2s"
arrivals = { model = "constant", rate = 500 }
[[mix]]
number = "15"
weight = 1
[callers]
talk = "1h"
patience = "endless"
caller_hangs_up = 1.0
media = MEDIA
"#;

/// When the box is looked at for the first time, and for the second time: so the calls that begin between the two count, and what
/// a box holds that has calls at all does not.
const FIRST: Duration = Duration::from_millis(1_000);
const SECOND: Duration = Duration::from_millis(2_500);

/// Calls that begin between the two.
const CALLS: f64 = 500.0;

/// The boxes, and what a call may take in each without media and with it. Processes take some 15 % more.
const BOXES: [(&str, u64, u64); 4] = [
    ("mobile", 2_700, 2_700),
    ("alpha", 3_600, 4_600),
    ("samu-59", 2_600, 4_700),
    ("generator", 2_600, 4_700),
];

#[test]
fn a_held_call_takes_no_more_than_its_share() {
    let wanted = std::env::var("PROFILE").ok();
    let mut too_large = Vec::new();
    for (name, silent, talking) in BOXES {
        for (media, most) in [(0, silent), (1, talking)] {
            let Some(bytes) = bytes_of_a_call(name, media, wanted.as_deref()) else { continue };
            println!("{name} with media = {media}: {bytes} bytes of {most}");
            if bytes > most {
                too_large.push(format!("{name} with media = {media}: {bytes} bytes, not {most}"));
            }
        }
    }
    assert!(too_large.is_empty(), "{too_large:#?}");
}

/// The bytes that one more call takes in the box of this name; `None` if only another one is wanted.
fn bytes_of_a_call(name: &str, media: u8, wanted: Option<&str>) -> Option<u64> {
    if wanted.is_some_and(|wanted| wanted != name) {
        return None;
    }
    let mut whole = network(media);
    let address = whole.at(name);
    whole.run_for(SECOND);
    let arrivals =
        arrivals(whole.net.trace(), address, Link::CLEAN.latency, Duration::ZERO, SECOND);
    drop(whole);
    let mut alone = network(media).net.take(address).unwrap();
    let (early, late): (Vec<_>, Vec<_>) = arrivals.iter().partition(|arrival| arrival.at <= FIRST);
    let profile = dhat::Profiler::builder();
    let profile = match wanted {
        Some(name) => profile.file_name(format!("target/memory-{name}-{media}.json")),
        None => profile.testing(),
    };
    let profile = profile.build();
    alone.replay(early.into_iter().map(received), FIRST, drop);
    let before = dhat::HeapStats::get().curr_bytes;
    alone.replay(late.into_iter().map(received), SECOND, drop);
    let after = dhat::HeapStats::get().curr_bytes;
    drop(profile);
    Some(((after - before) as f64 / CALLS) as u64)
}

/// As from a socket: in memory of its own.
fn received(arrival: &Arrival) -> Arrival {
    let bytes = Bytes::copy_from_slice(&arrival.packet.bytes);
    Arrival { at: arrival.at, packet: Packet { bytes, ..arrival.packet } }
}

/// The network when the first call is due.
fn network(media: u8) -> Network {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("campaign.toml");
    std::fs::write(&file, CAMPAIGN.replace("MEDIA", &media.to_string())).unwrap();
    let campaign = Campaign::load(&file, &Layers::none()).unwrap();
    let mut network = Network::new(NETWORK, Link::CLEAN, 1);
    network.start_campaign(&campaign);
    network.name("generator", GENERATOR.parse().unwrap());
    network
}
