//! What boxes kept of an attempt becomes one story.
//!
//! ```text
//!   KeptCall of the caller ──┐                 ┌─ columns   who, in the order in which the call passes them
//!   KeptCall of the trunk ───┼── pair ── join ─┼─ arrows    seen at both ends, or at one
//!   KeptCall of the site ────┘                 ├─ notes     inside a box
//!   names, events, records ────────────────────┴─ events, media, what is missing
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;

use bytes::Bytes;
use sip_proto::Transport;
use trace::{Direction, KeptCall};

use crate::columns::{End, Way, columns};
use crate::glance::Glance;
use crate::hearing;
use crate::media_packets::media_packets;
use crate::repeats;
use crate::reports::{self, Report};
use crate::rules;
use crate::sightings::{SeeingBox, Sight, boxes, pair};
use crate::story::{Arrow, Fate, Line, Story, What};
use crate::told::{RunEvent, Told};

/// A box keeps what comes so long after its record is written; see the recorder.
const LATE_US: u64 = 4_000_000;
/// An event so long before a call may explain it.
const BEFORE_US: i64 = 5_000_000;

/// Joins what boxes kept of one attempt.
#[must_use]
pub fn join(parts: &[KeptCall], told: &Told) -> Story {
    let boxes = boxes(parts);
    let drafts = drafts(&boxes, told);
    let ways: Vec<Way<'_>> = drafts.iter().filter_map(Draft::way).collect();
    let (columns, of) = columns(&boxes, &told.names, &ways);
    let start_us = drafts.iter().map(|draft| draft.at_us).min().unwrap_or_default();
    let since = |us: u64| us.cast_signed().saturating_sub(start_us.cast_signed());
    let mut lines: Vec<Line> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let what = match draft.what {
            DraftKind::Note(number, text) => {
                let Some(&column) = of.get(&End::Box(number)) else { continue };
                What::Note { column, text }
            }
            DraftKind::Report(Report { from, to, text, is_bad, .. }) => {
                let ends = (
                    hearing::column_of(&columns, &of, from),
                    hearing::column_of(&columns, &of, to),
                );
                let (Some(from), Some(to)) = ends else { continue };
                if from == to {
                    continue;
                }
                What::Report { from, to, text, is_bad }
            }
            DraftKind::Message { from, to, sent_us, received_us, transport, bytes, fate } => {
                let (Some(&from), Some(&to)) = (of.get(&from), of.get(&to)) else { continue };
                let glance = Glance::of(&bytes);
                What::Message(Arrow {
                    number: 0,
                    from,
                    to,
                    label: glance.as_ref().map_or_else(|| "?".to_owned(), Glance::label),
                    has_sdp: glance.as_ref().is_some_and(Glance::has_sdp),
                    transport,
                    sent_us: sent_us.map(since),
                    received_us: received_us.map(since),
                    fate,
                    repeat: None,
                    bytes,
                })
            }
        };
        lines.push(Line { at_us: since(draft.at_us), what });
    }
    let attempt = parts.first().map_or_else(String::new, |part| format!("{:032x}", part.attempt));
    let mut story = Story { attempt, start_us, columns, lines, ..Story::default() };
    story.cause.clone_from(&told.cause);
    story.media = media_packets(parts);
    finish(&mut story, told);
    story.gaps.extend(gaps(&story, &boxes, told));
    story
}

/// What any story gets once its messages are known: order, numbers, what was sent again, events, media, and what a standard says.
pub(crate) fn finish(story: &mut Story, told: &Told) {
    story.lines.sort_by_key(|line| line.at_us);
    let mut number = 0;
    for line in &mut story.lines {
        if let What::Message(arrow) = &mut line.what {
            number += 1;
            arrow.number = number;
        }
    }
    repeats::mark(story);
    if story.number.is_empty() {
        story.number = dialled(story);
    }
    story.findings = rules::findings(story);
    let events = events(story, &told.events);
    story.lines.extend(events);
    let heard = hearing::lines(story, &told.records);
    story.lines.extend(heard);
    story.lines.sort_by_key(|line| line.at_us);
}

