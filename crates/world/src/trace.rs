//! Everything that crossed the network, in order.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use sip_proto::Transport;
use sip_proto::message::{Message, Method, Request, Response};

/// The packets of a simulation, and what was done to the network meanwhile.
#[derive(Debug, Clone)]
pub struct Trace {
    entries: Vec<TraceEntry>,
    keep: bool,
    is_hashed: bool,
    hash: DefaultHasher,
}

/// One line of a trace.
#[derive(Debug, Clone)]
pub enum TraceEntry {
    Packet(TracedPacket),
    /// Something that happened at a box, or to the network.
    Note {
        at: Duration,
        place: Option<SocketAddr>,
        text: String,
    },
}

/// A packet on its way.
#[derive(Debug, Clone)]
pub struct TracedPacket {
    /// When it was sent, from the start of the simulation.
    pub at: Duration,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub transport: Transport,
    pub bytes: Bytes,
    /// It never reached a box.
    pub lost: bool,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self { entries: Vec::new(), keep: true, is_hashed: true, hash: DefaultHasher::new() }
    }

    /// Keeps only the hash from now on: a flood would fill the memory.
    pub(crate) fn forget_packets(&mut self) {
        self.keep = false;
        self.entries.clear();
    }

    pub(crate) fn stop(&mut self) {
        self.forget_packets();
        self.is_hashed = false;
    }

    /// Returns where the packet stands, if it is kept.
    pub(crate) fn packet(&mut self, sighting: impl FnOnce() -> TracedPacket) -> Option<usize> {
        if !self.keep && !self.is_hashed {
            return None;
        }
        let sighting = sighting();
        if self.is_hashed {
            let TracedPacket { at, from, to, transport, bytes, lost } = &sighting;
            (at, from, to, transport, bytes, lost).hash(&mut self.hash);
        }
        self.keep.then(|| {
            self.entries.push(TraceEntry::Packet(sighting));
            self.entries.len() - 1
        })
    }

    /// Media only counts for the hash: a ladder shows signalling.
    pub(crate) fn media(&mut self, at: Duration, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if self.is_hashed {
            (at, from, to, bytes).hash(&mut self.hash);
        }
    }

    pub(crate) fn note(&mut self, at: Duration, place: Option<SocketAddr>, text: String) {
        if self.is_hashed {
            (at, place, &text).hash(&mut self.hash);
        }
        if self.keep {
            self.entries.push(TraceEntry::Note { at, place, text });
        }
    }

    /// The box it was for was gone when it arrived.
    pub(crate) fn lose(&mut self, at: Option<usize>) {
        if let Some(TraceEntry::Packet(sighting)) = at.and_then(|at| self.entries.get_mut(at)) {
            sighting.lost = true;
        }
    }

    /// The same for two simulations only if the same packets crossed at the same times.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash.finish()
    }

    #[must_use]
    pub fn entries(&self) -> &[TraceEntry] {
        &self.entries
    }

    pub fn packets(&self) -> impl Iterator<Item = &TracedPacket> {
        self.entries.iter().filter_map(|entry| match entry {
            TraceEntry::Packet(sighting) => Some(sighting),
            TraceEntry::Note { .. } => None,
        })
    }

    /// The packets that were sent to `to` and are called `label`; see [`TracedPacket::label`].
    pub fn sent_to(&self, to: SocketAddr, label: &str) -> impl Iterator<Item = &TracedPacket> {
        self.packets().filter(move |packet| packet.to == to && packet.label() == label)
    }
}

impl TracedPacket {
    /// `INVITE`, `re-INVITE`, `180`, `200 BYE`: the method of a request; the status of a response,
    /// with its method unless that is INVITE.
    #[must_use]
    pub fn label(&self) -> String {
        label(&self.bytes)
    }

    /// The parsed message, request or response.
    #[must_use]
    pub fn message(&self) -> Option<Message> {
        if let Ok(request) = Request::parse(self.bytes.clone()) {
            return Some((*request).clone());
        }
        Response::parse(self.bytes.clone()).ok().map(|response| (*response).clone())
    }
}

/// What a packet is called in ladders; see [`TracedPacket::label`].
pub(crate) fn label(bytes: &Bytes) -> String {
    if let Ok(request) = Request::parse(bytes.clone()) {
        let inside = request.to_tag().is_some() && request.method() == Method::Invite;
        return format!("{}{}", if inside { "re-" } else { "" }, request.method_text());
    }
    let Ok(response) = Response::parse(bytes.clone()) else { return "?".to_owned() };
    match response.cseq().1 {
        Method::Invite => response.status().to_string(),
        method => format!("{} {}", response.status(), method.as_str()),
    }
}
