//! Pages of runs by hand: what they say, and that nothing of a run becomes markup.

use std::time::Duration;

use account::fixture::{START, call, demo, summarize, threshold};
use account::outcome::{Downtime, EventKind, TimelineEvent};
use account::series::Series;
use account::summary::{HalfHour, HarmCounts, HarmFigures, RunFacts, Summary};
use serde_json::json;
use telemetry::{Audit, CallRecord, Outcome as End, Rules};

use crate::content::{Outage, Page, PageRun, PhaseSpan};
use crate::html::whole;

/// What would run if it were markup.
const HOSTILE: &str = "<script>alert(1)</script>\"'&<img src=http://192.0.2.1/x>";

fn page<'a>(summary: &'a Summary, series: &'a Series, events: Vec<TimelineEvent>) -> Page<'a> {
    Page {
        folder: "runs/demo-1",
        command: "tocsin run demo.toml",
        receipt: None,
        begins: Duration::ZERO,
        compression: 1.0,
        phases: vec![PhaseSpan {
            name: "steady".to_owned(),
            from: Duration::ZERO,
            to: Duration::from_secs(20),
        }],
        runs: vec![PageRun {
            name: "run",
            title: "on real sockets",
            summary,
            series,
            events,
            downtimes: &[],
        }],
        comparison: Vec::new(),
        outage: None,
    }
}

/// The text of a page as a browser shows it, more or less.
fn text(html: &str) -> String {
    let mut shown = String::new();
    let mut is_markup = false;
    for letter in html.chars() {
        match letter {
            '<' => is_markup = true,
            '>' => is_markup = false,
            other if !is_markup => shown.push(other),
            _ => {}
        }
    }
    let known = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    known.iter().fold(shown, |shown, (entity, letter)| shown.replace(entity, letter))
}

#[test]
fn the_page_opens_with_the_verdict_and_why() {
    let limits = vec![threshold(Some(0.9), None), threshold(Some(0.5), None)];
    let (summary, series) = summarize(&demo(), limits, |_| {});
    let html = whole(&page(&summary, &series, Vec::new()));
    let (top, main) = html.split_once("</nav>").expect("links to the sections");
    let in_order = |part: &str, wanted: &[&str]| {
        let shown = text(part);
        let mut rest = &shown[..];
        for part in wanted {
            let found = rest.split_once(part);
            rest = found.unwrap_or_else(|| panic!("no {part:?} in its place in {shown}")).1;
        }
    };
    in_order(
        top,
        &["FAIL", "(answered_share) is 75 %, must be at least 90 %", "demo on six-sites"],
    );
    let sections = [
        "Thresholds",
        "✗ does not hold",
        "answered_share",
        "75 %",
        "at least 90 %",
        "✓ holds",
        "Key figures",
        "75.0 %",
        "✗ answered_share is 75 %, must be at least 90 %",
        "Over time",
        "All figures",
        "By site",
        "samu-59",
        "4 offered=3 answered+0 rejected+1 abandoned+0 timed out+0 lost",
        "no call failed",
        "Slowest to ring",
        "tocsin show runs/demo-1 00000000000000000000000000000001",
        "The generator itself",
        "What was run",
        "tocsin run demo.toml",
    ];
    in_order(main, &sections);
    let (main, _) = main.split_once("<script>").expect("a script");
    assert!(!main.contains("NaN") && !main.contains("inf"), "{main}");
}

