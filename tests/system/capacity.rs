//! More calls at once than there is room for, at each place where room is limited: circuits of a trunk group, calls of a call server,
//! positions and queue of a PSAP. What is let in is served as ever, and what is not hears at once when to come back.

use std::collections::BTreeMap;
use std::time::Duration;

use campaign::{Arrivals, Campaign};
use system_tests::network::Network;
use telemetry::{BoxKind, CallRecord};
use topology::Distribution;
use world::Link;

use crate::support::{assert_idle, campaign, seconds};

/// Room for twenty calls at once where it is limited, and for thousands elsewhere.
const ROOM: f64 = 20.0;

/// How long a call holds what it has: it rings for 100 ms.
const HOLDS: f64 = 2.1;

/// A flood is so many seconds long.
const LENGTH: u64 = 60;

/// One of each box; the limits stand for circuits, calls, and what the PSAP has.
fn text(circuits: u32, calls: u32, psap: &str) -> String {
    format!(
        "[sites.alpha]\naddress = \"127.0.0.11:5060\"\nmax_calls = {calls}\nretry_after = \"1s\"\n\
         [trunk_groups.mobile]\naddress = \"127.0.0.21:5060\"\ncircuits = {circuits}\n\
         [psaps.samu-59]\naddress = \"127.0.0.31:5060\"\nnumber = \"0353010015\"\nring = \"100ms\"\nwrap_up = \"0s\"\n{psap}\n\
         [[routes]]\nnumbers = [\"15\"]\npsaps = [\"samu-59\"]\n"
    )
}

const ANY_PSAP: &str = "positions = 5000";

fn crowd(load: f64) -> Campaign {
    let mut crowd = campaign(1.0, seconds(LENGTH), 81);
    crowd.phases[0].arrivals = Arrivals::Poisson { rate: load * ROOM / HOLDS };
    crowd.mix.truncate(1);
    crowd.callers.caller_hangs_up = 1.0;
    crowd.callers.talk = Distribution::Fixed(seconds(2));
    crowd.callers.patience = Some(Distribution::Fixed(seconds(30)));
    crowd
}

/// What callers met.
#[derive(Debug)]
struct Met {
    /// Answered calls in a second, as a share of the room.
    served: f64,
    /// The longest wait for an answer.
    longest_wait: Duration,
    /// Refusals by their status.
    refused: BTreeMap<u16, u64>,
    /// The longest time until a refusal.
    slowest_refusal: Duration,
    /// Refusals with 503 that do not say when to come back.
    without_advice: usize,
}

fn meet(network: &str, load: f64) -> (Network, Met) {
    let mut network = Network::new(network, Link::CLEAN, 81);
    network.run_for(seconds(2));
    network.net.forget_packets();
    network.start_campaign(&crowd(load));
    network.run_for(seconds(LENGTH + 10));
    let ours = |record: &&CallRecord| record.kind == BoxKind::Generator;
    let records: Vec<&CallRecord> = network.records().iter().filter(ours).collect();
    let time = |from: u64, to: Option<u64>| to.map(|to| Duration::from_micros(to - from));
    let waits = records.iter().filter_map(|record| time(record.start_us, record.answer_us));
    let refused = records.iter().filter(|record| record.answer_us.is_none());
    let mut by_status = BTreeMap::new();
    for status in refused.clone().filter_map(|record| record.status) {
        *by_status.entry(status).or_default() += 1;
    }
    let refusals = network.net.trace().packets().filter(|packet| {
        packet.from == network.at("mobile") && packet.bytes.starts_with(b"SIP/2.0 503 ")
    });
    let met = Met {
        served: waits.clone().count() as f64 / LENGTH as f64 / (ROOM / HOLDS),
        longest_wait: waits.max().unwrap_or_default(),
        refused: by_status,
        slowest_refusal: refused
            .filter_map(|record| time(record.start_us, Some(record.end_us)))
            .max()
            .unwrap_or_default(),
        without_advice: refusals
            .filter(|packet| !packet.bytes.windows(14).any(|window| window == b"\r\nRetry-After:"))
            .count(),
    };
    (network, met)
}

/// The flood is over: the books balance and nothing is left.
fn end(mut network: Network) {
    assert!(network.run_until_idle(seconds(600)), "{:?}", network.held());
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert_idle(&mut network);
}

/// Below the room, at 150 % and at 400 % of it.
fn floods(network: &str) -> [(Network, Met); 3] {
    [0.4, 1.5, 4.0].map(|load| meet(network, load))
}

/// What all three places have in common: nobody who is let in waits longer than when the network was calm, plus `queue`, and
/// nobody who is not hears of it late.
fn assert_quality(place: &str, calm: &Met, met: &Met, queue: Duration) {
    println!("{place}: {met:?}");
    let longest = calm.longest_wait + queue + Duration::from_millis(20);
    assert!(met.longest_wait <= longest, "{place}: {met:?}; calm: {calm:?}");
    assert!(met.slowest_refusal < Duration::from_millis(200), "{place}: {met:?}");
    assert!(met.refused.values().sum::<u64>() > 100, "{place}: {met:?}");
}

#[test]
fn without_a_free_circuit_calls_are_refused_at_once_and_told_when_to_come_back() {
    let [(_, calm), over, far_over] = floods(&text(20, 10_000, ANY_PSAP));
    assert!(calm.refused.is_empty(), "{calm:?}");
    for (network, met) in [over, far_over] {
        assert_quality("trunk group", &calm, &met, Duration::ZERO);
        assert!(met.served > 0.75, "{met:?}");
        assert_eq!(
            (met.refused.keys().copied().collect::<Vec<_>>(), met.without_advice),
            (vec![503], 0),
            "{met:?}"
        );
        let group = network.trunk_group("mobile");
        assert_eq!(group.counts.rejected, met.refused[&503]);
        end(network);
    }
}

#[test]
fn a_full_call_server_refuses_at_once_and_its_trunk_group_passes_on_when_to_come_back() {
    let [(_, calm), over, far_over] = floods(&text(2_000, 20, ANY_PSAP));
    assert!(calm.refused.is_empty(), "{calm:?}");
    for (network, met) in [over, far_over] {
        assert_quality("call server", &calm, &met, Duration::ZERO);
        // It keeps its trunk groups away for whole seconds, and is not full all the time.
        assert!(met.served > 0.5, "{met:?}");
        assert_eq!(
            (met.refused.keys().copied().collect::<Vec<_>>(), met.without_advice),
            (vec![503], 0),
            "{met:?}"
        );
        assert!(network.call_server("alpha").counts.shed > 0);
        end(network);
    }
}

#[test]
fn a_psap_without_room_refuses_as_its_queue_says() {
    // Five wait at most, for a part of a call each.
    let longest = Duration::from_secs_f64(HOLDS);
    for (when_full, status) in [("reject 486", 486), ("reject 600", 600), ("reject 503", 503)] {
        let psap = format!("positions = 20\nqueue = 5\nwhen_full = \"{when_full}\"");
        let [(_, calm), over, far_over] = floods(&text(2_000, 10_000, &psap));
        assert!(calm.refused.is_empty(), "{calm:?}");
        for (network, met) in [over, far_over] {
            assert_quality(when_full, &calm, &met, longest);
            assert!(met.served > 0.75, "{when_full}: {met:?}");
            println!("{when_full}: {:?}", met.refused);
            let psap = network.psap("samu-59");
            assert!(psap.refused > 100, "{psap:?}");
            if status != 503 {
                assert_eq!(met.refused.keys().copied().collect::<Vec<_>>(), [status], "{met:?}");
            }
            end(network);
        }
    }
}
