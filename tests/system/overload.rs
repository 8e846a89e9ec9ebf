//! More calls than the call servers have time for, with and without overload control.
//!
//! `cargo test -p system-tests --test system goodput -- --nocapture` prints the table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use campaign::{Arrivals, Campaign};
use contract::Node as _;
use ladder::{Story, Told, What, join};
use operations::Action;
use sip_proto::message::OverloadAlgorithm;
use switch::CallServer;
use system_tests::goodput::{Goodput, goodput};
use system_tests::network::Network;
use topology::Distribution;
use trace::{Hub, Keep, KeptCall, RecorderMemory};
use world::Link;

use crate::support::{assert_idle, campaign, seconds};

const TEXT: &str = include_str!("../../configs/networks/overload.toml");
/// Calls in a second that the two sites have time for; the network file has the sum.
const CAPACITY: f64 = 2.0 / 0.040;
/// A flood is so many seconds long.
const LENGTH: u64 = 30;
const LOADS: [f64; 6] = [0.5, 0.8, 1.0, 1.5, 2.0, 3.0];

/// The network file with this mode.
fn controlled(mode: &str) -> String {
    TEXT.replace("overload = \"none\"", &format!("overload = \"{mode}\""))
}

/// The network with its call servers in this mode.
fn network(mode: &str, seed: u64) -> Network {
    let mut network = Network::new(&controlled(mode), Link::CLEAN, seed);
    network.net.stop_trace();
    network.run_for(seconds(1));
    network
}

/// `load` times the capacity; a third of it are emergency calls. Everybody waits for five seconds and talks for five.
fn crowd(load: f64, seed: u64) -> Campaign {
    let mut crowd = campaign(1.0, seconds(LENGTH), seed);
    crowd.phases[0].arrivals = Arrivals::Poisson { rate: load * CAPACITY };
    crowd.mix.truncate(2);
    (crowd.mix[0].number, crowd.mix[0].weight) = ("15".to_owned(), 1.0);
    (crowd.mix[1].number, crowd.mix[1].weight) = ("0199001234".to_owned(), 2.0);
    crowd.callers.caller_hangs_up = 1.0;
    crowd.callers.talk = Distribution::Fixed(seconds(5));
    crowd.callers.patience = Some(Distribution::Fixed(seconds(5)));
    crowd
}

/// Lets the crowd call, and measures after ten seconds, when the queues are what they will be.
fn flood(mode: &str, load: f64) -> (Network, Goodput) {
    let mut network = network(mode, 61);
    let start = network.wall().micros(network.net.now());
    network.start_campaign(&crowd(load, 61));
    // The last one to be answered has hung up by then.
    network.run_for(seconds(LENGTH + 11));
    let measured = goodput(network.records(), start + 10_000_000, start + LENGTH * 1_000_000);
    (network, measured)
}

#[test]
fn goodput_collapses_without_control_and_is_kept_with_it() {
    let modes = ["none", "reject", "loss", "rate"];
    let rows = std::thread::scope(|scope| {
        let row = |mode| move || LOADS.map(|load| flood(mode, load).1.answered);
        modes.map(|mode| scope.spawn(row(mode))).map(|row| row.join().unwrap())
    });
    let mut table = String::from("load  offered     none   reject     loss     rate\n");
    for (at, load) in LOADS.iter().enumerate() {
        let _ = write!(table, "{load:>4}  {:>7.1}", load * CAPACITY);
        rows.iter().for_each(|row| {
            let _ = write!(table, "  {:>7.1}", row[at]);
        });
        table.push('\n');
    }
    println!("{table}");
    let kept = rows.map(|row| row[5] / row.iter().copied().fold(0.0, f64::max));
    let [none, reject, loss, rate] = kept;
    assert!(none < 0.3, "{table}");
    assert!(loss > 0.8 && rate > 0.8, "{table}");
    assert!(none < reject && reject < loss.min(rate), "{table}");
}

