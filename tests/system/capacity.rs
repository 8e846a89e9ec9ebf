//! More calls at once than there is room for, at each place where room is limited: circuits of a trunk group, calls of a call server,
//! positions and queue of a PSAP. What is let in is served as ever, and what is not hears at once when to come back.

use std::collections::BTreeMap;
use std::time::Duration;

use campaign::{Arrivals, Campaign};
use system_tests::network::Network;
use system_tests::rogue::{Opening, Rogue, Whim};
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

/// Three sites behind one trunk group, and these limits of each box.
fn limited_to(limits: &str) -> Network {
    let text = format!(
        "[pool]\nprobe_interval = \"1h\"\n[sip]\n{limits}\n[sites.alpha]\naddress = \"127.0.0.11:5060\"\n[sites.beta]\naddress = \"127.0.0.12:5060\"\n\
         [sites.gamma]\naddress = \"127.0.0.13:5060\"\n\
         [trunk_groups.mobile]\naddress = \"127.0.0.21:5060\"\ncircuits = 1000\n\
         [psaps.samu-59]\naddress = \"127.0.0.31:5060\"\nnumber = \"0353010015\"\npositions = 100\nring = \"100ms\"\n\
         [[routes]]\nnumbers = [\"15\"]\npsaps = [\"samu-59\"]\n"
    );
    let mut network = Network::new(&text, Link::CLEAN, 82);
    let at = ROGUE.parse().unwrap();
    network.name("rogue", at);
    network.net.attach(at, Rogue::new(at, vec![Whim::Answer(200)]));
    network.run_for(seconds(2));
    network
}

const ROGUE: &str = "127.9.0.1:5060";

/// So many calls at once to one box; what each heard within a second.
fn rush(network: &mut Network, name: &str, number: &'static str, count: usize) -> Vec<Vec<u16>> {
    let (rogue, hop) = (network.at("rogue"), network.at(name));
    let contact = format!("<sip:rogue@{ROGUE}>");
    let opening = Opening { number, contact, has_tag: true };
    let first = network.net.node::<Rogue>(rogue).calls();
    network.net.act(rogue, |rogue: &mut Rogue, _| {
        for _ in 0..count {
            rogue.call(hop, &opening);
        }
    });
    network.run_for(seconds(1));
    let rogue = network.net.node::<Rogue>(rogue);
    (first..first + count).map(|at| rogue.heard(at).to_vec()).collect()
}

/// What a box counts: calls refused for want of a dialog, requests refused for want of a transaction, and dialogs that are alive.
fn over_limits(network: &Network, name: &str) -> (u64, u64, usize) {
    match name {
        "mobile" => {
            let shown = network.trunk_group(name);
            (shown.counts.over_dialogs, shown.overflow, shown.calls)
        }
        "samu-59" => {
            let shown = network.psap(name);
            (shown.over_dialogs, shown.overflow, shown.dialogs)
        }
        _ => {
            let shown = network.call_server(name);
            (shown.counts.over_dialogs, shown.overflow, shown.dialogs)
        }
    }
}

/// The boxes with a number that each takes, and how many dialogs a call has there.
const BOXES: [(&str, &str, usize); 3] =
    [("mobile", "15", 1), ("alpha", "15", 2), ("samu-59", "0353010015", 1)];

/// The refusals of a box that are not as they should be: 503 with Retry-After, and the name of the setting that would help.
fn bad_refusals(network: &Network, name: &str, setting: &str) -> usize {
    let packets = network.net.trace().packets();
    let refusals = packets.filter(|packet| {
        packet.from == network.at(name) && packet.bytes.starts_with(b"SIP/2.0 503 ")
    });
    let texts = refusals.map(|packet| String::from_utf8_lossy(&packet.bytes).into_owned());
    texts.filter(|text| !text.contains("\r\nRetry-After: ") || !text.contains(setting)).count()
}

#[test]
fn a_box_with_its_limit_of_dialogs_refuses_the_next_call_and_takes_one_when_there_is_room() {
    for (name, number, dialogs_of_a_call) in BOXES {
        // Each of the three sites has room for a call less than the trunk group.
        let room = 6;
        let mut network = limited_to(&format!("dialogs = {room}"));
        let fits = room / dialogs_of_a_call;
        let heard = rush(&mut network, name, number, fits);
        assert!(heard.iter().all(|heard| heard == &[200]), "{name}: {heard:?}");
        assert_eq!(over_limits(&network, name), (0, 0, room), "{name}");
        let heard = rush(&mut network, name, number, 4);
        assert!(heard.iter().all(|heard| heard == &[503]), "{name}: {heard:?}");
        assert_eq!(over_limits(&network, name), (4, 0, room), "{name}");
        assert_eq!(bad_refusals(&network, name, "sip.dialogs"), 0, "{name}");
        let rogue = network.at("rogue");
        network.net.act(rogue, |rogue: &mut Rogue, _| rogue.send(0, "BYE", ""));
        network.run_for(seconds(1));
        let heard = rush(&mut network, name, number, 1);
        assert_eq!(heard, [[200]], "{name}: one has hung up");
        network.net.act(rogue, |rogue: &mut Rogue, _| {
            (0..rogue.calls()).for_each(|at| rogue.send(at, "BYE", ""));
        });
        assert_idle(&mut network);
    }
}

