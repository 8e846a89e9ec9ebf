//! Kamailio sends HEP that we read, and reads HEP that we send.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use ladder::hep::{HepKind, HepPacket, decode, encode};
use ladder::watch::CallList;
use sip_proto::Transport;
use system_tests::process::{Process, installed};
use tempfile::TempDir;

use crate::loopback;

/// A socket that a test waits at, and not for ever.
fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((loopback::host(), 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
}

#[test]
fn kamailio_and_we_read_each_others_hep() {
    let folder = TempDir::new().unwrap();
    let (collector, caller) = (socket(), socket());
    let address = loopback::free_port(loopback::host());
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/kamailio_hep.cfg");
    let mut command = Command::new("timeout");
    command.arg("45").arg(installed("kamailio", "kamailio")).arg("-f").arg(config);
    command.arg("-A").arg(format!("LISTEN=udp:{address}"));
    command.arg("-A").arg(format!("COLLECTOR=\"sip:{}\"", collector.local_addr().unwrap()));
    command.arg("-A").arg(format!("FOLDER=\"text://{}\"", folder.path().display()));
    command
        .args(["-D", "-m", "32", "-M", "4"])
        .arg("-w")
        .arg(folder.path())
        .arg("-Y")
        .arg(folder.path());
    let mut kamailio = Process::start("Kamailio", &mut command);
    kamailio.until_listening(address);

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
