//! Draws what crossed the network as a ladder: one column for each box, one row for each packet.
//!
//! ```text
//! t(s)    caller        mobile        alpha
//! 0.000   |--INVITE---->|             |
//! 0.001   |             |--INVITE---->|
//! 0.002   |<--100-------|             |
//! 0.600   |             |             X  loses power
//! 0.700   |             |--BYE---X    |
//! ```
//!
//! Nothing that chance decides (tags, branches, Call-IDs) is in the picture, so it can be compared
//! from run to run.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use sip_proto::Transport;
use sip_proto::message::Method;

use world::trace::{Trace, TraceEntry, TracedPacket};

/// Column of the first box.
const MARGIN: usize = 8;
/// What an arrow needs beside its label: bars, dashes and the tip.
const ARROW: usize = 6;

/// A picture of a trace.
#[derive(Debug)]
pub struct Ladder<'a> {
    title: String,
    columns: Vec<(String, SocketAddr)>,
    trace: &'a Trace,
    bodies: bool,
    folds: bool,
    trying: bool,
    since: Duration,
    attempt: Option<String>,
}

/// What one row shows.
enum Row<'a> {
    Arrow(Arrow<'a>),
    Note { place: Option<usize>, text: &'a str },
}

struct Arrow<'a> {
    from: usize,
    to: usize,
    label: String,
    packet: &'a TracedPacket,
    /// How often the same bytes went the same way.
    times: u32,
}

impl<'a> Ladder<'a> {
    /// A ladder with these boxes, from left to right. Packets to and from other boxes are left out,
    /// and so are probes.
    #[must_use]
    pub fn new(title: &str, columns: Vec<(String, SocketAddr)>, trace: &'a Trace) -> Self {
        let since = Duration::ZERO;
        Self {
            title: title.to_owned(),
            columns,
            trace,
            bodies: false,
            folds: false,
            trying: true,
            since,
            attempt: None,
        }
    }

    /// Shows which messages carry a session description, and its direction.
    #[must_use]
    pub fn with_bodies(self) -> Self {
        Self { bodies: true, ..self }
    }

    /// Shows a packet and all its retransmissions as one row.
    #[must_use]
    pub fn with_repeats_folded(self) -> Self {
        Self { folds: true, ..self }
    }

    /// Leaves out every 100, which each box sends for itself.
    #[must_use]
    pub fn without_trying(self) -> Self {
        Self { trying: false, ..self }
    }

    /// Leaves out what happened before this time of the simulation.
    #[must_use]
    pub fn since(self, since: Duration) -> Self {
        Self { since, ..self }
    }

    /// Shows only the call whose Session-ID has `half`: an attempt, by its 32 digits.
    #[must_use]
    pub fn of_attempt(self, half: &str) -> Self {
        Self { attempt: Some(half.to_owned()), ..self }
    }

    fn rows(&self) -> Vec<(Duration, Row<'_>)> {
        let calls = self.attempt.as_deref().map(|half| self.call_ids(half));
        let mut rows: Vec<(Duration, Row<'_>)> = Vec::new();
        for entry in self.trace.entries() {
            match entry {
                TraceEntry::Packet(packet) if packet.at >= self.since => {
                    let wanted = calls.as_ref().is_none_or(|calls| {
                        packet.message().is_some_and(|message| calls.contains(message.call_id()))
                    });
                    let Some(arrow) = self.arrow(packet).filter(|_| wanted) else { continue };
                    match rows.iter_mut().find_map(|(_, row)| row.as_repeated_by(&arrow)) {
                        Some(first) if self.folds => first.times += 1,
                        _ => rows.push((packet.at, Row::Arrow(arrow))),
                    }
                }
                TraceEntry::Note { at, place, text } if *at >= self.since => {
                    let column = place.and_then(|place| self.column(place));
                    if column.is_some() || place.is_none() {
                        rows.push((*at, Row::Note { place: column, text }));
                    }
                }
                TraceEntry::Packet(_) | TraceEntry::Note { .. } => {}
            }
        }
        rows
    }

    /// Call-IDs of the legs of an attempt (RFC 7989: the Session-ID is the same on all of them).
    fn call_ids(&self, half: &str) -> BTreeSet<String> {
        let messages = self.trace.packets().filter_map(TracedPacket::message);
        let of_attempt = messages.filter(|message| {
            message.session_id().is_some_and(|id| id.local() == half || id.remote() == Some(half))
        });
        of_attempt.map(|message| message.call_id().to_owned()).collect()
    }

    fn arrow<'p>(&self, packet: &'p TracedPacket) -> Option<Arrow<'p>> {
        let (from, to) = (self.column(packet.from)?, self.column(packet.to)?);
        let message = packet.message()?;
        if message.cseq().1 == Method::Options {
            return None;
        }
        let mut label = packet.label();
        if label == "100" && !self.trying {
            return None;
        }
        if packet.transport == Transport::Tcp {
            label.push_str(" tcp");
        }
        if self.bodies && message.has_body() {
            let body = String::from_utf8_lossy(&message.body()).into_owned();
            let held = ["sendonly", "recvonly", "inactive"];
            let word = held.into_iter().find(|word| body.contains(&format!("a={word}")));
            label = format!("{label} {}", word.unwrap_or("sdp"));
        }
        Some(Arrow { from, to, label, packet, times: 1 })
    }

    fn column(&self, address: SocketAddr) -> Option<usize> {
        self.columns.iter().position(|(_, have)| *have == address)
    }
}

