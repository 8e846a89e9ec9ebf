//! tshark reads the captures that are made of kept messages, and sees the calls in them that we saw.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use ladder::capture::{packets, read, write_pcapng};
use ladder::{Told, join};
use rusqlite::Connection;
use sip_proto::Transport;
use system_tests::process::installed;
use system_tests::program::tocsin;
use telemetry::BoxKind;
use tempfile::TempDir;
use trace::{Direction, Entry, KeptCall, Seen, TracedBox};

const ATTEMPT: u128 = 0xa11;
const CALLER: &str = "127.0.0.11:5070";
const SWITCH: &str = "127.0.0.31:5071";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// An answered call over `transport`, as the call server saw it, with a note on it.
fn call(transport: Transport) -> KeptCall {
    let token = transport.token();
    let message = |first: &str, method: &str, number: u32, tag: &str, sdp: &str| {
        let branch = if method == "ACK" { "ack" } else { "first" };
        let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{first}\r\nVia: SIP/2.0/{token} {CALLER};branch=z9hG4bK{branch}{number}\r\nFrom: <sip:a@{CALLER}>;tag=a\r\n\
             To: <sip:112@{SWITCH}>{tag}\r\nCall-ID: kept@{CALLER}\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\n\
             Contact: <sip:a@{CALLER}>\r\n{kind}Content-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        )
    };
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.11\r\ns=-\r\nc=IN IP4 127.0.0.11\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n";
    let request = |method: &str, number, tag, sdp| {
        message(&format!("{method} sip:112@{SWITCH} SIP/2.0"), method, number, tag, sdp)
    };
    let lines = [
        (Direction::Received, request("INVITE", 1, "", sdp)),
        (Direction::Sent, message("SIP/2.0 180 Ringing", "INVITE", 1, ";tag=b", "")),
        (Direction::Sent, message("SIP/2.0 200 OK", "INVITE", 1, ";tag=b", sdp)),
        (Direction::Received, request("ACK", 1, ";tag=b", "")),
        (Direction::Received, request("BYE", 2, ";tag=b", "")),
        (Direction::Sent, message("SIP/2.0 200 OK", "BYE", 2, ";tag=b", "")),
    ];
    let mut at_us = 1_700_000_000_000_000;
    let mut entries: Vec<Entry> = Vec::new();
    for (direction, text) in lines {
        at_us += 10_500;
        let seen =
            Seen::Message { direction, transport, peer: address(CALLER), bytes: Bytes::from(text) };
        entries.push(Entry { at_us, seen });
        entries.push(Entry { at_us: at_us + 1, seen: Seen::Note("seizes a circuit".to_owned()) });
    }
    let seen_by =
        TracedBox { kind: BoxKind::CallServer, name: "alpha".to_owned(), address: address(SWITCH) };
    KeptCall { attempt: ATTEMPT, seen_by, is_cut: false, entries }
}

