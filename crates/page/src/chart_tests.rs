//! The charts of a busy run, as they stand in the page: nothing stands on anything else, nothing is empty, and few calls
//! make no peaks.

use std::time::Duration;

use account::fixture::{START, call, demo, summarize};
use account::outcome::{Downtime, EventKind, TimelineEvent};
use account::series::{FEWEST, Series};
use account::summary::Summary;
use telemetry::{Audit, CallRecord, Outcome, Rules};

use crate::content::{Page, PageRun, PhaseSpan};
use crate::html::whole;

const SITES: [&str; 6] = ["alpha", "beta", "gamma", "delta", "epsilon", "rtc_exchange"];

/// Two minutes of calls at seven sites, which are dense first and rare later; one in ten fails.
fn series() -> Series {
    let mut series = Series::new(START, Duration::from_secs(120));
    let mut audit = Audit::new(Rules::default());
    for number in 0..1_500_u64 {
        let due = if number < 1_200 { number * 50 } else { 60_000 + (number - 1_200) * 200 };
        let outcome = if number % 10 == 0 { Outcome::Rejected } else { Outcome::Answered };
        let site = SITES[number as usize % SITES.len()].to_owned();
        audit.add(&CallRecord {
            site: Some(site).filter(|_| number % 50 != 0),
            ..call(u128::from(number), due, number % 7, outcome)
        });
    }
    audit.close(0, &[]).read(&mut [&mut series]);
    series
}

fn events() -> Vec<TimelineEvent> {
    let words = ["reconnection", "cure of all sites", "emergency-answer-seizure-ratio", "a"];
    let event = |number: u64| {
        let word = format!("{} {number}", words[number as usize % words.len()]);
        let what = match number % 3 {
            0 => EventKind::Alarm(word),
            1 => EventKind::Command(word),
            _ => EventKind::Restart,
        };
        TimelineEvent { at: Duration::from_secs(number * 7), what, text: format!("at {number}") }
    };
    (0..17).map(event).collect()
}

fn busy<'a>(summary: &'a Summary, series: &'a Series, downtimes: &'a [Downtime]) -> Page<'a> {
    let phase = |name: &str, from, to| PhaseSpan {
        name: name.to_owned(),
        from: Duration::from_secs(from),
        to: Duration::from_secs(to),
    };
    let run = |name| PageRun {
        name,
        title: "as the file says",
        summary,
        series,
        events: events(),
        downtimes,
    };
    Page {
        folder: "runs/busy-1",
        command: "tocsin run busy.toml",
        receipt: None,
        begins: Duration::from_secs(23 * 3_600 + 59 * 60),
        compression: 1.0,
        phases: vec![phase("dense", 0, 60), phase("rare", 60, 64), phase("more", 64, 120)],
        runs: vec![run("base"), run("patched")],
        comparison: Vec::new(),
        outage: None,
    }
}

fn html() -> String {
    let (summary, _) = summarize(&demo(), Vec::new(), |_| {});
    let series = series();
    let down = Downtime {
        site: "beta".to_owned(),
        from: Duration::from_secs(20),
        until: Some(Duration::from_secs(60)),
        why: "by command".to_owned(),
    };
    whole(&busy(&summary, &series, &[down]))
}

/// Every chart of a page.
fn charts(html: &str) -> Vec<&str> {
    let starts = html.match_indices("<svg xmlns").map(|(at, _)| at);
    starts.map(|at| html[at..].split_inclusive("</svg>").next().unwrap_or_default()).collect()
}

