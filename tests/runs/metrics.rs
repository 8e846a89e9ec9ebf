//! Every metric that `docs/lab.md` names is there when a network with calls is scraped, with its labels, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::CampaignFolder;
use crate::outcomes::wait_for_calls;

const DOCUMENT: &str = include_str!("../../docs/lab.md");

/// Labels that the document gives to every series of a box, and `le`, which OpenMetrics gives to histograms.
const COMMON: [&str; 5] = ["box", "kind", "site", "psap", "le"];

/// Names of metrics as a scrape shows them, and the labels that tell their series apart.
type Metrics = BTreeMap<String, BTreeSet<String>>;

/// The metrics that the document names: each stands between backticks, its labels in braces.
fn documented() -> Metrics {
    let mut metrics = Metrics::new();
    let names = DOCUMENT.split('`').filter(|code| code.starts_with("tocsin_"));
    for name in names {
        let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
        let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
        let known = metrics.insert(name.to_owned(), labels.map(str::to_owned).collect());
        assert!(known.is_none(), "{name} stands twice in the document");
    }
    metrics
}

/// The labels of a series: `name{label="value",…} number`.
fn labels(series: &str) -> BTreeMap<String, String> {
    let Some((_, rest)) = series.split_once('{') else { return BTreeMap::new() };
    let inside = rest.split_once('}').expect("a closing brace").0;
    let pair = |label: &str| {
        let (name, value) = label.split_once('=').expect("a label and its value");
        (name.to_owned(), value.trim_matches('"').to_owned())
    };
    inside.split(',').map(pair).collect()
}

fn scraped(text: &str) -> Metrics {
    let mut metrics = Metrics::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        // A histogram is one metric.
        let parts = ["_bucket", "_sum", "_count"];
        let name = parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name);
        let labels = labels(line);
        let whose = labels.get("kind").map(String::as_str);
        assert_eq!(labels.contains_key("box"), whose.is_some(), "{line}");
        assert_eq!(labels.contains_key("site"), whose == Some("call_server"), "{line}");
        assert_eq!(labels.contains_key("psap"), whose == Some("psap"), "{line}");
        let own = labels.into_keys().filter(|label| !COMMON.contains(&&label[..]));
        metrics.entry(name.to_owned()).or_default().extend(own);
    }
    metrics
}

#[test]
fn every_metric_of_the_document_is_there_with_its_labels_and_no_other() {
    let workspace = CampaignFolder::new(60, "1s");
    let mut run = workspace.run(&["--metrics", "127.0.0.1:0"]);
    let said = run.until("metrics at http://");
    let address = said.split("http://").nth(1).and_then(|place| place.split('/').next());
    let address = address.expect("an address").to_owned();
    wait_for_calls(&mut run);

    let mut stream = TcpStream::connect(&address).expect("it listens");
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let kinds = ["trunk_group", "call_server", "psap", "generator", "pool_monitor"];
    for kind in kinds {
        assert!(body.contains(&format!("kind=\"{kind}\"")), "no {kind} in\n{body}");
    }
    let (named, shown) = (documented(), scraped(body));
    assert!(named.len() > 30, "only {} metrics were found in the document", named.len());
    for (name, labels) in &named {
        assert_eq!(shown.get(name), Some(labels), "{name}, which docs/lab.md names, in\n{body}");
    }
    for name in shown.keys() {
        assert!(named.contains_key(name), "docs/lab.md does not name {name}");
    }
    run.interrupt();
    assert_eq!(run.finish().code(), Some(130), "{}", run.words());
}