/// The user part, or the whole, of what the first INVITE is for.
fn dialled(story: &Story) -> String {
    let invite = story.messages().filter_map(|arrow| Glance::of(&arrow.bytes));
    let invite = invite.into_iter().find(Glance::begins_call);
    let Some(crate::glance::StartLine::Request { uri, .. }) = invite.map(|it| it.start) else {
        return String::new();
    };
    match uri.split_once(':') {
        Some((scheme, rest)) if scheme.starts_with("sip") => {
            rest.split(['@', ';']).next().unwrap_or(rest).to_owned()
        }
        Some(("tel", rest)) => rest.split(';').next().unwrap_or(rest).to_owned(),
        _ => uri,
    }
}

/// A line before its columns are known.
struct Draft {
    at_us: u64,
    what: DraftKind,
}

enum DraftKind {
    /// The number of the box.
    Note(usize, String),
    Report(Report),
    Message {
        from: End,
        to: End,
        sent_us: Option<u64>,
        received_us: Option<u64>,
        transport: Transport,
        bytes: Bytes,
        fate: Fate,
    },
}

impl Draft {
    fn way(&self) -> Option<Way<'_>> {
        match &self.what {
            DraftKind::Message { from, to, bytes, .. } => {
                Some(Way { at_us: self.at_us, from: *from, to: *to, bytes })
            }
            DraftKind::Note(..) | DraftKind::Report(_) => None,
        }
    }
}

/// Each box's own order is kept, also of what it saw in one microsecond.
fn drafts(boxes: &[SeeingBox], told: &Told) -> Vec<Draft> {
    let senders = pair(boxes);
    let receivers: HashMap<_, _> = senders.iter().map(|(to, from)| (*from, *to)).collect();
    let known = Addresses::new(boxes, &senders);
    let arrived: HashSet<(usize, &Bytes)> = senders
        .keys()
        .filter_map(|(number, place)| match &boxes[*number].seen[*place].what {
            Sight::Message { bytes, .. } => Some((*number, bytes)),
            Sight::Note(_) | Sight::Report { .. } => None,
        })
        .collect();
    let mut drafts = Vec::new();
    for (number, seeing) in boxes.iter().enumerate() {
        for (place, sighting) in seeing.seen.iter().enumerate() {
            let at_us = sighting.at_us;
            let Sight::Message { direction, transport, peer, bytes } = &sighting.what else {
                let Sight::Note(text) = &sighting.what else { continue };
                drafts.push(Draft { at_us, what: DraftKind::Note(number, text.clone()) });
                continue;
            };
            let (own, (transport, bytes)) = (End::Box(number), (*transport, bytes.clone()));
            let what = match direction {
                Direction::Sent => {
                    let receiver = receivers.get(&(number, place));
                    let to = receiver.map_or_else(|| known.end_of(*peer), |it| End::Box(it.0));
                    let received_us = receiver.map(|it| boxes[it.0].seen[it.1].at_us);
                    let fate = match (received_us, to) {
                        (Some(_), _) => Fate::Arrived,
                        (None, End::Box(to)) if kept_at(&boxes[to], at_us, told) => Fate::Lost,
                        (None, _) => Fate::SentOnly,
                    };
                    let sent_us = Some(at_us);
                    DraftKind::Message {
                        from: own,
                        to,
                        sent_us,
                        received_us,
                        transport,
                        bytes,
                        fate,
                    }
                }
                Direction::Received if senders.contains_key(&(number, place)) => continue,
                Direction::Received => {
                    let from = known.sender_of(*peer, transport, &bytes);
                    let is_double =
                        matches!(from, End::Box(_)) && arrived.contains(&(number, &bytes));
                    let fate = if is_double { Fate::Doubled } else { Fate::ReceivedOnly };
                    let received_us = Some(at_us);
                    DraftKind::Message {
                        from,
                        to: own,
                        sent_us: None,
                        received_us,
                        transport,
                        bytes,
                        fate,
                    }
                }
            };
            drafts.push(Draft { at_us, what });
        }
    }
    let reports = reports::reports(boxes).into_iter();
    drafts.extend(reports.map(|it| Draft { at_us: it.at_us, what: DraftKind::Report(it) }));
    drafts
}