#[test]
fn emergency_calls_get_through_twice_the_capacity() {
    for mode in ["loss", "rate"] {
        let (mut network, measured) = flood(mode, 2.0);
        let (emergency, ordinary) = (measured.emergency.unwrap(), measured.ordinary.unwrap());
        println!("{mode}: {measured:?}");
        assert!(emergency > 0.95, "{mode}: {measured:?}");
        assert!(ordinary < 0.5, "{mode}: {measured:?}");
        let members = network.trunk_group("mobile").members;
        let kept_away: u64 = members.iter().map(|member| member.kept_away).sum();
        assert!(kept_away > 100, "{mode}: {kept_away}");
        assert!(network.run_until_idle(seconds(600)), "{:?}", network.held());
        let ledger = network.ledger(network.generator().offered, false);
        assert!(ledger.balanced, "{ledger:#?}");
        assert_idle(&mut network);
    }
}

// RFC 5390 REQ 3: when the flood is over, the network is soon what it was.
#[test]
fn control_lets_go_when_the_flood_is_over() {
    for mode in ["loss", "rate"] {
        let mut network = network(mode, 64);
        let start = network.wall().micros(network.net.now());
        let mut waves = crowd(3.0, 64);
        waves.phases[0].duration = seconds(10);
        waves.phases.push(waves.phases[0].clone());
        waves.phases[1].duration = seconds(20);
        waves.phases[1].arrivals = Arrivals::Poisson { rate: 0.5 * CAPACITY };
        network.start_campaign(&waves);
        network.run_for(seconds(41));
        let calm = goodput(network.records(), start + 13_000_000, start + 30_000_000);
        assert!(calm.answered > 0.98 * calm.offered, "{mode}: {calm:?}");
    }
}

// RFC 7339 §5.2 and §5.6: the trunk group reads what the call server asks, and takes it off with its Via.
#[test]
fn feedback_crosses_one_hop() {
    let mut network = Network::new(&controlled("loss"), Link::CLEAN, 65);
    network.run_for(seconds(3));
    network.dial("15");
    network.run_for(seconds(1));
    let [caller, mobile, alpha] = ["caller", "mobile", "alpha"].map(|name| network.at(name));
    let first = |from, to, label: &str| {
        let mut sent = network.net.trace().sent_to(to, label).filter(|one| one.from == from);
        String::from_utf8(sent.next().unwrap().bytes.to_vec()).unwrap()
    };
    assert!(first(mobile, alpha, "INVITE").contains(";oc;oc-algo=\"loss,rate\"\r\n"));
    let asked = first(alpha, mobile, "200");
    assert!(asked.contains(";oc=0;oc-algo=\"loss\";oc-validity=2000;oc-seq=1622645"), "{asked}");
    assert!(!first(mobile, caller, "200").contains(";oc"));
}

// RFC 7339 §5.10: requests that an overloaded server does not want may go to another one.
#[test]
fn what_an_overloaded_site_does_not_want_goes_to_the_other_one() {
    let slow = "[sites.alpha]\nprocessing = \"200ms\"\n";
    let text = controlled("loss")
        .replace("[sites.alpha]\n", slow)
        .replace("2_000", "2_000\npolicy = \"round-robin\"");
    let mut network = Network::new(&text, Link::CLEAN, 62);
    network.run_for(seconds(1));
    network.start_campaign(&crowd(0.3, 62));
    network.run_for(seconds(LENGTH + 11));
    let now = network.generator();
    assert!(now.answered * 100 > now.offered * 97, "{} of {}", now.answered, now.offered);
    let member = |at: usize| network.trunk_group("mobile").members[at].clone();
    assert!(
        member(0).kept_away > 20 && member(1).kept_away == 0,
        "{:?} {:?}",
        member(0),
        member(1)
    );
    assert!(member(1).counts.answered > 2 * member(0).counts.answered, "{:?}", member(1));
    assert_eq!(member(0).asked.map(|asked| asked.algorithm), Some(OverloadAlgorithm::Loss));
}