#[test]
fn each_verdict_has_a_word_a_sign_and_a_sentence() {
    type Change = fn(&mut RunFacts<'_>);
    let cases: [(&str, &str, Change); 5] = [
        ("NO BOUNDS", "○", |_| {}),
        ("INTERRUPTED", "‖", |run| run.interrupted = true),
        ("INVALID", "∅", |run| run.generators.not_started = 1),
        ("DEGRADED", "!", |run| run.degraded = vec!["process site-alpha was lost".to_owned()]),
        ("FAIL", "✗", |run| run.generators.offered = 9),
    ];
    for (word, sign, change) in cases {
        let (summary, series) = summarize(&demo(), Vec::new(), change);
        let text = text(&whole(&page(&summary, &series, Vec::new())));
        assert!(text.contains(word) && text.contains(sign), "{word}");
        assert!(summary.reasons.iter().all(|reason| text.contains(&reason[..])), "{word}: {text}");
    }
}

#[test]
fn nothing_of_a_run_becomes_markup() {
    let mut records = demo();
    for record in &mut records {
        record.number = HOSTILE.to_owned();
        record.reason = Some(HOSTILE.to_owned());
        record.trunk_group = record.trunk_group.take().map(|_| HOSTILE.to_owned());
    }
    let lost = CallRecord { attempt: HOSTILE.to_owned(), ..call(9, 0, 0, End::Lost) };
    records.push(CallRecord { reason: Some(HOSTILE.to_owned()), ..lost });
    let (mut summary, series) = summarize(&records, Vec::new(), |run| {
        run.network = HOSTILE;
        run.degraded = vec![HOSTILE.to_owned()];
    });
    summary.campaign = HOSTILE.to_owned();
    let events = [EventKind::Command(HOSTILE.to_owned()), EventKind::Alarm(HOSTILE.to_owned())];
    let event = |what| TimelineEvent { at: Duration::from_secs(1), what, text: HOSTILE.to_owned() };
    let receipt = json!({ HOSTILE: { "a": [HOSTILE, 1] } });
    let mut page = page(&summary, &series, events.map(event).to_vec());
    (page.folder, page.command, page.receipt) = (HOSTILE, HOSTILE, Some(&receipt));
    page.phases[0].name = HOSTILE.to_owned();
    page.runs[0].title = HOSTILE;
    page.comparison = vec![vec![HOSTILE.to_owned(); 2]; 3];
    let html = whole(&page);
    assert_eq!(html.matches("<script").count(), 1, "our own");
    assert!(!html.contains("<img"), "{html}");
    assert!(text(&html).matches(HOSTILE).count() > 15, "it is shown as text");
    assert!(html.contains("content=\"default-src 'none'; "), "{html}");
}

#[test]
fn a_run_without_calls_has_a_page() {
    let (summary, series) = summarize(&[], Vec::new(), |_| {});
    let text = text(&whole(&page(&summary, &series, Vec::new())));
    assert!(text.contains("INVALID") && text.contains("nothing to draw"), "{text}");
}

#[test]
fn what_few_look_up_is_folded_at_the_end() {
    let (summary, series) = summarize(&demo(), Vec::new(), |_| {});
    let receipt = json!({ "campaign": "demo" });
    let mut page = page(&summary, &series, Vec::new());
    page.receipt = Some(&receipt);
    let html = whole(&page);
    let (before, folded) = html.split_once("<section id=\"run\">").expect("what was run");
    assert!(!before.contains("class=\"folded\"") && folded.contains("<section id=\"receipt\">"));
    assert_eq!(folded.matches("<details class=\"folded\">").count(), 2, "{folded}");
}

#[test]
fn five_figures_have_the_colour_of_their_thresholds() {
    let html = |thresholds, change: fn(&mut RunFacts<'_>)| {
        let (summary, series) = summarize(&demo(), thresholds, change);
        let html = whole(&page(&summary, &series, Vec::new()));
        let (_, large) = html.split_once("<dl class=\"large\">").expect("large figures");
        large.split_once("</dl>").expect("their end").0.to_owned()
    };
    let tones = |large: &str| {
        let parts = large.split("<div class=\"").skip(1);
        parts.map(|part| part.split('"').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let rest = ["unjudged"; 4];
    let missed = vec![threshold(Some(0.9), None), threshold(Some(0.5), None)];
    let wanted = |first| [&[first][..], &rest[..]].concat();
    assert_eq!(tones(&html(missed, |_| {})), wanted("fail"));
    assert_eq!(tones(&html(vec![threshold(Some(0.5), None)], |_| {})), wanted("pass"));
    assert_eq!(tones(&html(Vec::new(), |_| {})), wanted("unjudged"));
    let invalid = html(vec![threshold(Some(0.5), None)], |run| run.generators.not_started = 1);
    assert_eq!(tones(&invalid), ["grey"; 5], "it says nothing about the network");
}

#[test]
fn figures_of_an_invalid_run_are_grey_but_not_those_of_the_generator() {
    let (summary, series) = summarize(&demo(), Vec::new(), |run| run.generators.not_started = 1);
    let html = whole(&page(&summary, &series, Vec::new()));
    for (id, is_grey) in [("key", true), ("time", true), ("groups", true), ("generator", false)] {
        let opens = html.contains(&format!("<section id=\"{id}\" class=\"grey\">"));
        assert_eq!(opens, is_grey, "{id}");
    }
    let (summary, series) = summarize(&demo(), Vec::new(), |_| {});
    assert!(!whole(&page(&summary, &series, Vec::new())).contains("class=\"grey\""));
}

#[test]
fn the_page_of_a_long_run_is_as_short_as_any() {
    let mut series = Series::new(START, Duration::from_secs(7 * 3_600));
    let mut audit = Audit::new(Rules::default());
    let mut record = call(1, 0, 0, End::Answered);
    let sites = ["alpha", "beta", "gamma"];
    for number in 0..200_000_u64 {
        let due = START + number * 126_000;
        (record.intended_us, record.start_us) = (Some(due), due + number % 997);
        (record.ring_us, record.answer_us) =
            (Some(due + 20_000 + number % 50_021), Some(due + 3_000_000));
        record.end_us = due + 60_000_000;
        record.attempt = format!("{number:032x}");
        record.site = Some(sites[number as usize % 3].to_owned());
        audit.add(&record);
    }
    audit.close(0, &[]).read(&mut [&mut series]);
    assert!(series.bins().count() <= 240);
    let (summary, _) = summarize(&demo(), Vec::new(), |_| {});
    let html = whole(&page(&summary, &series, Vec::new()));
    assert!(html.len() < 700_000, "{} bytes", html.len());
}

// Left running for days: commands by hand, machines that start anew, half hours without end.
#[test]
fn the_page_of_a_year_full_of_faults_is_as_short_as_any() {
    const YEAR: u64 = 365 * 24 * 3_600;
    let mut series = Series::new(START, Duration::from_secs(YEAR));
    let mut audit = Audit::new(Rules::default());
    for number in 0..20_000_u64 {
        let site = Some(["alpha", "beta"][number as usize % 2].to_owned());
        let due = number * (YEAR * 1_000 / 20_000);
        let outcome = if number % 7 == 0 { End::Rejected } else { End::Answered };
        audit.add(&CallRecord { site, ..call(u128::from(number), due, number % 9, outcome) });
    }
    audit.close(0, &[]).read(&mut [&mut series]);
    let (mut summary, _) = summarize(&demo(), Vec::new(), |_| {});
    let counts = |place: u64| HarmCounts {
        callers: 100 + place % 7,
        never_reached: if place == 9_999 { 77 } else { place % 5 },
        attempts: 120,
        ..HarmCounts::default()
    };
    let half_hour = |place: u64| HalfHour {
        from: format!("{}:{:02}", place / 2 % 24, place % 2 * 30),
        from_s: place.cast_signed() * 1_800,
        counts: counts(place),
    };
    summary.harm = Some(HarmFigures {
        whole: counts(0),
        by_half_hour: (0..YEAR / 1_800).map(half_hour).collect(),
        ..HarmFigures::default()
    });
    summary.reasons = (0..5_000).map(|number| format!("process {number} was lost")).collect();
    let at = |number: u64| Duration::from_secs(number * (YEAR / 20_000));
    let event = |number: u64| TimelineEvent {
        at: at(number),
        what: EventKind::HandCommand(format!("by hand: restart {number}")),
        text: format!("restart {number}: done"),
    };
    let down = |number: u64| Downtime {
        site: "alpha".to_owned(),
        from: at(number),
        until: Some(at(number) + Duration::from_secs(60)),
        why: "by command".to_owned(),
    };
    let downtimes: Vec<Downtime> = (0..20_000).map(down).collect();
    let mut page = page(&summary, &series, (0..20_000).map(event).collect());
    page.runs[0].downtimes = &downtimes;
    page.outage = Some(Outage { sentences: vec!["many".to_owned()], ..Outage::default() });
    let html = whole(&page);
    assert!(html.len() < 700_000, "{} bytes", html.len());
    for left in ["17424 more are in summary.json", "19700 more in", "4894 more in"] {
        assert!(html.contains(left), "it does not say what it leaves out: {left}");
    }
    assert!(html.contains("20000 times from"), "what is too close is told together");
    assert!(html.contains("<td>77</td>"), "the worst half hour is among those in the table");
}

#[test]
fn the_page_of_an_outage_opens_with_who_was_not_reached() {
    let (mut summary, series) = summarize(&demo(), Vec::new(), |_| {});
    let counts = HarmCounts {
        callers: 4,
        never_reached: 1,
        attempts: 9,
        not_routed: 3,
        ..HarmCounts::default()
    };
    let half_hour = HalfHour { from: "16:30".to_owned(), from_s: -600, counts };
    summary.harm = Some(HarmFigures {
        whole: counts,
        by_half_hour: vec![half_hour],
        ..HarmFigures::default()
    });
    let cells = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
    let mut page = page(&summary, &series, Vec::new());
    page.outage = Some(Outage {
        sentences: vec![format!("1 of 4 people {HOSTILE}"), "They called 9 times.".to_owned()],
        published: vec![
            cells(["figure", "published", ""]),
            cells(["share", "11 %", "within"]),
            cells([HOSTILE, "many", "OUTSIDE"]),
        ],
        savings: vec![
            cells(["would have saved", "never reached", "cut"]),
            cells(["run", "1", "-2"]),
        ],
        sensitivity: Vec::new(),
    });
    let html = whole(&page);
    assert!(!html.contains("<script>alert"), "nothing of a run becomes markup");
    let shown = text(&html[html.find("<body>").expect("a body")..]);
    let mut rest = &shown[..];
    for part in [
        "1 of 4 people",
        "They called 9 times.",
        "Who was not reached",
        "Half hour by half hour",
        "16:30",
        "Published and emulated",
        "✓ within",
        "✗ outside",
        "What would have saved them",
        "on real sockets",
        "What happened when",
        "Key figures",
    ] {
        let found = rest.split_once(part);
        rest = found.unwrap_or_else(|| panic!("no {part:?} in its place in {shown}")).1;
    }
    assert!(html.contains("<header class=\"outage\">"), "the verdict does not stand over it");
}
