//! Kamailio sends HEP that we read, reads HEP that we send, and stores the RTCP of our calls.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ladder::hep::{HepKind, HepPacket, decode, encode};
use ladder::rtcp_json::RtcpJson;
use ladder::watch::CallList;
use rusqlite::Connection;
use sip_proto::Transport;
use system_tests::process::{Process, installed};
use system_tests::program::tocsin;
use tempfile::TempDir;

use crate::loopback;

/// A socket that a test waits at, and not for ever.
fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((loopback::host(), 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
}

/// Kamailio at this address, with the modules that send and take HEP.
fn kamailio(address: SocketAddr, folder: &TempDir, database: &str, defines: &[&str]) -> Process {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/kamailio_hep.cfg");
    let mut command = Command::new("timeout");
    command.arg("90").arg(installed("kamailio", "kamailio")).arg("-f").arg(config);
    let listen = format!("LISTEN=udp:{address}");
    let stores = format!("FOLDER=\"{database}{}\"", folder.path().display());
    for define in [&[&listen[..], &stores[..]][..], defines].concat() {
        command.args(["-A", define]);
    }
    command
        .args(["-D", "-m", "32", "-M", "4"])
        .arg("-w")
        .arg(folder.path())
        .arg("-Y")
        .arg(folder.path());
    let mut kamailio = Process::start("Kamailio", &mut command);
    kamailio.until_listening(address);
    kamailio
}

#[test]
fn kamailio_and_we_read_each_others_hep() {
    let folder = TempDir::new().unwrap();
    let (collector, caller) = (socket(), socket());
    let address = loopback::free_port(loopback::host());
    let collector_is = format!("COLLECTOR=\"sip:{}\"", collector.local_addr().unwrap());
    let mut kamailio = kamailio(address, &folder, "text://", &[&collector_is]);

    let own = caller.local_addr().unwrap();
    let invite = format!(
        "INVITE sip:112@{address} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKa\r\nFrom: <sip:anna@{own}>;tag=a\r\n\
         To: <sip:112@{address}>\r\nCall-ID: hep@{own}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    caller.send_to(invite.as_bytes(), address).unwrap();
    let received = |socket: &UdpSocket| {
        let mut buffer = vec![0; 65_535];
        let length = socket.recv(&mut buffer).unwrap();
        Bytes::copy_from_slice(&buffer[..length])
    };
    assert!(received(&caller).starts_with(b"SIP/2.0 486 Busy Here"));
    let mut list = CallList::new(Vec::new(), 10);
    let mut ends: Vec<(SocketAddr, SocketAddr)> = Vec::new();
    for _ in 0..2 {
        let packet = decode(&received(&collector)).unwrap();
        assert_eq!(
            (packet.kind, packet.agent, packet.transport),
            (HepKind::SIP, 77, Transport::Udp)
        );
        ends.push((packet.from, packet.to));
        let message = ladder::capture::WireMessage {
            at_us: packet.at_us,
            from: packet.from,
            to: packet.to,
            transport: packet.transport,
            bytes: packet.payload,
        };
        list.take(message, packet.correlation_id.as_deref()).unwrap();
    }
    ends.sort_by_key(|(from, _)| *from != own);
    assert_eq!(ends, [(own, address), (address, own)]);
    let (_, row) = list.rows().next().unwrap();
    assert_eq!((row.status, row.messages, list.rows().count()), (Some(486), 2, 1));

    let packet = HepPacket {
        from: "192.0.2.7:5070".parse().unwrap(),
        to: "192.0.2.8:5060".parse().unwrap(),
        transport: Transport::Udp,
        at_us: 1_700_000_000_123_456,
        kind: HepKind::SIP,
        agent: 2_001,
        node_name: Some("alpha".to_owned()),
        auth_key: None,
        correlation_id: Some("0123456789abcdef0123456789abcdef".to_owned()),
        payload: Bytes::from(invite),
    };
    let mut bytes = Vec::new();
    encode(&packet, &mut bytes);
    caller.send_to(&bytes, address).unwrap();
    kamailio.until("captured from 192.0.2.7 port 5070, correlation 0123456789abcdef0123456789abcdef, agent 2001");
    kamailio.terminate();
}

/// Only a failing test waits for so long.
const LIMIT: Duration = Duration::from_secs(60);

const NETWORK: &str = r#"
[sites.alpha]
address = "127.0.0.1:0"
[trunk_groups.mobile]
address = "127.0.0.1:0"
circuits = 20
[psaps.samu-59]
address = "127.0.0.1:0"
number = "0353010015"
positions = 20
ring = "100ms"
[[routes]]
numbers = ["15"]
psaps = ["samu-59"]
"#;

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
"#;

/// A row that sipcapture has stored of a report: its correlation id, the ports that it went between, and the report.
fn stored(folder: &Path) -> Vec<(String, [u16; 2], RtcpJson)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: &Path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rtcp_capture"))
    };
    let texts: Vec<String> =
        files.filter(|path| named(path)).map(|path| fs::read_to_string(path).unwrap()).collect();
    let whole = texts.iter().flat_map(|text| text.split_inclusive('\n'));
    let whole = whole.filter_map(|line| line.strip_suffix('\n'));
    let row = |line: &str| {
        // date | micro_ts | correlation_id | source_ip | source_port | destination_ip | destination_port | proto | family | type |
        // node | msg
        let cells: Vec<&str> = line.splitn(12, '|').collect();
        let port = |cell: usize| cells[cell].parse().unwrap_or_else(|_| panic!("{line}"));
        let report = serde_json::from_str(cells[11]).unwrap_or_else(|why| panic!("{why}: {line}"));
        (cells[2].to_owned(), [port(4), port(6)], report)
    };
    whole.map(row).collect()
}

