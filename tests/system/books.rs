//! The books are right whatever happens: under every fault, command, defect, link and overload that a campaign can have, the
//! records of all boxes tell one story; and a box that tells another one is found out.

use std::thread;

use campaign::Campaign;
use operations::Action;
use system_tests::network::Network;
use telemetry::{Audit, BoxKind, CallRecord, Ledger, LegRecord, Outcome, Party, Rules};
use topology::Distribution;
use world::Link;

use crate::support::{campaign, ms, seconds};

/// Two sites that ring the same two PSAPs. It rings for longer than some callers, sites and trunk groups wait, so that calls are
/// given up, placed again and answered too late all the time.
const NETWORK: &str = r#"
[pool]
probe_interval = "1s"
probe_timeout = "500ms"

[equipment]
boot = "3s"
install = "1s"

[sites.alpha]
address = "127.0.0.11:5060"
ring_timeout = "4s"
response_timeout = "1500ms"

[sites.beta]
address = "127.0.0.12:5060"
ring_timeout = "4s"
response_timeout = "1500ms"

[trunk_groups.mobile]
address = "127.0.0.21:5060"
policy = "round-robin"
circuits = 40
next_site_after = "700ms"

[psaps.samu-59]
address = "127.0.0.31:5060"
number = "0353010015"
positions = 40
queue = 5
ring = "uniform 100ms 4500ms"
talk = "uniform 1s 5s"

[psaps.samu-75]
address = "127.0.0.34:5060"
number = "0199000015"
positions = 20
queue = 5
ring = "uniform 100ms 4500ms"
talk = "uniform 1s 5s"

[[routes]]
numbers = ["15", "112", "urn:service:sos.ambulance"]
psaps = ["samu-59", "samu-75"]

[[routes]]
numbers = ["18", "urn:service:sos.fire"]
psaps = ["samu-75", "samu-59"]
"#;

const SEEDS: u64 = 20;
/// Of a campaign.
const LENGTH: u64 = 9;

/// What is done to the network during a campaign, and after how many milliseconds of it.
type Timeline<'a> = &'a [(u64, &'a (dyn Fn(&mut Network) + Sync))];

/// The network with some of its text replaced.
fn text(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(NETWORK.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old:?} is not in the network");
        text.replace(old, new)
    })
}

/// Callers who give up, are answered, hang up and are hung up on.
fn callers(rate: f64, seed: u64) -> Campaign {
    let mut callers = campaign(rate, seconds(LENGTH), seed);
    callers.callers.patience = Some(Distribution::Exponential { mean: seconds(7) });
    // Whoever leaves the end to a call taker whom the network has lost would wait for an hour.
    callers.callers.caller_hangs_up = 0.7;
    callers
}

/// The whole of a campaign, with all that is left to do after it.
fn run(text: &str, link: Link, campaign: &Campaign, timeline: Timeline<'_>) -> Network {
    let mut network = Network::new(text, link, campaign.seed);
    network.net.stop_trace();
    network.run_for(seconds(1));
    network.start_campaign(campaign);
    let mut at = 0;
    for (due, act) in timeline {
        network.run_for(ms(due - at));
        at = *due;
        act(&mut network);
    }
    network.run_for(seconds(LENGTH + 90));
    network.drain();
    network
}

fn audit(records: &[CallRecord], started: u64, network: &Network) -> Ledger {
    let mut audit = Audit::new(Rules::default());
    records.iter().for_each(|record| audit.add(record));
    audit.close(started, network.lost()).ledger()
}

/// What the boxes say of the attempts that the ledger finds fault with.
fn stories(records: &[CallRecord], ledger: &Ledger) -> String {
    let is_meant =
        |record: &&CallRecord| ledger.faults.iter().any(|one| one.contains(&record.attempt));
    let mut meant: Vec<&CallRecord> = records.iter().filter(is_meant).collect();
    meant.sort_by_key(|record| (&record.attempt, record.kind, record.start_us));
    meant.iter().map(|record| told(record)).collect::<Vec<_>>().join("\n")
}

