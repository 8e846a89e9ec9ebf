//! The metrics as Prometheus reads them, over real HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contract::{
    BoxState, CallServerCounts, CallServerSnapshot, DirectoryEntry, GeneratorSnapshot,
    MemberCounts, MemberSnapshot, MemberState, NodeKind, PositionCounts, PsapSnapshot,
    ServiceFigures, Snapshot, SocketCounts, TrunkGroupCounts, TrunkGroupSnapshot, Usage,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

/// A box that runs, as a program shows it.
fn running(kind: NodeKind, snapshot: Option<Snapshot>) -> DirectoryEntry {
    let sockets = SocketCounts {
        udp_received: 40,
        udp_sent: 41,
        udp_kernel_drops: 2,
        ..SocketCounts::default()
    };
    let listening = DirectoryEntry::listening(kind, ([127, 0, 0, 1], 5060).into());
    DirectoryEntry { snapshot, sockets, ..listening }
}

fn call_server() -> CallServerSnapshot {
    let media = media::PlaneCounts { streams: 6, forwarded: 900, ..Default::default() };
    CallServerSnapshot {
        calls: 3,
        counts: CallServerCounts { offered: 10, answered: 7, ..CallServerCounts::default() },
        restarts: 1,
        waiting: 5,
        resent: 4,
        contexts_used: 3,
        contexts: 12_000,
        media,
        ..CallServerSnapshot::default()
    }
}

fn psap() -> PsapSnapshot {
    PsapSnapshot {
        offered: 9,
        in_progress: 4,
        waiting: 2,
        refused: 1,
        positions: PositionCounts { idle: 1, ringing: 2, talking: 3, wrap_up: 0 },
        service: ServiceFigures {
            answered: 6,
            answered_in_time: 5,
            abandoned: 1,
            ..ServiceFigures::default()
        },
        ..PsapSnapshot::default()
    }
}

fn trunk_group() -> TrunkGroupSnapshot {
    let member = |call_server: &str, seized, falls| MemberSnapshot {
        call_server: call_server.to_owned(),
        site: call_server.to_owned(),
        state: MemberState::Up,
        circuits: 120,
        seized,
        falls,
        found_after_us: None,
        counts: MemberCounts::default(),
        asked: None,
        kept_away: 0,
    };
    TrunkGroupSnapshot {
        calls: 3,
        counts: TrunkGroupCounts { offered: 10, ..TrunkGroupCounts::default() },
        members: vec![member("alpha", 3, 0), member("beta.b", 0, 1)],
        ..TrunkGroupSnapshot::default()
    }
}

fn generator() -> GeneratorSnapshot {
    let mut generator = GeneratorSnapshot {
        offered: 10,
        in_progress: 3,
        talking: 2,
        ..GeneratorSnapshot::default()
    };
    for micros in [150, 150, 150, 150, 150, 150, 150, 150, 150, 3_000] {
        generator.lag.record_us(micros);
    }
    generator
}

/// A box of each kind with calls, and one that is lost.
fn shown() -> LatestState {
    let lost = running(NodeKind::CallServer, None);
    let boxes = [
        ("alpha", running(NodeKind::CallServer, Some(call_server().into()))),
        ("beta.b", DirectoryEntry { state: BoxState::Lost, ..lost }),
        ("load-1", running(NodeKind::Generator, Some(generator().into()))),
        ("mobile", running(NodeKind::TrunkGroup, Some(trunk_group().into()))),
        ("samu-59", running(NodeKind::Psap, Some(psap().into()))),
    ];
    let usage =
        Usage { user_us: 1_500_000, system_us: 500_000, max_rss_kib: 2_048, ..Usage::default() };
    LatestState {
        boxes: boxes.map(|(name, entry)| (name.to_owned(), entry)).into(),
        processes: [("site-alpha".to_owned(), usage)].into(),
    }
}

/// Asks as a scraper does, and returns head and body.
async fn ask(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("a request on its way");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_owned(), body.to_owned())
}

fn served() -> (SocketAddr, Listening) {
    let args = MetricsArgs { metrics: Some(([127, 0, 0, 1], 0).into()) };
    let metrics = args.open().expect("a free port").expect("an address was given");
    let address = metrics.address();
    (address, metrics.serve(Arc::new(shown)).expect("a runtime"))
}

fn get(address: SocketAddr) -> String {
    format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n")
}

/// What promtool checks: each name is described before its samples and once, no series comes twice, every value is a
/// number, counters end in `_total`, and the end is marked.
fn check(text: &str) -> BTreeMap<String, f64> {
    let body = text.strip_suffix("# EOF\n").expect("the end is marked");
    let (mut types, mut helps) = (BTreeMap::new(), BTreeSet::new());
    let (mut series, mut seen) = (BTreeMap::new(), BTreeSet::new());
    for line in body.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "HELP", name, help] => {
                assert!(helps.insert(name) && !help.is_empty(), "{name} is explained twice");
            }
            ["#", "TYPE", name, kind] => {
                assert!(helps.contains(name), "{name} is not explained");
                assert!(types.insert(name, kind).is_none(), "{name} is described twice");
            }
            _ => {
                let (name, value) = line.rsplit_once(' ').expect("a name and a value");
                let metric = name.split('{').next().expect("a name");
                let of =
                    |suffix: &str| metric.strip_suffix(suffix).and_then(|name| types.get(name));
                let described = match types.get(metric) {
                    Some(kind) => *kind == "gauge",
                    None => {
                        of("_total") == Some(&"counter")
                            || ["_sum", "_count", "_bucket"]
                                .iter()
                                .any(|it| of(it) == Some(&"histogram"))
                    }
                };
                assert!(described, "{line} is not described");
                assert!(seen.insert(name.to_owned()), "{name} comes twice");
                series.insert(name.to_owned(), value.parse().expect("a number"));
            }
        }
    }
    series
}

