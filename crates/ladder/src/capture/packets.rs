//! The messages of a story as packets, each with what is known of it.

use std::collections::HashSet;
use std::net::SocketAddr;

use bytes::Bytes;
use media::rtcp::is_rtcp;
use sip_proto::Transport;

use crate::capture::wire::WireMessage;
use crate::media_packets::MediaPacket;
use crate::render::phrases::remark;
use crate::story::{Story, What};

/// A message that becomes packets of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedPacket {
    /// Unix microseconds.
    pub at_us: u64,
    /// The box that saw it: the sender, or the receiver where only that kept it.
    pub interface: String,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub transport: Transport,
    pub bytes: Bytes,
    /// What happened around it, for people.
    pub comments: Vec<String>,
}

/// Each message of a story once, with what happened in the boxes since the one before.
#[must_use]
pub fn packets(story: &Story) -> Vec<CapturedPacket> {
    let mut packets: Vec<CapturedPacket> = Vec::new();
    let mut waiting: Vec<String> = Vec::new();
    for line in &story.lines {
        match &line.what {
            What::Note { column, text } => waiting.push(format!("{}: {text}", story.name(*column))),
            What::Event { column, kind, text } => {
                let at =
                    column.map_or_else(String::new, |column| format!("{}: ", story.name(column)));
                waiting.push(format!("{at}{kind}: {text}"));
            }
            What::Media { text, .. } | What::Report { text, .. } => waiting.push(text.clone()),
            What::Message(arrow) => {
                let (Some(from), Some(to)) =
                    (story.columns.get(arrow.from), story.columns.get(arrow.to))
                else {
                    continue;
                };
                let seen_by = if arrow.sent_us.is_some() || !to.has_kept { from } else { to };
                let mut comments =
                    vec![format!("{} > {}, attempt {}", from.name, to.name, story.attempt)];
                if let Some(transit) = arrow.transit_us() {
                    comments[0] += &format!(", {:.1} ms on its way", transit as f64 / 1e3);
                }
                comments.extend(remark(story, arrow).map(|(remark, _)| remark));
                comments.append(&mut waiting);
                packets.push(CapturedPacket {
                    at_us: story.start_us.saturating_add_signed(arrow.at_us()),
                    interface: seen_by.name.clone(),
                    from: from.address,
                    to: to.address,
                    transport: arrow.transport,
                    bytes: arrow.bytes.clone(),
                    comments,
                });
            }
        }
    }
    if let Some(last) = packets.last_mut() {
        last.comments.append(&mut waiting);
    }
    packets
}

/// The packets of media of a story, the first of each stream with what is known of it.
#[must_use]
pub fn media_packets(story: &Story) -> Vec<CapturedPacket> {
    let mut known: HashSet<(SocketAddr, SocketAddr, bool)> = HashSet::new();
    let packet = |packet: &MediaPacket| {
        let MediaPacket { at_us, seen_by, from, to, bytes } = packet.clone();
        let is_rtcp = is_rtcp(&bytes);
        let what = if is_rtcp { "RTCP" } else { "RTP" };
        let is_first = known.insert((from, to, is_rtcp));
        let comment = || format!("{what} that {seen_by} kept, attempt {}", story.attempt);
        let comments = is_first.then(comment).into_iter().collect();
        let (interface, transport) = (seen_by, Transport::Udp);
        CapturedPacket { at_us, interface, from, to, transport, bytes, comments }
    };
    story.media.iter().map(packet).collect()
}

impl From<&WireMessage> for CapturedPacket {
    fn from(message: &WireMessage) -> Self {
        Self {
            at_us: message.at_us,
            interface: "wire".to_owned(),
            from: message.from,
            to: message.to,
            transport: message.transport,
            bytes: message.bytes.clone(),
            comments: Vec::new(),
        }
    }
}
