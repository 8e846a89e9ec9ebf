//! The flight recorder of a run: what ended badly is kept by every box that saw it, on real sockets and in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::UdpSocket;
use std::thread;

use bytes::Bytes;
use ladder::hep::decode;
use sip_proto::message::{Request, Response};
use telemetry::{BoxKind, attempt_key};
use trace::{Direction, KeptCall, Seen, TraceReader};

use crate::history::{calls, said, tell};
use crate::{CampaignFolder, NETWORK, balanced, placed};

/// One of the two sites loses power in the middle of the calls.
pub(crate) const KILL: &str = "\n[[faults]]\nat = \"2s\"\nkill = \"alpha\"\n";

pub(crate) fn run(is_virtual: bool, sections: &str, words: &[&str]) -> CampaignFolder {
    let workspace = CampaignFolder::new(4, "1s");
    let campaign = fs::read_to_string(workspace.path("campaign.toml")).expect("a campaign");
    workspace.write("campaign.toml", &format!("{campaign}{sections}"));
    let mut all = vec!["run", "campaign.toml", "--quiet"];
    all.extend(words);
    if is_virtual {
        workspace.write("network.toml", &placed(NETWORK));
        all.push("--virtual-time");
    }
    let output = tell(&workspace, &all);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{all:?}: {complaint}");
    balanced(&workspace.summary());
    workspace
}

/// All that the run kept, by attempt.
pub(crate) fn kept(workspace: &CampaignFolder) -> BTreeMap<u128, Vec<KeptCall>> {
    let mut kept: BTreeMap<u128, Vec<KeptCall>> = BTreeMap::new();
    let entries = fs::read_dir(workspace.path("runs/latest/trace")).into_iter().flatten();
    for entry in entries {
        let path = entry.expect("a file").path();
        let mut reader = TraceReader::open(&path).expect("a trace");
        while let Some(call) = reader.next_call(|_| true).expect("whole blocks") {
            kept.entry(call.attempt).or_default().push(call);
        }
    }
    kept
}

pub(crate) fn attempts(workspace: &CampaignFolder, condition: &str) -> BTreeSet<u128> {
    let database = calls(workspace);
    let query = format!("SELECT attempt FROM attempts WHERE {condition}");
    let mut statement = database.prepare(&query).expect("a query");
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    rows.map(|id| attempt_key(&id.expect("an id")).expect("32 digits")).collect()
}

fn part(parts: &[KeptCall], kind: BoxKind) -> Option<&KeptCall> {
    parts.iter().find(|part| part.seen_by.kind == kind)
}

/// What a box saw, as `> INVITE` for what it sent.
fn labels(part: &KeptCall) -> Vec<String> {
    let label = |entry: &trace::Entry| {
        let Seen::Message { direction, bytes, .. } = &entry.seen else { return None };
        let arrow = if *direction == Direction::Sent { '>' } else { '<' };
        let text = match Request::parse(bytes.clone()) {
            Ok(request) => request.method_text().to_owned(),
            Err(_) => Response::parse(bytes.clone()).expect("a message").status().to_string(),
        };
        Some(format!("{arrow} {text}"))
    };
    part.entries.iter().filter_map(label).collect()
}

fn notes(part: &KeptCall) -> Vec<String> {
    let text = |entry: &trace::Entry| match &entry.seen {
        Seen::Note(text) => Some(text.clone()),
        Seen::Message { .. } | Seen::Report { .. } | Seen::Media { .. } => None,
    };
    part.entries.iter().filter_map(text).collect()
}

/// What became of its media, each by its first word.
fn said_of_media(part: &KeptCall) -> Vec<String> {
    let all = notes(part).into_iter().filter(|note| is_of_media(note));
    let mut words: Vec<String> =
        all.filter_map(|note| Some(note.split_once(' ')?.0.to_owned())).collect();
    // Which of two streams is heard first is left to the network.
    words.sort_by_key(|word| ["opens", "hears", "closes"].iter().position(|known| known == word));
    words
}

fn without_media(part: &KeptCall) -> Vec<String> {
    notes(part).into_iter().filter(|note| !is_of_media(note)).collect()
}

fn is_of_media(note: &str) -> bool {
    ["opens ", "hears ", "closes "].iter().any(|begin| note.starts_with(begin))
}

