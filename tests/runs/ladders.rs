//! What was kept of a run, as its tester asks for it: the ladder of a call in each form, one message, what differs between two, and
//! a capture.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;
use system_tests::browser::Browser;
use system_tests::program::tocsin;

use crate::history::{said, tell};
use crate::traces::{KILL, attempts, run};
use crate::{CampaignFolder, NETWORK, balanced, placed};

/// No file may have more than so many blocks of 512 bytes: more than the database of a short run, and less than all its messages.
const BLOCKS: u32 = 800;

/// The first call for which this holds, by its id.
fn call(workspace: &CampaignFolder, condition: &str) -> String {
    let found = attempts(workspace, condition);
    format!("{:032x}", found.first().expect("such a call"))
}

fn ladder(workspace: &CampaignFolder, id: &str, format: &str) -> String {
    said(workspace, &["show", "latest", id, "--ladder", "--format", format])
}

fn story(workspace: &CampaignFolder, id: &str) -> Value {
    serde_json::from_str(&ladder(workspace, id, "json")).expect("JSON")
}

/// The messages of a story, without notes and what was heard.
fn messages(story: &Value) -> Vec<&Value> {
    let lines = story["lines"].as_array().expect("lines");
    lines.iter().filter(|line| line["what"] == "message").collect()
}