/// The ladders of the calls that a flood makes fail.
fn ladders(mode: &str) -> Vec<Story> {
    let mut network = network(mode, 66);
    let kept: Arc<Mutex<BTreeMap<u128, Vec<KeptCall>>>> = Arc::default();
    let into = Arc::clone(&kept);
    network.keep_calls(Hub::new(Keep::Failed, RecorderMemory::of_mib(16, false), move |call| {
        into.lock().unwrap().entry(call.attempt).or_default().push(call);
        true
    }));
    let mut flood = crowd(3.0, 66);
    flood.phases[0].duration = seconds(10);
    network.start_campaign(&flood);
    // A call that ended badly waits four seconds for its last messages.
    network.run_for(seconds(30));
    let kept = kept.lock().unwrap();
    kept.values().map(|parts| join(parts, &Told::default())).collect()
}

/// What a box notes of a call, in the order of time.
fn notes<'a>(story: &'a Story, of: &str) -> Vec<&'a str> {
    let notes = story.lines.iter().filter_map(|line| match &line.what {
        What::Note { column, text } if story.name(*column).starts_with(of) => Some(&text[..]),
        _ => None,
    });
    notes.collect()
}

/// Who gets this message, of those that get it first.
fn reached(story: &Story, label: &str) -> Vec<String> {
    let named = story.messages().filter(|arrow| arrow.label.starts_with(label));
    named.map(|arrow| story.name(arrow.to).to_owned()).collect()
}

// RFC 7339 §5.2, §5.10: who refuses a call for overload, and who holds it back, stands in its ladder.
#[test]
fn a_ladder_tells_what_overload_control_did_to_a_call() {
    let refused = "its processor is overloaded: refuses it: 503";
    let held_back = "has no other site for it: overload control holds it back";
    for (mode, wish, ask) in [
        ("reject", None, None),
        ("loss", Some("% of its calls held back"), Some("asks its clients to hold back ")),
        // Probes bring the wish for a rate, and it stays.
        ("rate", None, None),
    ] {
        let ladders = ladders(mode);
        assert!(ladders.len() > 100, "{mode}: {}", ladders.len());
        let says = |story: &&Story, of: &str, what: &str| {
            notes(story, of).iter().any(|note| note.contains(what))
        };
        let with = |of: &str, what: &str| ladders.iter().find(|story| says(story, of, what));
        let site =
            ["alpha", "beta"].into_iter().find_map(|site| Some((site, with(site, refused)?)));
        if mode == "reject" {
            let (site, story) = site.expect("a site refuses it");
            let groups = ["mobile", "fixe"].map(str::to_owned);
            let told = reached(story, "503");
            assert!(groups.iter().any(|group| told.contains(group)), "{mode}: {story:#?}");
            assert!(reached(story, "INVITE").contains(&site.to_owned()), "{mode}: {story:#?}");
            assert!(with("mobile", held_back).is_none(), "nobody asks it to");
        } else {
            // It never came to a site that is asked for nothing more.
            let never_sent = |story: &&Story| {
                says(story, "mobile", held_back) && reached(story, "INVITE") == ["mobile"]
            };
            let story = ladders.iter().find(never_sent).expect("a call that is held back");
            assert!(reached(story, "503").contains(&"generator".to_owned()), "{mode}: {story:#?}");
        }
        for (of, what) in [("mobile", wish), ("alpha", ask)] {
            let Some(what) = what else { continue };
            assert!(with(of, what).is_some(), "{mode}: {of}: {what}");
        }
    }
}

#[test]
fn a_restart_forgets_what_waited() {
    let mut network = network("none", 63);
    network.start_campaign(&crowd(3.0, 63));
    network.run_for(seconds(5));
    let full = network.call_server("alpha");
    assert!(full.waiting > 50 && full.oc.is_none(), "{full:?}");
    let alpha = network.at("alpha");
    network.net.act(alpha, |server: &mut CallServer, now| {
        server.handle_command(now, Action::Restart { clean: false })
    });
    let empty = network.call_server("alpha");
    assert_eq!((empty.waiting, empty.starting), (0, true));
}