/// What fails is kept by callers and trunk group, with the first message of each; what went well everywhere is not.
fn what_failed_is_kept(is_virtual: bool) {
    let workspace = run(is_virtual, KILL, &[]);
    let failed = attempts(&workspace, "outcome IN ('rejected', 'timed_out', 'lost')");
    assert!(failed.len() > 5, "a site died: {}", failed.len());
    let kept = kept(&workspace);
    for attempt in &failed {
        let parts = kept.get(attempt).unwrap_or_else(|| panic!("{attempt:032x} is kept"));
        for kind in [BoxKind::Generator, BoxKind::TrunkGroup] {
            let part = part(parts, kind).unwrap_or_else(|| panic!("{kind} kept {attempt:032x}"));
            let first = if kind == BoxKind::Generator { "> INVITE" } else { "< INVITE" };
            assert_eq!(labels(part).first().map(String::as_str), Some(first), "{part:?}");
        }
    }
    let fine =
        attempts(&workspace, "outcome = 'answered' AND site = 'beta' AND intended_us < 1500000");
    let fine = fine.iter().filter(|attempt| !kept.contains_key(attempt)).count();
    assert!(fine > 10, "calls that went well are dropped: {fine}");
    // The callers hear of a lost call long after the PSAP, which kept it all the same.
    let is_lost = attempts(&workspace, "outcome = 'lost'");
    let seen_at_the_end = |attempt: &&u128| part(&kept[*attempt], BoxKind::Psap).is_some();
    assert!(is_lost.iter().any(|attempt| seen_at_the_end(&attempt)), "{}", is_lost.len());
}

#[test]
fn what_failed_is_kept_by_every_box_that_saw_it() {
    what_failed_is_kept(false);
}

#[test]
fn what_failed_is_kept_in_virtual_time_too() {
    what_failed_is_kept(true);
}

#[test]
fn all_means_every_message_of_every_call_and_off_means_none() {
    let workspace = run(true, "\n[trace]\nkeep = \"all\"\n", &[]);
    let every = attempts(&workspace, "true");
    let kept = kept(&workspace);
    assert_eq!(kept.keys().copied().collect::<BTreeSet<_>>(), every);
    for parts in kept.values() {
        assert_eq!(parts.len(), 4, "{parts:?}");
        let group = part(parts, BoxKind::TrunkGroup).expect("a trunk group");
        let expected = "< INVITE|> 100|> INVITE|< 100|< 180|> 180|< 200|> 200|< ACK|> ACK|< BYE|> BYE|< 200|> 200";
        assert_eq!(labels(group).join("|"), expected);
        let site = group_site(group);
        assert_eq!(
            notes(group),
            [
                format!("seizes a circuit towards {site} ({} of 200)", seized(group)),
                format!("gives the circuit towards {site} back"),
            ]
        );
        let server = part(parts, BoxKind::CallServer).expect("a call server");
        assert_eq!(server.seen_by.name, site);
        // Both legs of it, though each has a Call-ID of its own.
        assert_eq!(labels(server).iter().filter(|label| label.ends_with("INVITE")).count(), 2);
        assert!(notes(server)[0].starts_with("routes "), "{:?}", notes(server));
        let told = said_of_media(server);
        assert_eq!(told, ["opens", "opens", "hears", "hears", "closes", "closes"], "{server:?}");
        let psap = part(parts, BoxKind::Psap).expect("a PSAP");
        let told = without_media(psap);
        assert!(told[0].starts_with("queues it as number "), "{told:?}");
        assert_eq!(told[1..], ["lets a position ring", "picks up"]);
        assert_eq!(said_of_media(psap), ["opens", "hears", "closes"], "{psap:?}");
        let caller = part(parts, BoxKind::Generator).expect("a caller");
        let told = without_media(caller);
        assert!(
            told[0].starts_with("dials ") && told[0].contains(": call 1 of caller "),
            "{told:?}"
        );
        assert_eq!(told[1], "has talked enough, and hangs up");
        assert!(told[2].starts_with("heard the call taker: "), "{told:?}");
        assert_eq!(said_of_media(caller), ["opens", "hears", "closes"], "{caller:?}");
    }
    let workspace = run(true, "", &["--trace", "off"]);
    assert!(!workspace.path("runs/latest/trace").exists());
    let refused = tell(&workspace, &["run", "campaign.toml", "--trace", "some"]);
    let complaint = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2));
    assert!(complaint.contains("write failed, all, off, or a share"), "{complaint}");
}