#[track_caller]
fn refused(workspace: &CampaignFolder, words: &[&str]) -> String {
    let output = tell(workspace, words);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_call_of_a_run_is_shown_in_every_form() {
    let workspace = run(true, "", &["--trace", "all"]);
    let id = call(&workspace, "outcome = 'answered' AND number = '15'");
    let story = story(&workspace, &id);
    let names = story["columns"].as_array().expect("columns").iter();
    let names: Vec<&str> = names.filter_map(|column| column["name"].as_str()).collect();
    assert_eq!((names.len(), names[0], names[3]), (4, "generator", "samu-59"), "{names:?}");
    let arrows = messages(&story);
    assert!(arrows.iter().all(|arrow| arrow["fate"] == "arrived"), "{arrows:#?}");
    assert_eq!(story["attempt"], *id);

    let text = ladder(&workspace, &id, "text");
    for part in ["|--INVITE sdp--", "seizes a circuit towards", "picks up", "answered by samu-59"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(text, said(&workspace, &["show", "latest", &id[..12], "--ladder"]));
    let markdown = ladder(&workspace, &id, "markdown");
    assert!(markdown.starts_with(&format!("## call {id}, 15\n")), "{markdown}");
    let mermaid = ladder(&workspace, &id, "mermaid");
    assert_eq!(mermaid.matches("->>").count() - mermaid.matches("-->>").count(), arrows.len());
    let svg = ladder(&workspace, &id, "svg");
    let document = roxmltree::Document::parse(&svg).expect("XML");
    let links = document.descendants().filter(|node| node.tag_name().name() == "a");
    assert_eq!(links.count(), arrows.len());
    let html = ladder(&workspace, &id, "html");
    assert_eq!(html.matches("<details>").count(), arrows.len());

    // One message as on the wire, and what the call server changed between its two legs.
    let invites: Vec<&&Value> = arrows.iter().filter(|arrow| arrow["label"] == "INVITE").collect();
    let number = |at: usize| invites[at]["number"].to_string();
    let message = said(&workspace, &["show", "latest", &id, "--message", &number(1)]);
    let first = invites[1]["text"].as_str().and_then(|text| text.lines().next());
    assert!(message.contains(first.expect("a first line")), "{message}");
    assert!(message.starts_with(&format!("message {}: INVITE sdp\n", number(1))), "{message}");
    let words = ["show", "latest", &id, "--diff", &number(1), &number(2)];
    let difference = said(&workspace, &words);
    for field in ["Call-ID", "Via", "From"] {
        assert!(difference.contains(field), "{field}: {difference}");
    }
    let none = refused(&workspace, &["show", "latest", &id, "--message", "999"]);
    assert!(none.contains(&format!("the numbers 1 to {}", arrows.len())), "{none}");

    // Colours where they are asked for, and then the same words.
    let words = ["show", "latest", &id, "--ladder", "--color"];
    let coloured = said(&workspace, &[&words[..], &["always"]].concat());
    let mut parts = coloured.split('\u{1b}');
    let begin = parts.next().unwrap_or_default().to_owned();
    let plain = parts.fold(begin, |text, part| text + part.split_once('m').expect("SGR").1);
    assert!(coloured.contains('\u{1b}') && plain == text, "{coloured}");
    assert_eq!(said(&workspace, &[&words[..], &["never"]].concat()), text);

    // A capture of the call, of a filter, and of all.
    let captured = |words: &[&str]| {
        let told =
            said(&workspace, &[&["show", "latest"], words, &["--pcap", "a.pcapng"]].concat());
        let bytes = fs::read(workspace.path("a.pcapng")).expect("a capture");
        (told, ladder::capture::read(&bytes).expect("pcapng").messages)
    };
    let (told, seen) = captured(&[&id]);
    assert_eq!(seen.len(), arrows.len(), "{told}");
    let texts: BTreeSet<&str> = arrows.iter().filter_map(|arrow| arrow["text"].as_str()).collect();
    assert!(seen.iter().all(|one| texts.contains(&*String::from_utf8_lossy(&one.bytes))));
    let answered = attempts(&workspace, "number = '15'").len();
    let (told, some) = captured(&["--where", "number = '15'"]);
    assert!(told.contains(&format!(" of {answered} calls in a.pcapng")), "{told}");
    let (_, all) = captured(&[]);
    assert!(seen.len() < some.len() && some.len() < all.len());
}

#[test]
fn who_misses_a_call_is_told_what_is_kept() {
    let said_of = |keep: &str| {
        let workspace = run(true, "", &["--trace", keep]);
        let id = call(&workspace, "outcome = 'answered'");
        let pcap = refused(
            &workspace,
            &["show", "latest", "--where", "outcome = 'answered'", "--pcap", "x"],
        );
        let told = refused(&workspace, &["show", "latest", &id, "--ladder"]);
        let (_, why) = told.split_once(": ").and_then(|it| it.1.split_once(": ")).expect("a why");
        assert!(pcap.ends_with(why), "{pcap} {told}");
        why.trim_end().to_owned()
    };
    assert_eq!(said_of("failed"), "kept are failed calls; run with --trace all");
    assert!(
        said_of("0").starts_with("kept are failed calls, and of all others a share of 0; run with")
    );
    assert!(
        said_of("off").starts_with("this run kept no messages (--trace off); run with --trace")
    );
}

/// What leads to a box that was killed does not look as if it had arrived.
#[test]
fn what_nobody_saw_arrive_does_not_look_as_if_it_had() {
    let workspace = run(true, KILL, &[]);
    let id = call(&workspace, "outcome = 'lost'");
    let story = story(&workspace, &id);
    let alpha = story["columns"].as_array().expect("columns").iter();
    let alpha = alpha.clone().position(|column| column["name"] == "alpha").expect("alpha");
    assert_eq!(story["columns"][alpha]["has_kept"], false, "{story:#}");
    let towards: Vec<&Value> =
        messages(&story).into_iter().filter(|arrow| arrow["to"] == alpha).collect();
    assert!(!towards.is_empty() && towards.iter().all(|arrow| arrow["fate"] == "sent_only"));
    let text = ladder(&workspace, &id, "text");
    let why = "alpha kept nothing of this call";
    assert!(text.contains("|--INVITE sdp--") && text.contains("-?|"), "{text}");
    assert_eq!(text.matches(why).count(), 1, "{text}");
    assert!(ladder(&workspace, &id, "mermaid").contains("-)p"));
    assert!(ladder(&workspace, &id, "svg").contains(">?</text>"));
    for format in ["markdown", "html", "mermaid"] {
        let form = ladder(&workspace, &id, format);
        assert!(form.matches(why).count() >= towards.len(), "{form}");
    }
}

#[test]
fn the_page_of_a_ladder_has_room_on_a_telephone() {
    let workspace = run(true, "", &["--trace", "all"]);
    let id = call(&workspace, "number = 'urn:service:sos.fire'");
    workspace.write("call.html", &ladder(&workspace, &id, "html"));
    let link = format!("file://{}", workspace.path("call.html").display());
    let mut browser = Browser::open(&link, 390);
    browser.until_says("h1", &id);
    browser.until("document.documentElement.scrollWidth <= innerWidth");
    // The picture scrolls by itself; whatever else there is ends within the page.
    let wide = "[...document.querySelectorAll('body *:not(.picture *)')].filter((one) => \
                one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.tagName).join()";
    assert_eq!(browser.look(wide), "");
    browser.look("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    browser.until("document.documentElement.scrollWidth <= innerWidth");
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        browser.picture(&format!("ladder-{scheme}-390"));
    }
    assert_eq!(browser.complaints(), [""; 0]);
    assert_eq!(browser.requests().len(), 1);
}

#[test]
fn what_rtcp_said_stands_between_the_arrows_or_not() {
    let set = ["--trace", "all", "--set", "callers.talk=12s"];
    let workspace = run(true, "", &set);
    let id = call(&workspace, "outcome = 'answered' and number = 15");
    let story = story(&workspace, &id);
    let lines = story["lines"].as_array().expect("lines");
    let reports: Vec<&Value> = lines.iter().filter(|line| line["what"] == "report").collect();
    let last = story["columns"].as_array().map(|columns| columns.len() - 1);
    let ends: BTreeSet<(u64, u64)> = reports
        .iter()
        .map(|report| {
            let end = |name: &str| report[name].as_u64().expect("a column");
            (end("from"), end("to"))
        })
        .collect();
    let last = last.expect("columns") as u64;
    // The last one of the PSAP may find the call server without a caller to whom it would go on.
    assert!(ends.is_superset(&BTreeSet::from([(0, last), (last, 0)])), "{reports:#?}");
    let said_of = |report: &&&Value, what: &str| {
        report["text"].as_str().is_some_and(|text| text.contains(what))
    };
    for what in ["RTCP SR: ", "lost 0.0 %", "jitter ", "round trip ", "BYE"] {
        assert!(reports.iter().any(|report| said_of(&report, what)), "{what}: {reports:#?}");
    }
    let text = ladder(&workspace, &id, "text");
    assert!(text.contains("...>|") && text.contains("RTCP SR: "), "{text}");
    let bare = said(&workspace, &["show", "latest", &id, "--ladder", "--no-rtcp"]);
    assert!(
        !bare.contains("RTCP") && bare.contains("heard the call taker: 600 of 600 packets"),
        "{bare}"
    );

    // A box to tick, without a script.
    workspace.write("call.html", &ladder(&workspace, &id, "html"));
    let mut browser =
        Browser::open(&format!("file://{}", workspace.path("call.html").display()), 390);
    let seen = "[...document.querySelectorAll('.picture')].filter((one) => one.checkVisibility())\
                .map((one) => one.textContent.includes('RTCP SR')).join()";
    browser.until_says("h1", &id);
    assert_eq!(browser.look(seen), "true");
    browser.click("label[for=rtcp]");
    browser.until(&format!("({seen}) === 'false'"));
    browser.until("document.documentElement.scrollWidth <= innerWidth");
}

/// A file that takes no more, as on a disk that is full: recording stops, the run goes on, and all its reports say so.
#[test]
fn a_full_disk_stops_the_recording_and_not_the_run() {
    for is_virtual in [true, false] {
        let workspace = CampaignFolder::new(8, "1s");
        if is_virtual {
            workspace.write("network.toml", &placed(NETWORK));
        }
        let mode = if is_virtual { "--virtual-time" } else { "--real-time" };
        // No file may have more than so many blocks of 512 bytes.
        let script = format!("trap '' XFSZ; ulimit -f {BLOCKS}; exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.current_dir(workspace.path("")).args(["-c", &script]).arg(tocsin());
        command.args(["run", "campaign.toml", "--quiet", "--trace", "all", mode]);
        let output = command.output().expect("a shell");
        let said_of = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said_of}");
        let summary = workspace.summary();
        balanced(&summary);
        let why = "the disk had no room for all messages of calls that were to be kept: ";
        assert!(summary["notes"].to_string().contains(why), "{:#}", summary["notes"]);
        let processes = summary["processes"].as_array().expect("processes").iter();
        let dropped = processes.filter_map(|process| process["messages_dropped"].as_u64());
        assert!(dropped.sum::<u64>() > 0);
        for file in ["report.txt", "report.html"] {
            let text = fs::read_to_string(workspace.path("runs/latest").join(file)).expect(file);
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                text.contains("the run went on") && text.contains(why.trim()),
                "{file}: {text}"
            );
        }
        // What was kept until then can be read.
        let told = said(&workspace, &["show", "latest", "--pcap", "kept.pcapng"]);
        assert!(told.contains(" calls in kept.pcapng"), "{told}");
    }
}