/// Calls through so many trunk groups and sites to one PSAP, which each of them forwards evenly: so the transactions come to their
/// limit at the box where most ways meet.
fn narrow(groups: usize, sites: usize) -> String {
    let mut text = "[pool]\nprobe_interval = \"1h\"\n[sip]\ntransactions = 800\n".to_owned();
    for at in 1..=sites {
        text += &format!("[sites.s{at}]\naddress = \"127.0.0.1{at}:5060\"\n");
    }
    for (at, name) in (1..=groups).zip(["mobile", "fixed"]) {
        text +=
            &format!("[trunk_groups.{name}]\naddress = \"127.0.0.2{at}:5060\"\ncircuits = 1000\n");
    }
    text + "[psaps.samu-59]\naddress = \"127.0.0.31:5060\"\nnumber = \"0353010015\"\npositions = 1000\nring = \"100ms\"\n\
            [[routes]]\nnumbers = [\"15\"]\npsaps = [\"samu-59\"]\n"
}

// Who was refused for want of a transaction has a record there, like everybody else: the books balance.
#[test]
fn a_run_at_the_limit_of_transactions_knows_each_call_that_it_refused() {
    for (groups, sites, full) in [(1, 2, "mobile"), (2, 1, "s1"), (2, 2, "samu-59")] {
        let (mut network, met) = meet(&narrow(groups, sites), 1.0);
        let overflow = |name: &str| match name {
            "samu-59" => network.psap(name).overflow,
            "s1" => network.call_server(name).overflow,
            _ => network.trunk_group(name).overflow,
        };
        let of_it = network.records().iter().filter(|record| record.node == full);
        let why = |record: &&CallRecord| {
            record.reason.as_deref().is_some_and(|why| why.contains("sip.transactions"))
        };
        let told: Vec<_> = of_it.filter(why).map(|record| record.status).collect();
        // Probes are refused too, and whoever is refused stays away for a time.
        let count = told.len() as u64;
        assert!(count > 2 && count <= overflow(full), "{full}: {count} of {met:?}");
        assert!(told.iter().all(|status| *status == Some(503)), "{full}: {told:?}");
        assert!(network.run_until_idle(seconds(600)), "{:?}", network.held());
        let ledger = network.ledger(network.generator().offered, false);
        assert!(ledger.balanced, "{full}: {ledger:#?}");
        assert_idle(&mut network);
    }
}

#[test]
fn a_box_with_its_limit_of_transactions_refuses_new_calls_and_lets_those_in_progress_end() {
    for (name, number, _) in BOXES {
        let mut network = limited_to("transactions = 20");
        let before = over_limits(&network, name).1;
        let heard = rush(&mut network, name, number, 30);
        let count = |status: u16| heard.iter().filter(|heard| heard == &&[status]).count();
        let (answered, refused) = (count(200), count(503));
        // Half is kept for requests inside dialogs; probes need some of the other half.
        assert!((8..=10).contains(&answered) && answered + refused == 30, "{name}: {heard:?}");
        assert_eq!(over_limits(&network, name).1 - before, refused as u64, "{name}");
        assert_eq!(bad_refusals(&network, name, "sip.transactions"), 0, "{name}");
        let rogue = network.at("rogue");
        network.net.act(rogue, |rogue: &mut Rogue, _| {
            let in_progress = heard.iter().enumerate().filter(|(_, heard)| heard == &&[200]);
            in_progress.for_each(|(at, _)| rogue.send(at, "BYE", ""));
        });
        network.run_for(seconds(1));
        let answers = network.net.node::<Rogue>(rogue);
        let ended = (0..30).filter(|at| answers.heard(*at) == [200, 200]).count();
        assert_eq!(ended, answered, "{name}: every BYE is taken");
        // Copies come no more after 64·T1: there is room again.
        network.run_for(seconds(40));
        assert_eq!(rush(&mut network, name, number, 1), [[200]], "{name}");
        network.net.act(rogue, |rogue: &mut Rogue, _| rogue.send(30, "BYE", ""));
        assert_idle(&mut network);
    }
}