fn group_site(part: &KeptCall) -> String {
    notes(part)[0].split(' ').nth(4).expect("a site").to_owned()
}

fn seized(part: &KeptCall) -> u32 {
    let note = notes(part).swap_remove(0);
    let (_, counts) = note.split_once('(').expect("so many of so many");
    counts.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

/// All copies of an attempt have its id, whichever box sent them and whatever Call-ID they have.
#[test]
fn a_collector_gets_the_messages_of_all_boxes_under_one_id() {
    let collector = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = collector.local_addr().expect("an address").to_string();
    let taken = thread::spawn(move || {
        let mut taken: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
        let mut buffer = vec![0; 65_536];
        loop {
            let (length, _) = collector.recv_from(&mut buffer).expect("a datagram");
            if length == 0 {
                return taken;
            }
            let packet = decode(&Bytes::copy_from_slice(&buffer[..length])).expect("HEP");
            let Some(id) = packet.correlation_id else { continue };
            let first = String::from_utf8_lossy(&packet.payload).lines().next().map(str::to_owned);
            let what = (packet.node_name.unwrap_or_default(), first.unwrap_or_default());
            taken.entry(id).or_default().insert(what);
        }
    });
    let workspace = run(false, "", &["--hep", &address]);
    let ours = UdpSocket::bind("127.0.0.1:0").expect("a port");
    ours.send_to(&[], &address).expect("the last datagram");
    let taken = taken.join().expect("the collector");
    let every = attempts(&workspace, "outcome = 'answered'");
    // A busy machine may drop copies: nobody waits for them.
    let whole = every.iter().filter(|attempt| {
        let copies = taken.get(&format!("{attempt:032x}"));
        let is_by = |name: &str, first: &str| {
            copies.is_some_and(|copies| {
                copies.iter().any(|(node, text)| node.starts_with(name) && text.starts_with(first))
            })
        };
        ["load-1", "mobile", "fixe"].iter().any(|name| is_by(name, "INVITE"))
            && ["alpha", "beta"].iter().any(|name| is_by(name, "BYE"))
            && ["samu-59", "cta-59"].iter().any(|name| is_by(name, "SIP/2.0 200"))
    });
    let (whole, every) = (whole.count(), every.len());
    assert!(whole * 10 > every * 9, "{whole} of {every}");
    let refused = tell(&workspace, &["run", "campaign.toml", "--virtual-time", "--hep", &address]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--hep sends copies"), "{refused:?}");
}

fn is_placed_again(is_virtual: bool) {
    let workspace = run(is_virtual, KILL, &[]);
    let lost = attempts(&workspace, "outcome = 'lost' AND nth = 1");
    let id = format!("{:032x}", lost.first().expect("a lost call"));
    let caller: u32 = calls(&workspace)
        .query_row("SELECT caller FROM attempts WHERE attempt = ?", [&id], |row| row.get(0))
        .expect("its caller");
    let mut words = vec!["replay", "latest", &id[..12]];
    words.extend((!is_virtual).then_some("--real-time"));
    let told = said(&workspace, &words);
    let (then, again) = told.split_once("\nagain: ").expect("two ladders");
    assert!(then.starts_with(&format!("then: call 1 of caller {caller}, lost")), "{told}");
    assert!(again.starts_with(&format!("call 1 of caller {caller}, ")), "{told}");
    for ladder in [then, again] {
        assert!(
            ladder.contains("|--INVITE sdp--") && ladder.contains("seizes a circuit"),
            "{told}"
        );
    }
    assert!(again.contains("it ended "), "{told}");
    // The run of one call is a run as any other, and balances. The latest run is the same as before.
    let summary = fs::read_to_string(workspace.path("runs/replays/latest/summary.json"));
    let summary = serde_json::from_str(&summary.expect("a summary")).expect("JSON");
    assert_eq!(balanced(&summary), 1);
    assert!(balanced(&workspace.summary()) > 1);
    let unknown = tell(&workspace, &["replay", "latest", "ffff0000"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&unknown.stderr).contains("no attempt has the id"),
        "{unknown:?}"
    );
}

#[test]
fn a_call_is_placed_again_alone_and_shown_beside_itself() {
    is_placed_again(true);
}

#[test]
fn a_call_is_placed_again_on_real_sockets_too() {
    is_placed_again(false);
}