fn tshark(file: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new(installed("tshark", "tshark"));
    command.arg("-r").arg(file).args(arguments);
    for port in [5070, 5071] {
        command.args([
            "-d",
            &format!("udp.port=={port},sip"),
            "-d",
            &format!("tcp.port=={port},sip"),
        ]);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn sees(transport: Transport) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("call.pcapng");
    let story = join(&[call(transport)], &Told::default());
    let names = [(address(SWITCH).ip(), "alpha".to_owned())];
    write_pcapng(fs::File::create(&file).unwrap(), &mut packets(&story), &names).unwrap();

    let fields = [
        "-n",
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-e",
        "frame.time_epoch",
        "-e",
        "frame.interface_name",
    ];
    let more = ["-e", "sip.Method", "-e", "sip.Status-Code", "-e", "sip.Call-ID", "-Y", "sip"];
    let rows = tshark(&file, &[&fields[..], &more[..]].concat());
    let wanted = ["INVITE|", "|180", "|200", "ACK|", "BYE|", "|200"];
    assert_eq!(rows.len(), wanted.len(), "{rows:#?}");
    for (row, wanted) in rows.iter().zip(wanted) {
        assert!(
            row.contains(&format!("|alpha|{wanted}")) || row.contains(&format!("|{wanted}|")),
            "{row}"
        );
        assert!(row.ends_with("|kept@127.0.0.11:5070"), "{row}");
    }
    assert!(rows[0].starts_with("1700000000.010500"), "{}", rows[0]);

    let none: [&str; 0] = [];
    let mistakes = "_ws.malformed || ip.checksum.status == \"Bad\" || udp.checksum.status == \"Bad\" || tcp.checksum.status == \"Bad\"";
    let check = [
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "udp.check_checksum:TRUE",
        "-o",
        "tcp.check_checksum:TRUE",
    ];
    assert_eq!(tshark(&file, &[&["-n", "-Y", mistakes][..], &check[..]].concat()), none);

    let comments = tshark(&file, &["-n", "-T", "fields", "-e", "frame.comment"]);
    assert!(comments[0].contains("> alpha, attempt 0000"), "{comments:?}");
    assert!(comments[1].contains("alpha: seizes a circuit"), "{comments:?}");
    // The name of the address is in the file, not in any resolver.
    let named = tshark(&file, &["-N", "n", "-T", "fields", "-e", "ip.dst_host", "-c", "1"]);
    assert_eq!(named, ["alpha"]);

    // Its picture of the flow and its statistics: one call, answered and over, and nothing again.
    let flow = tshark(&file, &["-n", "-q", "-z", "flow,any,network"]).join("\n");
    let order: Vec<Option<usize>> =
        ["INVITE sip:112@", "180 Ringing", "200 OK", "ACK", "BYE sip:112@"]
            .map(|it| flow.find(it))
            .to_vec();
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{flow}");
    let statistics = tshark(&file, &["-n", "-q", "-z", "sip,stat"]).join(" ");
    let statistics = statistics.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(statistics.contains("INVITE : 1 Packets"), "{statistics}");
    assert!(statistics.contains("Number of resent SIP messages: 0"), "{statistics}");

    // And what tshark writes again is read again.
    for kind in ["pcap", "nsecpcap", "pcapng"] {
        let copy = folder.path().join(kind);
        tshark(&file, &["-n", "-F", kind, "-w", &copy.to_string_lossy()]);
        let reading = read(&fs::read(&copy).unwrap()).unwrap();
        let texts = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let read: Vec<(u64, String)> =
            reading.messages.iter().map(|message| (message.at_us, texts(&message.bytes))).collect();
        let kept: Vec<(u64, String)> =
            packets(&story).iter().map(|it| (it.at_us, texts(&it.bytes))).collect();
        assert_eq!(read, kept, "{kind}");
    }
}

#[test]
fn tshark_sees_a_kept_call_as_we_saw_it() {
    sees(Transport::Udp);
    sees(Transport::Tcp);
}

const NETWORK: &str = r#"
[sites.alpha]
address = "127.0.1.1:5060"
[trunk_groups.mobile]
address = "127.0.1.2:5060"
circuits = 20
[psaps.samu-59]
address = "127.0.1.3:5060"
number = "0353010015"
positions = 20
ring = "100ms"
[[routes]]
numbers = ["15"]
psaps = ["samu-59"]
"#;

/// The same at ports that the system finds.
fn anywhere(network: &str) -> String {
    let ends = [":5060\"", "127.0.1.1", "127.0.1.2", "127.0.1.3"];
    let mut text = network.replace(ends[0], ":0\"");
    for host in &ends[1..] {
        text = text.replace(host, "127.0.0.1");
    }
    text
}

const CAMPAIGN: &str = r#"
network = "network.toml"
seed = 7
[[phases]]
name = "steady"
duration = "2s"
arrivals = { model = "constant", rate = 4 }
[[mix]]
number = "15"
communes = ["59350"]
weight = 1
[callers]
talk = "1s"
patience = "endless"
caller_hangs_up = 1.0
[trace]
keep = "all"
"#;

/// What the command line writes of a run, tshark takes for the calls that they were.
#[test]
fn tshark_sees_the_calls_of_a_run_as_we_saw_them() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("network.toml"), NETWORK).unwrap();
    fs::write(folder.path().join("campaign.toml"), CAMPAIGN).unwrap();
    let tell = |words: &[&str]| {
        let output = Command::new(tocsin()).current_dir(&folder).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    tell(&["run", "campaign.toml", "--virtual-time", "--quiet"]);
    let told = tell(&["show", "latest", "--pcap", "calls.pcapng"]);
    let file = folder.path().join("calls.pcapng");
    let own = read(&fs::read(&file).unwrap()).unwrap().messages;
    assert!(told.starts_with(&format!("{} messages of 8 calls", own.len())), "{told}");
    let rows = tshark(&file, &["-n", "-Y", "sip", "-T", "fields", "-e", "sip.Call-ID"]);
    assert_eq!(rows.len(), own.len());
    let calls: std::collections::BTreeSet<&String> = rows.iter().collect();
    // Two legs of each: the call server begins a call of its own.
    assert_eq!(calls.len(), 16, "{calls:?}");
    let methods =
        tshark(&file, &["-n", "-Y", "sip.Method == INVITE", "-T", "fields", "-e", "sip.CSeq"]);
    assert_eq!(methods.len(), 24, "one on each of three hops: {methods:?}");
    let none: [&str; 0] = [];
    assert_eq!(tshark(&file, &["-n", "-Y", "_ws.malformed"]), none);
    let statistics = tshark(&file, &["-n", "-q", "-z", "sip,stat"]).join(" ");
    let statistics = statistics.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(statistics.contains("Number of resent SIP messages: 0"), "{statistics}");
    let names = ["-N", "n", "-Y", "sip", "-T", "fields", "-e", "ip.dst_host"];
    let names = tshark(&file, &names);
    for name in ["mobile", "alpha", "samu-59"] {
        assert!(names.iter().any(|named| named == name), "{name}: {names:?}");
    }
}