/// A record in one line, with its times in milliseconds of the campaign's hour.
fn told(record: &CallRecord) -> String {
    let ms = |at: u64| at / 1_000 % 3_600_000;
    let CallRecord { attempt, kind, node, outcome, status, ended_by, reason, tried, .. } = record;
    let legs = record
        .legs
        .iter()
        .map(|leg| (&leg.call_id[..4], ms(leg.start_us), leg.end_us.map(ms), leg.status));
    let times =
        [record.ring_us, record.answer_us, record.ack_us, record.bye_us].map(|at| at.map(ms));
    format!(
        "{} {kind} {node} {:.4} tried {tried:?} legs {:?} start {} {times:?} end {} {outcome} {status:?} {ended_by:?} {reason:?}",
        &attempt[..6],
        record.call_id,
        legs.collect::<Vec<_>>(),
        ms(record.start_us),
        ms(record.end_us),
    )
}

/// Runs it with many seeds, and demands that the books are right with each.
#[track_caller]
fn assert_balanced(what: &str, text: &str, link: Link, rate: f64, timeline: Timeline<'_>) {
    let one = |seed: u64| {
        let network = run(text, link, &callers(rate, seed), timeline);
        let started = network.generator().offered;
        let ledger = network.ledger(started, false);
        assert!(started > 30, "{what}, seed {seed}: {ledger:?}");
        let told = || stories(network.records(), &ledger);
        assert!(ledger.balanced, "{what}, seed {seed}: {ledger:#?}\n{}", told());
    };
    let half = SEEDS / 2;
    thread::scope(|scope| {
        let other = scope.spawn(move || (half..SEEDS).for_each(one));
        (0..half).for_each(one);
        other.join().unwrap_or_else(|failure| std::panic::resume_unwind(failure));
    });
}

fn command(network: &mut Network, site: &str, words: &str) {
    let action: Action = words.parse().expect("a command");
    // A machine that starts refuses it, which is no matter of the books.
    let _ = network.command(site, action);
}

#[test]
fn nothing_happens() {
    assert_balanced("nothing", NETWORK, Link::CLEAN, 8.0, &[]);
}

// The site goes on with what it was sent: its PSAPs are rung for calls that are long elsewhere, or over.
#[test]
fn a_machine_freezes_and_goes_on() {
    for target in ["alpha", "samu-59"] {
        for lasts in [1_000, 8_000, 40_000] {
            let what = format!("{target} frozen for {lasts} ms");
            let freeze = |network: &mut Network| network.freeze(target);
            let thaw = |network: &mut Network| network.thaw(target);
            let timeline: Timeline<'_> = &[(4_000, &freeze), (4_000 + lasts, &thaw)];
            assert_balanced(&what, NETWORK, Link::CLEAN, 8.0, timeline);
        }
    }
}

#[test]
fn a_machine_loses_power() {
    for target in ["alpha", "samu-59"] {
        let kill = |network: &mut Network| network.kill(target);
        let kept = text(&[]);
        let released = text(&[("circuits = 40", "circuits = 40\nwhen_site_dies = \"release\"")]);
        for (how, text) in [("kept", kept), ("released", released)] {
            let what = format!("{target} dies, calls are {how}");
            assert_balanced(&what, &text, Link::CLEAN, 8.0, &[(5_000, &kill)]);
        }
    }
}

#[test]
fn a_machine_is_cut_off_and_found_again() {
    for target in ["alpha", "samu-59", "mobile"] {
        let cut = |network: &mut Network| {
            let at = network.at(target);
            network.net.isolate(at);
        };
        let heal = |network: &mut Network| {
            let at = network.at(target);
            network.net.heal(at);
        };
        let what = format!("{target} is cut off");
        let timeline: Timeline<'_> = &[(4_000, &cut), (9_000, &heal)];
        assert_balanced(&what, NETWORK, Link::CLEAN, 8.0, timeline);
    }
}

