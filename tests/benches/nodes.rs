//! What messages, transactions, calls and attempts cost without sockets and without a kernel: the scanner, a transaction, a flood
//! through all boxes on the simulated network, and the ledger of that flood. Also meant for `valgrind --tool=callgrind` and
//! `perf record`, with the name of one of them as argument.

use std::time::{Duration, Instant};

use bytes::Bytes;
use campaign::Campaign;
use divan::Bencher;
use divan::counter::ItemsCount;
use sip_proto::message::parse;
use sip_proto::timer::Timers;
use sip_proto::transaction::{Event, Transactions};
use sip_proto::{Packet, Rejection, Transport};
use system_tests::network::Network;
use telemetry::{Audit, Rules};
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

/// The calls of the campaign.
const CALLS: u64 = 20_000;

/// Requests of one sample.
const INVITES: usize = 1_000;

fn main() {
    divan::main();
}

fn invite(number: usize) -> Bytes {
    let lines = [
        "INVITE sip:15@127.0.0.11:5060 SIP/2.0".to_owned(),
        format!("Via: SIP/2.0/UDP 127.0.0.100:5060;branch=z9hG4bK{number:016x};rport"),
        "Max-Forwards: 70".to_owned(),
        "From: <sip:+33320000001@127.0.0.100>;tag=a73kszlfl".to_owned(),
        "To: <sip:15@127.0.0.11>".to_owned(),
        format!("Call-ID: {number:016x}@127.0.0.100"),
        "CSeq: 1 INVITE".to_owned(),
        "Contact: <sip:127.0.0.100:5060>".to_owned(),
        "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;local-time-zone=\"UTC+1\";np".to_owned(),
        "Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000"
            .to_owned(),
        "Content-Length: 0".to_owned(),
        "\r\n".to_owned(),
    ];
    lines.join("\r\n").into()
}

#[divan::bench]
fn message_is_scanned(bencher: Bencher<'_, '_>) {
    let bytes = invite(1);
    bencher.bench_local(|| parse(bytes.clone()).expect("an INVITE is sound"));
}

/// An INVITE arrives and is refused; its transaction waits for the ACK.
#[divan::bench(sample_size = 1)]
fn transaction_is_served(bencher: Bencher<'_, '_>) {
    let (address, peer) = (([127, 0, 0, 11], 5060).into(), ([127, 0, 0, 100], 5060).into());
    let packet = |number| Packet { transport: Transport::Udp, peer, bytes: invite(number) };
    let inputs = || {
        let transactions = Transactions::<()>::new(address, Timers::RFC3261, 1);
        (transactions, (0..INVITES).map(packet).collect::<Vec<Packet>>())
    };
    let now = Instant::now();
    bencher.counter(ItemsCount::new(INVITES)).with_inputs(inputs).bench_local_values(
        |(mut transactions, packets)| {
            for packet in packets {
                transactions.handle_packet(now, packet);
                let Some(Event::Request { id, .. }) = transactions.poll_event() else {
                    panic!("an INVITE is a request");
                };
                transactions.reject(now, id, &Rejection::new(486));
                while transactions.poll_transmit().is_some() {}
            }
            transactions
        },
    );
}

/// The network when the campaign begins.
fn started() -> Network {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("campaign.toml");
    std::fs::write(&file, CAMPAIGN).expect("a file");
    let campaign = Campaign::load(&file, &Layers::none()).expect("a campaign without mistakes");
    let mut network = Network::new(NETWORK, Link::CLEAN, 1);
    network.net.forget_packets();
    network.start_campaign(&campaign);
    network
}

fn run(mut network: Network) -> Network {
    network.run_for(Duration::from_secs(25));
    assert_eq!(network.generator().answered, CALLS);
    network
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn call_passes_all_boxes(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(CALLS)).with_inputs(started).bench_local_values(run);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn attempt_is_accounted_for(bencher: Bencher<'_, '_>) {
    let network = run(started());
    bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
        let mut audit = Audit::new(Rules::default());
        network.records().iter().for_each(|record| audit.add(record));
        audit.close(CALLS, &[]).ledger()
    });
}