/// The columns of `rtp,streams` from the addresses on: who sends, to whom, and what is lost.
fn streams(file: &Path) -> Vec<(String, String, u64, String)> {
    let told = tshark(file, &["-n", "-q", "-z", "rtp,streams"]);
    let row = |line: &String| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let ip = cells.iter().position(|cell| cell.parse::<std::net::IpAddr>().is_ok())?;
        let cells: [&str; 8] = cells.get(ip..ip + 8)?.try_into().ok()?;
        let [from, from_port, to, to_port, _ssrc, _payload, packets, lost] = cells;
        let packets = packets.parse().ok()?;
        Some((format!("{from}:{from_port}"), format!("{to}:{to_port}"), packets, lost.to_owned()))
    };
    told.iter().filter_map(row).collect()
}

/// With `[trace] media` its RTP and RTCP stand in the capture of a call, hop by hop, and tshark misses nothing in them.
fn sees_media(is_virtual: bool) {
    let folder = TempDir::new().unwrap();
    let network = if is_virtual { NETWORK.to_owned() } else { anywhere(NETWORK) };
    fs::write(folder.path().join("network.toml"), network).unwrap();
    fs::write(folder.path().join("campaign.toml"), CAMPAIGN).unwrap();
    let tell = |words: &[&str]| {
        let output = Command::new(tocsin()).current_dir(&folder).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let mode = if is_virtual { "--virtual-time" } else { "--real-time" };
    tell(&["run", "campaign.toml", mode, "--quiet", "--trace-media"]);
    let calls = Connection::open(folder.path().join("runs/latest/calls.sqlite")).unwrap();
    let query = "SELECT attempt FROM attempts ORDER BY intended_us LIMIT 1";
    let id: String = calls.query_row(query, [], |row| row.get(0)).unwrap();
    let told = tell(&["show", "latest", &id, "--pcap", "call.pcapng"]);
    assert!(told.contains(" of 1 call in call.pcapng, with "), "{told}");
    let file = folder.path().join("call.pcapng");
    let streams = streams(&file);
    assert_eq!(streams.len(), 4, "two hops, both ways: {streams:?}");
    for (from, to, packets, lost) in &streams {
        assert!(*packets > 40 && lost == "0", "{from} to {to}: {packets} packets, lost {lost}");
        let back = streams.iter().any(|(there, here, ..)| (there, here) == (to, from));
        assert!(back, "RFC 4961: what goes from {from} to {to} comes back that way: {streams:?}");
    }
    let none: [&str; 0] = [];
    let mistakes = "_ws.malformed || udp.checksum.status == \"Bad\"";
    assert_eq!(tshark(&file, &["-n", "-o", "udp.check_checksum:TRUE", "-Y", mistakes]), none);
    let rtcp = tshark(&file, &["-n", "-Y", "rtcp.pt == 203", "-T", "fields", "-e", "udp.dstport"]);
    assert!(!rtcp.is_empty() && rtcp.iter().all(|port| port.ends_with(['1', '3', '5', '7', '9'])));
    let comments = tshark(&file, &["-n", "-Y", "rtp", "-T", "fields", "-e", "frame.comment"]);
    let told: Vec<&String> = comments.iter().filter(|comment| !comment.is_empty()).collect();
    assert_eq!(told.len(), 4, "one for each stream: {told:?}");
    assert!(told.iter().all(|comment| comment.contains(&format!("attempt {id}"))), "{told:?}");
    // SIP and media are on one time line: nobody speaks before he is asked.
    let order = tshark(&file, &["-n", "-Y", "sip || rtp", "-T", "fields", "-e", "sip.CSeq.method"]);
    assert_eq!(order.first().map(String::as_str), Some("INVITE"), "{order:?}");
}

#[test]
fn tshark_misses_no_media_of_a_call_in_virtual_time() {
    sees_media(true);
}

#[test]
fn tshark_misses_no_media_of_a_call_on_real_sockets() {
    sees_media(false);
}