#[test]
fn operators_command() {
    let commands = [
        ["lock", "unlock"],
        ["disconnect", "reconnect"],
        ["disconnect mobile", "reconnect mobile"],
        ["restart", "show"],
        ["restart clean", "restart"],
        ["isolate", "rejoin"],
        ["drain", "unlock"],
        ["load r8", "rollback"],
        ["shed ordinary", "shed nothing"],
    ];
    let text = text(&[("[equipment]", "[releases.r8]\n[equipment]")]);
    for [first, second] in commands {
        let one = |network: &mut Network| command(network, "alpha", first);
        let other = |network: &mut Network| command(network, "alpha", second);
        let timeline: Timeline<'_> = &[(4_000, &one), (8_000, &other)];
        assert_balanced(&format!("{first}, {second}"), &text, Link::CLEAN, 8.0, timeline);
    }
}

#[test]
fn links_lose_delay_and_repeat_packets() {
    let bad = Link { jitter: ms(40), loss: 0.05, duplication: 0.05, ..Link::CLEAN };
    let awful = Link { jitter: ms(200), loss: 0.3, duplication: 0.1, ..Link::CLEAN };
    for (what, link) in [("bad", bad), ("awful", awful)] {
        assert_balanced(what, NETWORK, link, 8.0, &[]);
        let freeze = |network: &mut Network| network.freeze("alpha");
        let thaw = |network: &mut Network| network.thaw("alpha");
        let timeline: Timeline<'_> = &[(4_000, &freeze), (9_000, &thaw)];
        assert_balanced(&format!("{what}, frozen"), NETWORK, link, 8.0, timeline);
    }
}

#[test]
fn more_calls_come_than_sites_can_process() {
    for mode in ["none", "reject", "loss", "rate"] {
        let processing =
            format!("[equipment]\nprocessing = \"100ms\"\nqueue = 60\noverload = \"{mode}\"\n");
        let text = text(&[("[equipment]\n", &processing)]);
        // Two sites carry ten calls in a second.
        for rate in [12.0, 25.0] {
            assert_balanced(&format!("{mode}, {rate}/s"), &text, Link::CLEAN, rate, &[]);
        }
    }
}

#[test]
fn latent_defects_act() {
    let defects = [
        "context-leak]",
        "recovery-crash]\nwindow = \"30s\"",
        "poison-call]\nnumber = \"18\"\nbusy = 5",
        "counter-ceiling]\nnumbers = [\"15\"]\nceiling = 20",
        "silent-lock]",
        "poison-replica]\nnumber = \"18\"",
    ];
    for defect in defects {
        let release = format!(
            "[releases.r7.defects.{defect}\n[equipment]\nrelease = \"r7\"\ncontexts = 30\ncircuit_audit = \"100ms\""
        );
        let pool =
            ("probe_timeout = \"500ms\"", "probe_timeout = \"500ms\"\nreplicate_calls = true");
        let text = text(&[("[equipment]", &release), pool]);
        let one = |network: &mut Network| command(network, "alpha", "disconnect");
        let other = |network: &mut Network| command(network, "alpha", "reconnect");
        let lock = |network: &mut Network| command(network, "beta", "lock");
        let timeline: Timeline<'_> = &[(3_000, &one), (3_500, &other), (7_000, &lock)];
        assert_balanced(defect, &text, Link::CLEAN, 8.0, timeline);
    }
}