#[tokio::test]
async fn a_scrape_is_openmetrics_with_every_kind_of_box() {
    let (address, _listening) = served();
    let (head, body) = ask(address, &get(address)).await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains(OPEN_METRICS), "{head}");
    let series = check(&body);
    for (name, value) in [
        (r#"tocsin_box_up{box="alpha",site="alpha",kind="call_server"}"#, 1.0),
        (r#"tocsin_box_up{box="beta.b",site="beta",kind="call_server"}"#, 0.0),
        (r#"tocsin_calls_offered_total{box="mobile",kind="trunk_group"}"#, 10.0),
        (r#"tocsin_calls_answered_total{box="samu-59",psap="samu-59",kind="psap"}"#, 6.0),
        (r#"tocsin_queue_length{box="samu-59",psap="samu-59",kind="psap"}"#, 2.0),
        (r#"tocsin_messages_waiting{box="alpha",site="alpha",kind="call_server"}"#, 5.0),
        (r#"tocsin_positions{box="samu-59",psap="samu-59",kind="psap",state="talking"}"#, 3.0),
        (r#"tocsin_circuits_seized{box="mobile",kind="trunk_group",call_server="alpha"}"#, 3.0),
        (r#"tocsin_member_falls_total{box="mobile",kind="trunk_group",call_server="beta.b"}"#, 1.0),
        (r#"tocsin_socket_drops_total{box="load-1",kind="generator",reason="kernel"}"#, 2.0),
        (r#"tocsin_generator_lag_seconds_bucket{le="0.005",box="load-1",kind="generator"}"#, 10.0),
        (r#"tocsin_process_cpu_seconds_total{process="site-alpha"}"#, 2.0),
    ] {
        assert_eq!(series.get(name), Some(&value), "{name}\n{body}");
    }
}

// Names are checked where they are read; whatever a name is, it stays one label.
#[test]
fn a_name_neither_ends_its_label_nor_its_line_nor_speaks_to_a_terminal() {
    let hostile = "a\"} 1\ntocsin_forged{x=\"\\\u{1b}]0;b\u{7}\r\u{202e}\\";
    let mut shown = shown();
    let mut group = trunk_group();
    group.members[0].call_server = hostile.to_owned();
    shown.boxes = [(hostile.to_owned(), running(NodeKind::TrunkGroup, Some(group.into())))].into();
    shown.processes = [(hostile.to_owned(), Usage::default())].into();
    let text = exposition::expose(shown).expect("text");
    let escaped = r#"a\"} 1\ntocsin_forged{x=\"\\\\u001b]0;b\\u0007\\u000d\\u202e\\"#;
    assert!(text.contains(&format!("tocsin_box_up{{box=\"{escaped}\",")), "{text}");
    assert!(text.contains(&format!("call_server=\"{escaped}\"}}")), "{text}");
    assert!(text.contains(&format!("process=\"{escaped}\"}}")), "{text}");
    assert!(!text.lines().any(|line| line.starts_with("tocsin_forged")), "{text}");
    let plain = |c: char| !c.is_control() || c == '\n';
    assert!(text.chars().all(plain), "{text}");
}

#[test]
fn nothing_known_is_an_exposition_too() {
    let text = exposition::expose(LatestState::default()).expect("text");
    assert!(check(&text).is_empty(), "{text}");
}

#[test]
fn names_of_metrics_are_unique_and_well_formed() {
    let mut names = BTreeSet::new();
    for row in table::ROWS {
        let plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(row.name.starts_with("tocsin_") && row.name.chars().all(plain), "{}", row.name);
        assert!(!row.name.ends_with("_total") && names.insert(row.name), "{}", row.name);
        assert_eq!(row.label.is_empty(), row.places.len() == 1, "{}", row.name);
    }
}

#[tokio::test]
async fn strangers_get_nothing_but_a_sentence() {
    let (address, _listening) = served();
    let (head, _) = ask(address, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    let (head, _) =
        ask(address, "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            .await;
    assert!(head.starts_with("HTTP/1.1 405 "), "{head}");
    for host in ["attacker.example", "attacker.example:80", ""] {
        let (head, body) =
            ask(address, &format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert!(head.starts_with("HTTP/1.1 421 ") && !body.contains("tocsin_"), "{head}");
    }
    let asked =
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nOrigin: http://attacker.example\r\n\r\n";
    let (head, body) = ask(address, asked).await;
    assert!(head.starts_with("HTTP/1.1 421 ") && !body.contains("tocsin_"), "{head}");
    for host in ["localhost:9464", "127.0.0.1", "[::1]:80", "LOCALHOST"] {
        let (head, _) =
            ask(address, &format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{host}: {head}");
    }
    let huge =
        format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024));
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // It may be cut off while it still writes.
    let _ = stream.write_all(huge.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    // Others are still served.
    assert!(ask(address, &get(address)).await.0.starts_with("HTTP/1.1 200 "));
}

/// A connection that never asks holds a place, but not those of others.
#[tokio::test]
async fn silent_clients_do_not_keep_a_scraper_out() {
    let (address, _listening) = served();
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(TcpStream::connect(address).await.expect("a connection"));
    }
    assert!(ask(address, &get(address)).await.0.starts_with("HTTP/1.1 200 "));
}
