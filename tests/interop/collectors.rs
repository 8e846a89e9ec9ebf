//! sngrep takes our copies of messages by HEP, as any collector does, and joins them to a call.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ladder::hep::{HepKind, HepPacket, encode};
use sip_proto::Transport;
use system_tests::process::{Process, installed};
use tempfile::TempDir;

/// Nothing here takes longer, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

const CALLER: &str = "127.0.0.41:5071";
const GROUP: &str = "127.0.0.42:5060";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn copy(first: &str, from: &str, to: &str, method: &str, number: u64) -> HepPacket {
    let text = format!(
        "{first}\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bKcopy\r\nFrom: <sip:a@{CALLER}>;tag=a\r\nTo: <sip:112@{GROUP}>\r\n\
         Call-ID: copy@{CALLER}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:a@{CALLER}>\r\nContent-Length: 0\r\n\r\n"
    );
    HepPacket {
        from: address(from),
        to: address(to),
        transport: Transport::Udp,
        at_us: 1_700_000_000_000_000 + number * 20_000,
        kind: HepKind::SIP,
        agent: 2021,
        node_name: Some("mobile".to_owned()),
        auth_key: None,
        correlation_id: Some("00000000000000000000000000000a11".to_owned()),
        payload: Bytes::from(text),
    }
}

#[test]
fn sngrep_takes_our_copies_and_sees_the_call() {
    let free = UdpSocket::bind("127.0.0.43:0").expect("a port");
    let collector = free.local_addr().expect("an address");
    drop(free);
    let folder = TempDir::new().expect("a folder");
    let said = folder.path().join("said");
    let program = installed("sngrep", "sngrep");
    let mut command = Command::new("sh");
    // What it says has no ends of lines. It also sees the calls of others on this loopback, so it runs alone (.config/nextest.toml).
    let line =
        format!("exec {} -F -N -d lo -L udp:{collector} >{}", program.display(), said.display());
    command.env("TERM", "xterm").args(["-c", &line]);
    let mut sngrep = Process::start("sngrep", &mut command);
    sngrep.until_listening(collector);

    let copies = [
        copy(&format!("INVITE sip:112@{GROUP} SIP/2.0"), CALLER, GROUP, "INVITE", 0),
        copy("SIP/2.0 180 Ringing", GROUP, CALLER, "INVITE", 1),
        copy("SIP/2.0 486 Busy Here", GROUP, CALLER, "INVITE", 2),
        copy(&format!("ACK sip:112@{GROUP} SIP/2.0"), CALLER, GROUP, "ACK", 3),
    ];
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    // RTCP and quality of the call, which sngrep has no use for, are no further call and in nobody's way.
    let [rtcp, quality] = [HepKind::RTCP_JSON, HepKind::QUALITY_JSON].map(|kind| HepPacket {
        kind,
        payload: Bytes::from_static(
            br#"{"ssrc":9,"type":201,"report_count":0,"report_blocks":[]}"#,
        ),
        ..copies[1].clone()
    });
    for packet in [&rtcp, &quality].into_iter().chain(&copies).chain([&rtcp, &quality]) {
        let mut bytes = Vec::new();
        encode(packet, &mut bytes);
        socket.send_to(&bytes, collector).expect("sngrep listens");
    }
    let end = Instant::now() + LIMIT;
    while !fs::read_to_string(&said).is_ok_and(|text| text.contains("Dialog count: 1")) {
        assert!(Instant::now() < end, "sngrep sees no call: {}", sngrep.words());
        thread::sleep(Duration::from_millis(20));
    }
    sngrep.interrupt();
    sngrep.finish();
    let text = fs::read_to_string(&said).expect("what it said");
    assert!(!text.contains("Dialog count: 2"), "one call is one call: {text}");
}
