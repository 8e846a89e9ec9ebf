//! Reports of RTCP, as lines between the two ends that they pass.
//!
//! A relay sends a report on as it is, so equal bytes at several boxes are one report on its way.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use media::rtcp::{NtpTime, Packet, ReportBlock, parse};
use telemetry::BoxKind;
use trace::Direction;

use crate::columns::End;
use crate::sightings::{SeeingBox, Sight};

/// Units of the RTP clock in a second: our boxes speak G.711 only (RFC 3551 §4.5.14).
const CLOCK_RATE: f64 = 8_000.0;
/// Of 256 packets so many lost are bad: a twentieth, which everybody hears.
const BAD_FRACTION: u8 = 13;

/// One report.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) at_us: u64,
    pub(crate) from: End,
    pub(crate) to: End,
    pub(crate) text: String,
    pub(crate) is_bad: bool,
}

/// Where a report was seen.
#[derive(Debug, Clone, Copy)]
struct Seen {
    number: usize,
    at_us: u64,
    direction: Direction,
    peer: SocketAddr,
}

/// All reports, in the order of time. Those whose other end is nobody that is known of are left out.
pub(crate) fn reports(boxes: &[SeeingBox]) -> Vec<Report> {
    let mut alike: HashMap<&[u8], Vec<Seen>> = HashMap::new();
    let mut of_port: HashMap<SocketAddr, usize> = HashMap::new();
    for (number, seeing) in boxes.iter().enumerate() {
        for sighting in &seeing.seen {
            if let Sight::Report { direction, local, peer, bytes } = &sighting.what {
                let (direction, peer) = (*direction, *peer);
                let seen = Seen { number, at_us: sighting.at_us, direction, peer };
                alike.entry(bytes).or_default().push(seen);
                of_port.insert(*local, number);
            }
        }
    }
    let whose = |peer: SocketAddr| of_port.get(&peer).map_or(End::Peer(peer), |it| End::Box(*it));
    let mut reports: Vec<Report> = Vec::new();
    for (bytes, mut seen) in alike {
        seen.sort_by_key(|seen| (seen.at_us, seen.number));
        let sent = seen.iter().find(|seen| seen.direction == Direction::Sent);
        let received = seen.iter().filter(|seen| seen.direction == Direction::Received);
        let is_end =
            |seen: &&Seen| matches!(boxes[seen.number].kind, BoxKind::Generator | BoxKind::Psap);
        let arrived = received.clone().find(is_end).or_else(|| received.clone().next_back());
        let Some(first) = sent.or_else(|| received.clone().next()) else { continue };
        let from = sent.map_or_else(|| whose(first.peer), |sent| End::Box(sent.number));
        let to = arrived.map_or_else(|| whose(first.peer), |arrived| End::Box(arrived.number));
        // The round trip is that of whoever asked for it.
        let end = arrived.filter(is_end).map(|arrived| arrived.at_us);
        if let Some((text, is_bad)) = told(bytes, end).filter(|_| from != to) {
            reports.push(Report { at_us: first.at_us, from, to, text, is_bad });
        }
    }
    reports.sort_by(|a, b| (a.at_us, &a.text).cmp(&(b.at_us, &b.text)));
    reports
}

/// What a datagram says; `at_us`: when it came to the end that it is for.
fn told(bytes: &[u8], at_us: Option<u64>) -> Option<(String, bool)> {
    let mut parts: Vec<String> = Vec::new();
    let mut is_bad = false;
    for packet in parse(bytes).ok()? {
        match packet {
            Packet::Report { sender, blocks, .. } => {
                parts.push(match sender {
                    Some(sender) => {
                        format!("SR: {} packets sent, {} octets", sender.packets, sender.octets)
                    }
                    None => "RR".to_owned(),
                });
                for block in blocks {
                    is_bad |= block.fraction_lost >= BAD_FRACTION;
                    parts.push(received(block, at_us));
                }
            }
            Packet::Bye { reason, .. } => {
                let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
                parts.push(format!("BYE{reason}"));
            }
            Packet::Description { .. } | Packet::Other { .. } => {}
        }
    }
    (!parts.is_empty()).then(|| (format!("RTCP {}", parts.join("; ")), is_bad))
}

/// `lost 0.4 %, 3 in all, jitter 1.2 ms, round trip 4.0 ms`.
fn received(block: ReportBlock, at_us: Option<u64>) -> String {
    let share = f64::from(block.fraction_lost) / 256.0 * 100.0;
    let jitter = f64::from(block.jitter) / CLOCK_RATE * 1e3;
    let mut text = format!(
        "of the other lost {share:.1} %, {} in all, jitter {jitter:.1} ms",
        block.cumulative_lost
    );
    let now = at_us.map(|at_us| NtpTime::from_unix(Duration::from_micros(at_us)));
    if let Some(trip) = now.and_then(|now| block.round_trip(now)) {
        text += &format!(", round trip {:.1} ms", trip.as_secs_f64() * 1e3);
    }
    text
}
