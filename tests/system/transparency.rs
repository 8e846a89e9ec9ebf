//! What crosses the pool unchanged: location, identity, bodies, the id of the attempt.

use std::net::SocketAddr;

use bytes::Bytes;
use sip_proto::message::{Payload, Request};
use system_tests::network::Network;
use system_tests::phone::{Phone, sdp};
use world::trace::TracedPacket;

use crate::support::{assert_idle, seconds, two_sites, two_sites_with};

const BOUNDARY: &str = "boundary-of-parts";

/// Header lines about location and identity, in the odd forms that real networks send.
const LINES: [(&str, &str); 7] = [
    (
        "P-Access-Network-Info",
        "3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=20801a1b2c3d4e5f6;network-provided",
    ),
    ("P-Access-Network-Info", "GSTN;operator-specific-GI=\"555935000\";network-provided"),
    (
        "Geolocation",
        "<cid:target123@example.com>;inserted-by=\"edge\",   <https://lis.example.com/a%20b>",
    ),
    ("Geolocation-Routing", "yes"),
    ("P-Asserted-Identity", "\"Lise  Émile\" <sip:+33639980001@example.com>, <tel:+33639980001>"),
    ("Resource-Priority", "esnet.1"),
    ("X-Unheard-Of", "  keep   inner\tspace ;and=\"quotes \\\" inside\""),
];

/// SDP, a PIDF-LO document of more than 1,300 bytes, and a part with every byte there is.
pub(crate) fn location_payload(caller: SocketAddr) -> Payload {
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Type: application/sdp\r\n\r\n{}\r\n\
         --{BOUNDARY}\r\nContent-Type: application/pidf+xml\r\n\
         Content-ID: <target123@example.com>\r\n\r\n<presence>{}</presence>\r\n\
         --{BOUNDARY}\r\nContent-Type: application/octet-stream\r\n\
         Content-Disposition: render;handling=optional\r\n\r\n",
        sdp(caller, "sendrecv"),
        "<gml:pos>50.6292 3.0573</gml:pos>".repeat(50),
    )
    .into_bytes();
    body.extend(0..=u8::MAX);
    body.extend_from_slice(b"\0\0\0");
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let mut lines = format!("Content-Type: multipart/mixed;boundary=\"{BOUNDARY}\"\r\n");
    for (name, value) in LINES {
        lines.push_str(&format!("{name}: {value}\r\n"));
    }
    relayed(&lines, &body)
}

/// Header lines and a body exactly as they stand here.
fn relayed(lines: &str, body: &[u8]) -> Payload {
    let head = format!(
        "INVITE sip:15@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n\
         From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:15@127.0.0.1>\r\nCall-ID: 1\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:127.0.0.1>\r\nMax-Forwards: 70\r\n{lines}\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let bytes: Bytes = [head.as_bytes(), body].concat().into();
    Payload::relay(&Request::parse(bytes).unwrap())
}

fn head(packet: &TracedPacket) -> Vec<u8> {
    let end = packet.bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    packet.bytes[..end].to_vec()
}

/// The header lines of these names, byte for byte and in order.
fn lines_of(packet: &TracedPacket) -> Vec<Vec<u8>> {
    let head = head(packet);
    let lines =
        head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let ours = |line: &&[u8]| {
        LINES.iter().any(|(name, _)| line.starts_with(name.as_bytes()) && line[name.len()] == b':')
    };
    lines.filter(ours).map(<[u8]>::to_vec).collect()
}

fn body(packet: &TracedPacket) -> Vec<u8> {
    packet.bytes[head(packet).len() + 4..].to_vec()
}

fn invite_at<'a>(network: &'a Network, name: &str) -> &'a TracedPacket {
    network.net.trace().sent_to(network.at(name), "INVITE").next().unwrap()
}

/// Without the two lines that say where media goes.
fn without_places(body: &[u8]) -> Vec<&[u8]> {
    let lines = body.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !line.starts_with(b"c=IN") && !line.starts_with(b"m=audio")).collect()
}

#[test]
fn location_identity_and_bodies_cross_byte_for_byte() {
    for carriage in ["relay", "direct"] {
        let mut network =
            two_sites_with(&[("circuits = 2", &format!("circuits = 2\nmedia = \"{carriage}\""))]);
        let mut invite = network.invite("15", "mobile");
        invite.payload = location_payload(network.at("caller"));
        let caller = network.at("caller");
        let leg = network.net.act(caller, |phone: &mut Phone, now| phone.dial(now, invite));
        network.run_for(seconds(3));

        let sent = invite_at(&network, "mobile");
        assert_eq!(lines_of(sent).len(), LINES.len());
        assert!(body(sent).contains(&0) && body(sent).len() > 1_300);
        for name in ["alpha", "samu-59"] {
            let seen = invite_at(&network, name);
            let text = |lines: Vec<Vec<u8>>| -> Vec<String> {
                lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
            };
            assert_eq!(text(lines_of(seen)), text(lines_of(sent)), "at {name}");
            // A call server that relays media says where it listens, and nothing else changes.
            let moved = carriage == "relay" && name == "samu-59";
            assert_eq!(body(seen) != body(sent), moved, "{carriage} at {name}");
            assert!(without_places(&body(seen)) == without_places(&body(sent)), "at {name}");
        }
        network.hang_up("caller", leg);
        assert_idle(&mut network);
    }
}

// RFC 7989 §6 and §7: every message of a call carries the caller's half, and later the callee's
// too.
#[test]
fn session_id_names_the_attempt_in_every_message() {
    let mut network = two_sites();
    let leg = network.dial("15");
    network.run_for(seconds(4));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    let half = format!("{:032x}", 1);
    let mut seen = 0;
    for packet in network.net.trace().packets() {
        let Some(message) = packet.message().filter(|_| !packet.label().contains("OPTIONS")) else {
            continue;
        };
        // A 100 is of the hop.
        if packet.label() == "100" {
            continue;
        }
        let id =
            message.session_id().unwrap_or_else(|| panic!("{} has no Session-ID", packet.label()));
        let halves = [Some(id.local()), id.remote()];
        assert!(halves.contains(&Some(&half)), "{}: {halves:?}", packet.label());
        if packet.label().contains("BYE") {
            let null = "0".repeat(32);
            assert!(!halves.contains(&Some(&null)), "{}: both halves are known", packet.label());
        }
        seen += 1;
    }
    assert!(seen >= 15, "{seen} messages");
    let records = network.records();
    assert_eq!(records.len(), 3);
    assert!(records.iter().all(|record| record.attempt == half), "{records:#?}");
    assert_idle(&mut network);
}