impl<'a> Row<'a> {
    /// This row's arrow, if `later` is the same packet again.
    fn as_repeated_by(&mut self, later: &Arrow<'_>) -> Option<&mut Arrow<'a>> {
        let Self::Arrow(arrow) = self else { return None };
        let way = |packet: &TracedPacket| (packet.from, packet.to, packet.lost);
        let same =
            way(arrow.packet) == way(later.packet) && arrow.packet.bytes == later.packet.bytes;
        same.then_some(arrow)
    }
}

impl fmt::Display for Ladder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let longest = rows.iter().map(|(_, row)| match row {
            Row::Arrow(arrow) => arrow.label.len(),
            Row::Note { .. } => 0,
        });
        let names = self.columns.iter().map(|(name, _)| name.len());
        let width = longest.max().unwrap_or_default().max(names.max().unwrap_or_default()) + ARROW;
        let start = rows.first().map_or(Duration::ZERO, |(at, _)| *at);

        writeln!(f, "{}", self.title)?;
        let header: String =
            self.columns.iter().map(|(name, _)| format!("{name:<width$}")).collect();
        writeln!(f, "{:<MARGIN$}{}", "t(s)", header.trim_end())?;
        for (at, row) in &rows {
            let time = format!("{:.3}", at.saturating_sub(start).as_secs_f64());
            writeln!(f, "{time:<MARGIN$}{}", self.draw(row, width).trim_end())?;
        }
        Ok(())
    }
}

impl Ladder<'_> {
    fn draw(&self, row: &Row<'_>, width: usize) -> String {
        let columns = self.columns.len();
        let mut line: Vec<char> = vec![' '; width * columns];
        for column in 0..columns {
            line[column * width] = '|';
        }
        match row {
            Row::Arrow(Arrow { from, to, label, packet, times }) => {
                draw_arrow(&mut line, from * width, to * width, label, packet.lost);
                let line: String = line.into_iter().collect();
                if *times > 1 { format!("{}  {times} times", line.trim_end()) } else { line }
            }
            Row::Note { place: Some(place), text } => {
                line[place * width] = 'X';
                let head: String = line.into_iter().take(place * width + 1).collect();
                format!("{head}  {text}")
            }
            Row::Note { place: None, text } => (*text).to_owned(),
        }
    }
}

/// An arrow between two bars; a lost one stops half way.
fn draw_arrow(line: &mut [char], from: usize, to: usize, label: &str, lost: bool) {
    let (left, right) = (from.min(to) + 1, from.max(to));
    let rightwards = from < to;
    let span = &mut line[left..right];
    span.fill('-');
    let middle = span.len() * 2 / 3;
    let text_at = if rightwards { 2 } else { 3 };
    for (cell, letter) in span.iter_mut().skip(text_at).zip(label.chars()) {
        *cell = letter;
    }
    match (rightwards, lost) {
        (true, false) => span[span.len() - 1] = '>',
        (false, false) => span[0] = '<',
        (true, true) => {
            let stop = middle.max(text_at + label.len() + 1).min(span.len() - 1);
            span[stop..].fill(' ');
            span[stop] = 'X';
        }
        (false, true) => {
            span[..2].fill(' ');
            span[1] = 'X';
        }
    }
}