#[test]
fn software_hangs_before_its_machine_restarts() {
    let defects = [
        "context-leak]",
        "poison-call]\nnumber = \"18\"\nbusy = 5",
        "poison-replica]\nnumber = \"18\"",
    ];
    let hangs = [("300ms", true), ("4s", true), ("4s", false), ("10m", true)];
    for (defect, (watchdog, probes)) in defects.iter().flat_map(|one| hangs.map(|hang| (one, hang)))
    {
        let release = format!(
            "[releases.r7.defects.{defect}\n[equipment]\nrelease = \"r7\"\ncontexts = 30\ncircuit_audit = \"100ms\"\n\
             watchdog = \"{watchdog}\"\nhang_answers_probes = {probes}"
        );
        let pool =
            ("probe_timeout = \"500ms\"", "probe_timeout = \"500ms\"\nreplicate_calls = true");
        let text = text(&[("[equipment]", &release), pool]);
        let one = |network: &mut Network| command(network, "alpha", "disconnect");
        let other = |network: &mut Network| command(network, "alpha", "reconnect");
        let timeline: Timeline<'_> = &[(3_000, &one), (3_500, &other)];
        assert_balanced(
            &format!("{defect} {watchdog} {probes}"),
            &text,
            Link::CLEAN,
            8.0,
            timeline,
        );
    }
}

// A site that is taken for dead and is not: two of them have the same call for a while.
#[test]
fn calls_are_taken_over() {
    let pool = ("probe_timeout = \"500ms\"", "probe_timeout = \"500ms\"\nreplicate_calls = true");
    let release = ("circuits = 40", "circuits = 40\nwhen_site_dies = \"release\"");
    let freeze = |network: &mut Network| network.freeze("alpha");
    let thaw = |network: &mut Network| network.thaw("alpha");
    let kill = |network: &mut Network| network.kill("alpha");
    let restart = |network: &mut Network| command(network, "alpha", "restart");
    for text in [text(&[pool]), text(&[pool, release])] {
        assert_balanced("frozen", &text, Link::CLEAN, 8.0, &[(5_000, &freeze), (11_000, &thaw)]);
        assert_balanced("killed", &text, Link::CLEAN, 8.0, &[(5_000, &kill)]);
        let twice: Timeline<'_> = &[(5_000, &restart), (10_000, &restart)];
        assert_balanced("restarted", &text, Link::CLEAN, 8.0, twice);
    }
}

#[test]
fn call_takers_misbehave() {
    let behaviours = [
        "no-answer\"",
        "answer-then-drop\"\nafter = \"300ms\"",
        "slow\"\nfactor = 3",
        "reject\"\nstatus = 486",
        "reject\"\nstatus = 503",
        "silent\"",
    ];
    for behaviour in behaviours {
        let table = "[[routes]]\nnumbers = [\"15\"".to_string();
        let faulty = format!(
            "[[psaps.samu-59.behaviours]]\nshare = 0.5\nbehaviour = \"{behaviour}\n\n{table}"
        );
        let text = text(&[(&table, &faulty)]);
        assert_balanced(behaviour, &text, Link::CLEAN, 8.0, &[]);
    }
}