/// Whether this box would have kept what came at this moment.
fn kept_at(seeing: &SeeingBox, at_us: u64, told: &Told) -> bool {
    let own = told.records.iter().filter(|record| record.node == seeing.name);
    let until = own.map(|record| record.end_us.saturating_add(LATE_US)).max().unwrap_or(u64::MAX);
    (seeing.from_us..until).contains(&at_us)
}

/// Whose an address is: of a box, or of a connection that a box opened.
struct Addresses<'a> {
    boxes: &'a [SeeingBox],
    connections: BTreeMap<SocketAddr, usize>,
}

impl<'a> Addresses<'a> {
    fn new(boxes: &'a [SeeingBox], senders: &HashMap<(usize, usize), (usize, usize)>) -> Self {
        let mut connections = BTreeMap::new();
        for (to, from) in senders {
            for (this, other) in [(to, from), (from, to)] {
                if let Sight::Message { peer, .. } = &boxes[this.0].seen[this.1].what
                    && *peer != boxes[other.0].address
                {
                    connections.insert(*peer, other.0);
                }
            }
        }
        Self { boxes, connections }
    }

    fn end_of(&self, address: SocketAddr) -> End {
        let own = self.boxes.iter().position(|seeing| seeing.address == address);
        own.or_else(|| self.connections.get(&address).copied()).map_or(End::Peer(address), End::Box)
    }

    /// A connection has a port of its own; the Via of a request says where its sender is (RFC 3261 §18.1.1).
    fn sender_of(&self, peer: SocketAddr, transport: Transport, bytes: &Bytes) -> End {
        let end = self.end_of(peer);
        if !transport.is_reliable() || matches!(end, End::Box(_)) {
            return end;
        }
        let glance = Glance::of(bytes).filter(|glance| glance.status().is_none());
        let sent_by = glance.as_ref().and_then(|glance| glance.field("Via")).and_then(|via| {
            let sent_by = via.split_whitespace().nth(1)?;
            sent_by.split([';', ',']).next()?.parse::<SocketAddr>().ok()
        });
        sent_by.filter(|sent_by| sent_by.ip() == peer.ip()).map_or(end, |it| self.end_of(it))
    }
}

/// What happened to the boxes of the call, or to all, while it lived.
fn events(story: &Story, events: &[RunEvent]) -> Vec<Line> {
    let site_of = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let last = story.lines.last().map_or(0, |line| line.at_us);
    let line = |event: &RunEvent| {
        let at_us = event.at_us.cast_signed().saturating_sub(story.start_us.cast_signed());
        let column = match &event.site {
            None => None,
            Some(site) => Some(story.columns.iter().position(|column| {
                column.name == *site || (site_of(site) == site_of(&column.name))
            })?),
        };
        let (kind, text) = (event.kind.clone(), event.text.clone());
        let is_near = (-BEFORE_US..=last).contains(&at_us);
        is_near.then_some(Line { at_us, what: What::Event { column, kind, text } })
    };
    events.iter().filter_map(line).collect()
}

/// What the story lacks.
fn gaps(story: &Story, boxes: &[SeeingBox], told: &Told) -> Vec<String> {
    let cut = boxes.iter().filter(|seeing| seeing.is_cut).map(|seeing| {
        format!(
            "the beginning of what {} saw is gone: its memory was too small for all that went on since",
            seeing.name
        )
    });
    let silent: Vec<&str> = {
        let kept = |name: &str| boxes.iter().any(|seeing| seeing.name == name);
        let peers = story.columns.iter().filter(|column| !column.has_kept);
        let mut names: Vec<&str> = peers.map(|column| &column.name[..]).collect();
        let records = told.records.iter().map(|record| &record.node[..]);
        names.extend(records.filter(|name| !kept(name)));
        let mut known = HashSet::new();
        names.retain(|name| known.insert(*name));
        names
    };
    let silent = (!silent.is_empty() && !boxes.is_empty())
        .then(|| format!("of this call nothing was kept at {}", silent.join(", ")));
    cut.chain(silent).collect()
}