#[test]
fn kamailio_stores_the_rtcp_of_each_call_by_its_attempt() {
    let (folder, workspace) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let address = loopback::free_port(loopback::host());
    let mut kamailio = kamailio(address, &folder, "flatstore:", &["STORES"]);
    fs::write(workspace.path().join("network.toml"), NETWORK).unwrap();
    fs::write(workspace.path().join("campaign.toml"), CAMPAIGN).unwrap();
    let mut run = Command::new(tocsin());
    run.current_dir(&workspace).args(["run", "campaign.toml", "--quiet", "--hep"]);
    let output = run.arg(address.to_string()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let calls = Connection::open(workspace.path().join("runs/latest/calls.sqlite")).unwrap();
    let mut attempts = calls.prepare("SELECT attempt FROM attempts WHERE answer_us > 0").unwrap();
    let attempts = attempts.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let attempts: BTreeSet<String> = attempts.map(Result::unwrap).collect();
    assert_eq!(attempts.len(), 8);

    let end = Instant::now() + LIMIT;
    let reports = loop {
        let rows = stored(folder.path());
        let known: BTreeSet<String> = rows.iter().map(|(attempt, ..)| attempt.clone()).collect();
        assert!(known.is_subset(&attempts), "{known:?} of {attempts:?}");
        if known == attempts {
            break rows;
        }
        assert!(Instant::now() < end, "{known:?} of {attempts:?}: {}", kamailio.words());
    };
    kamailio.terminate();
    let mut by_type: BTreeMap<u8, usize> = BTreeMap::new();
    for (_, ports, report) in reports {
        // RFC 3550 §11: RTCP has the odd ports.
        assert!(ports.iter().all(|port| port % 2 == 1), "{ports:?}");
        *by_type.entry(report.packet_type).or_default() += 1;
        assert_eq!(report.sender_information.is_some(), report.packet_type == 200, "{report:?}");
        assert_eq!(report.report_count, report.report_blocks.len(), "{report:?}");
    }
    assert!(by_type.get(&200).is_some_and(|reports| *reports >= 8), "{by_type:?}");
}