/// One record of an attempt is made a lie: what was done, and the records then. `None`: it would be no lie, or none that
/// anybody could know of.
type Lie = (&'static str, fn(&[CallRecord], usize) -> Option<Vec<CallRecord>>);

/// The same records, with the one at `at` changed.
fn with(
    records: &[CallRecord],
    at: usize,
    change: impl FnOnce(&mut CallRecord),
) -> Vec<CallRecord> {
    let mut records = records.to_vec();
    change(&mut records[at]);
    records
}

fn caller(records: &[CallRecord]) -> &CallRecord {
    records.iter().find(|record| record.kind == BoxKind::Generator).expect("a caller")
}

/// Of two sites that have answered, the trunk group may believe in the one and the caller in the other.
fn is_forked(records: &[CallRecord]) -> bool {
    let servers = records.iter().filter(|record| record.kind == BoxKind::CallServer);
    servers.filter(|record| record.answer_us.is_some()).count() > 1
}

const LIES: [Lie; 14] = [
    ("a record is written twice", |records, at| {
        let again = [records, &records[at..=at]].concat();
        Some(again)
    }),
    ("a record is lost", |records, at| {
        let record = &records[at];
        let of_server = record.kind == BoxKind::CallServer && record.legs.is_empty();
        // Of a call that came to nothing, nobody else need have heard.
        let unheard = record.kind == BoxKind::Psap && record.ring_us.is_none();
        let silent = record.kind == BoxKind::TrunkGroup && caller(records).ring_us.is_none();
        // Of a call that was given up without a word, another one of the same attempt tells all that its call server heard.
        let is_told = |leg: &LegRecord| leg.call_id != record.call_id || leg.end_us.is_some();
        let told = records.iter().flat_map(|record| &record.legs).all(is_told);
        let psaps = records.iter().filter(|record| record.kind == BoxKind::Psap).count();
        let unmissed = record.kind == BoxKind::Psap && psaps > 1 && !told;
        let kept = !(of_server || unheard || silent || unmissed);
        kept.then(|| [&records[..at], &records[at + 1..]].concat())
    }),
    ("an answered call was refused", |records, at| {
        let answered = records[at].outcome == Outcome::Answered;
        answered.then(|| {
            with(records, at, |record| {
                (record.outcome, record.status, record.answer_us) =
                    (Outcome::Rejected, Some(486), None);
            })
        })
    }),
    ("a call that was not answered was answered", |records, at| {
        let record = &records[at];
        // An answer may cross the CANCEL, so that only a refusal that was heard says that there was none.
        let is_heard = |leg: &LegRecord| leg.call_id != record.call_id || leg.status.is_some();
        let heard = records.iter().flat_map(|record| &record.legs).all(is_heard);
        let unanswered = record.answer_us.is_none()
            && record.kind != BoxKind::TrunkGroup
            && (record.kind != BoxKind::Psap || heard);
        unanswered.then(|| {
            with(records, at, |record| {
                record.answer_us = Some(record.ring_us.unwrap_or(record.start_us));
                (record.outcome, record.status) = (Outcome::Answered, Some(200));
                record.ended_by = Some(Party::Caller);
            })
        })
    }),
    ("a call server called another PSAP", |records, at| {
        let record = &records[at];
        let answered = record.kind == BoxKind::CallServer
            && caller(records).outcome == Outcome::Answered
            && record.outcome == Outcome::Answered
            && record.ended_by != Some(Party::Network);
        let other = if record.psap.as_deref() == Some("samu-59") { "samu-75" } else { "samu-59" };
        answered.then(|| with(records, at, |record| record.psap = Some(other.to_owned())))
    }),
    ("a call server placed another call", |records, at| {
        let has_called = records.iter().any(|record| record.kind == BoxKind::Psap);
        let last = records[at].legs.last().is_some();
        (last && has_called).then(|| {
            with(records, at, |record| {
                record.legs.iter_mut().for_each(|leg| leg.call_id.push('x'));
            })
        })
    }),
    ("a trunk group called another site", |records, at| {
        let record = &records[at];
        let went_on = record.kind == BoxKind::TrunkGroup
            && records.iter().any(|record| record.kind == BoxKind::CallServer);
        went_on.then(|| {
            with(records, at, |record| {
                record.site = Some("gamma".to_owned());
                record.tried = vec!["gamma".to_owned()];
            })
        })
    }),
    ("a caller called another trunk group", |records, at| {
        let record = &records[at];
        let heard = record.kind == BoxKind::Generator && record.ring_us.is_some();
        heard.then(|| with(records, at, |record| record.trunk_group = Some("fixe".to_owned())))
    }),
    ("a caller heard another status", |records, at| {
        let record = &records[at];
        let refused = record.kind == BoxKind::Generator && record.outcome == Outcome::Rejected;
        refused.then(|| with(records, at, |record| record.status = Some(600)))
    }),
    ("a PSAP went on for ten seconds", |records, at| {
        let record = &records[at];
        let told = records.iter().flat_map(|record| &record.legs);
        let is_told =
            told.filter(|leg| leg.call_id == record.call_id).all(|leg| leg.end_us.is_some());
        (record.kind == BoxKind::Psap && is_told).then(|| {
            with(records, at, |record| {
                record.end_us += 10_000_000;
                record.bye_us = record.bye_us.map(|bye| bye + 10_000_000);
            })
        })
    }),
    ("a call server went on for ten seconds", |records, at| {
        let record = &records[at];
        let normal = !is_forked(records)
            && record.kind == BoxKind::CallServer
            && record.outcome == Outcome::Answered
            && record.ended_by == Some(Party::Caller)
            && caller(records).outcome == Outcome::Answered;
        normal.then(|| with(records, at, |record| record.end_us += 10_000_000))
    }),
    ("a trunk group held a call for ten seconds more", |records, at| {
        let caller = caller(records);
        let over = !is_forked(records)
            && records[at].kind == BoxKind::TrunkGroup
            && records[at].outcome != Outcome::Lost
            && match caller.outcome {
                Outcome::Answered => caller.ended_by == Some(Party::Caller),
                Outcome::Rejected | Outcome::Abandoned => caller.reason.is_none(),
                _ => false,
            };
        over.then(|| with(records, at, |record| record.end_us += 10_000_000))
    }),
    ("a PSAP answered later than it was heard", |records, at| {
        let record = &records[at];
        let mut servers = records.iter().filter(|record| record.kind == BoxKind::CallServer);
        let heard = servers.find_map(|server| {
            let leg = server.legs.last().filter(|leg| leg.call_id == record.call_id)?;
            Some(server.answer_us? - leg.start_us)
        });
        let later = record.start_us + heard? + 500_000;
        let fits = record.kind == BoxKind::Psap && later <= record.bye_us.unwrap_or(record.end_us);
        fits.then(|| with(records, at, |record| record.answer_us = Some(later)))
    }),
    ("each says that the other hung up", |records, at| {
        let record = &records[at];
        let by = caller(records).ended_by;
        let clear = caller(records).outcome == Outcome::Answered
            && record.outcome == Outcome::Answered
            && record.kind == BoxKind::CallServer
            && by == Some(Party::Callee)
            && record.ended_by == Some(Party::Callee);
        clear.then(|| with(records, at, |record| record.ended_by = Some(Party::Caller)))
    }),
];

// One record is changed at a time, of every attempt that it can be changed of, in a run without and in one with trouble.
#[test]
fn a_box_that_lies_is_found_out() {
    let freeze = |network: &mut Network| network.freeze("alpha");
    let thaw = |network: &mut Network| network.thaw("alpha");
    let mut failures = Vec::new();
    let timelines: [Timeline<'_>; 2] = [&[], &[(4_000, &freeze), (11_000, &thaw)]];
    for timeline in timelines {
        let network = run(NETWORK, Link::CLEAN, &callers(8.0, 7), timeline);
        let mut records = network.records().to_vec();
        records.sort_by(|a, b| a.attempt.cmp(&b.attempt));
        for (lie, tell) in LIES {
            let (mut told, mut unnoticed) = (0, Vec::new());
            for attempt in records.chunk_by(|a, b| a.attempt == b.attempt) {
                assert!(audit(attempt, 1, &network).balanced);
                for changed in (0..attempt.len()).filter_map(|at| tell(attempt, at)) {
                    told += 1;
                    let ledger = audit(&changed, 1, &network);
                    if ledger.fault_count == 0 {
                        unnoticed.push(changed);
                    }
                }
            }
            if told < 5 || !unnoticed.is_empty() {
                let records = unnoticed.first().map_or(&[][..], |records| records);
                let lines: Vec<String> = records.iter().map(self::told).collect();
                let count = unnoticed.len();
                failures.push(format!("{lie}, {count} of {told}:\n{}", lines.join("\n")));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