struct Text {
    words: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// Where the texts of a chart stand, by the widths of Helvetica, rather too narrow than too wide.
fn texts(svg: &str) -> Vec<Text> {
    let document = roxmltree::Document::parse(svg).expect("well-formed XML");
    let size = |node: &roxmltree::Node<'_, '_>| {
        let own = node.ancestors().find_map(|one| one.attribute("font-size"));
        own.and_then(|size| size.parse::<f64>().ok()).expect("a size of letters")
    };
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    let upright = texts.filter(|node| node.attribute("transform").is_none());
    let text = |node: roxmltree::Node<'_, '_>| {
        let place =
            |name| node.attribute(name).and_then(|at| at.parse::<f64>().ok()).expect("a place");
        let (words, size) = (node.text().unwrap_or_default().to_owned(), size(&node));
        let width = words.chars().count() as f64 * size * 0.5;
        let left = match node.attribute("text-anchor") {
            Some("end") => place("x") - width,
            Some("middle") => place("x") - width / 2.0,
            _ => place("x"),
        };
        let (top, bottom) = (place("y") - size * 0.72, place("y") + size * 0.1);
        Text { words, left, right: left + width, top, bottom }
    };
    upright.map(text).collect()
}

#[test]
fn no_text_of_a_chart_stands_on_another() {
    let html = html();
    let charts = charts(&html);
    assert!(charts.len() > 12, "{} charts", charts.len());
    for chart in charts {
        let texts = texts(chart);
        for (number, one) in texts.iter().enumerate() {
            for other in &texts[number + 1..] {
                let apart = one.right <= other.left
                    || other.right <= one.left
                    || one.bottom <= other.top
                    || other.bottom <= one.top;
                assert!(apart, "{:?} stands on {:?} in {chart}", one.words, other.words);
            }
        }
    }
}

#[test]
fn no_chart_is_empty() {
    let html = html();
    for chart in charts(&html) {
        assert!(
            chart.contains(" data-values=\"") && !chart.contains("nothing was measured"),
            "{chart}"
        );
    }
    // Nothing rang, and no site was reached.
    let mut series = Series::new(START, Duration::from_secs(60));
    let mut audit = Audit::new(Rules::default());
    for number in 0..200_u64 {
        audit.add(&call(u128::from(number), number * 250, 0, Outcome::TimedOut));
    }
    audit.close(0, &[]).read(&mut [&mut series]);
    let (summary, _) = summarize(&[], Vec::new(), |_| {});
    let html = whole(&busy(&summary, &series, &[]));
    assert!(!html.contains("<h3>Post-dial delay</h3>"), "no call rang");
    assert!(html.contains("<h3>Answer-seizure ratio</h3>"), "none was answered, which is a figure");
    for chart in charts(&html) {
        assert!(chart.contains(" data-values=\""), "{chart}");
    }
}

#[test]
fn every_step_has_calls_enough_for_its_ratios() {
    let html = html();
    let (_, table) = html.split_once("<table class=\"steps\">").expect("the charts in numbers");
    let (_, body) = table.split_once("<tbody>").expect("rows");
    let (body, _) = body.split_once("</tbody>").expect("their end");
    let offered: Vec<u64> = body
        .split("<tr>")
        .skip(1)
        .map(|row| row.split("<td>").nth(2).and_then(|cell| cell.split('<').next()?.parse().ok()))
        .map(|calls| calls.expect("a number of calls"))
        .collect();
    assert_eq!(offered.iter().sum::<u64>(), 1_500);
    assert!(offered.iter().all(|calls| *calls == 0 || *calls >= FEWEST), "{offered:?}");
    let (summary, series) = summarize(&demo(), Vec::new(), |_| {});
    let few = whole(&busy(&summary, &series, &[]));
    assert!(few.contains("Fewer than 40 calls") && few.contains("<h3>Calls in progress</h3>"));
    assert!(!few.contains("<h3>Answer-seizure ratio</h3>"), "a ratio of four calls");
}

#[test]
fn strips_tell_what_failed_at_each_site_and_when_it_was_down() {
    let html = html();
    let is_strips = |chart: &&&str| chart.contains("<title>Calls per second by site</title>");
    let all = charts(&html);
    let strips = all.iter().find(is_strips).expect("the strips");
    for site in SITES {
        assert!(strips.contains(&format!("data-name=\"{site}, failed\"")), "{site}: {strips}");
    }
    assert!(strips.contains("data-name=\"no site, failed\""), "calls that reached none: {strips}");
    assert_eq!(strips.matches("class=\"down\"").count(), 1, "{strips}");
    assert!(strips.contains("<title>beta down from 23:59:20 until 0:00:00: by command</title>"));
    assert!(html.contains(" down</li>"), "the legend has it");
}

#[test]
fn each_chart_is_drawn_for_a_telephone_too() {
    let html = html();
    let (section, _) = html
        .split_once("<section id=\"time\">")
        .expect("over time")
        .1
        .split_once("</section>")
        .expect("its end");
    let drawings = |class: &str| section.matches(&format!("class=\"drawing {class}\"")).count();
    let figures = section.matches("<figure>").count();
    assert_eq!(drawings("at-narrow"), figures, "{figures} figures");
    for chart in section.split("class=\"drawing at-narrow\">").skip(1) {
        assert!(chart.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"figure\""));
        assert!(chart.split('>').next().is_some_and(|head| head.contains(" width=\"354\"")));
    }
}
