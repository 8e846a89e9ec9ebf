//! TCP connections put together again, as far as SIP needs it (RFC 9293 §3.4; RFC 3261 §18.3).

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use bytes::Bytes;
use sip_proto::stream_framer::{Frame, StreamFramer};

use crate::capture::wire::is_sip;

/// Connections that are followed at once; more make the oldest forgotten.
const MOST_FLOWS: usize = 65_536;
/// Bytes that wait for others that were captured later, or never.
const MOST_WAITING: usize = 128 * 1024;
/// A longer message is none.
const LONGEST_MESSAGE: usize = 65_535;

/// One segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    pub(super) begins: bool,
    pub(super) payload: &'a [u8],
}

/// All connections, one way each.
#[derive(Debug, Default)]
pub(super) struct Streams {
    flows: HashMap<(SocketAddr, SocketAddr), Flow>,
}

#[derive(Debug, Default)]
struct Flow {
    /// The sequence number that is expected.
    next: Option<u32>,
    waiting: BTreeMap<u32, Vec<u8>>,
    waiting_bytes: usize,
    /// `None` while no message has begun.
    framer: Option<StreamFramer>,
}

impl Streams {
    /// Takes a segment and gives the messages that it completes.
    pub(super) fn take(&mut self, segment: Segment<'_>) -> Vec<Bytes> {
        if self.flows.len() >= MOST_FLOWS && !self.flows.contains_key(&(segment.from, segment.to)) {
            self.flows.clear();
        }
        let flow = self.flows.entry((segment.from, segment.to)).or_default();
        let mut messages = Vec::new();
        let mut sequence = segment.sequence;
        if segment.begins {
            *flow = Flow::default();
            sequence = sequence.wrapping_add(1);
            flow.next = Some(sequence);
        }
        flow.take(sequence, segment.payload, &mut messages);
        messages
    }
}

impl Flow {
    fn take(&mut self, sequence: u32, payload: &[u8], messages: &mut Vec<Bytes>) {
        if payload.is_empty() {
            return;
        }
        // How far it is behind what is expected: a negative number is a repetition.
        let ahead = |next: Option<u32>, sequence: u32| {
            next.map_or(0, |next| sequence.wrapping_sub(next).cast_signed())
        };
        // Between messages nothing is missed by what was never captured.
        if self.framer.is_none() && ahead(self.next, sequence) > 0 && is_sip(payload) {
            self.next = Some(sequence);
        }
        match ahead(self.next, sequence) {
            ..=0 => {
                let old = ahead(self.next, sequence).unsigned_abs() as usize;
                if let Some(new) = payload.get(old..).filter(|new| !new.is_empty()) {
                    self.push(sequence.wrapping_add(old as u32), new, messages);
                }
            }
            1.. => {
                self.waiting_bytes += payload.len();
                let before = self.waiting.insert(sequence, payload.to_vec());
                self.waiting_bytes -= before.map_or(0, |before| before.len());
            }
        }
        if self.waiting_bytes > MOST_WAITING {
            // What lies between was never captured: a message may begin again behind it.
            self.framer = None;
            self.next = self.waiting.first_key_value().map(|(sequence, _)| *sequence);
        }
        while let Some(entry) = self.waiting.first_entry() {
            if ahead(self.next, *entry.key()) > 0 {
                break;
            }
            let (sequence, payload) = entry.remove_entry();
            self.waiting_bytes -= payload.len();
            let old = ahead(self.next, sequence).unsigned_abs() as usize;
            if let Some(new) = payload.get(old..).filter(|new| !new.is_empty()) {
                self.push(sequence.wrapping_add(old as u32), new, messages);
            }
        }
    }

    fn push(&mut self, sequence: u32, payload: &[u8], messages: &mut Vec<Bytes>) {
        self.next = Some(sequence.wrapping_add(payload.len() as u32));
        if self.framer.is_none() && is_sip(payload) {
            self.framer = Some(StreamFramer::new(LONGEST_MESSAGE));
        }
        let Some(framer) = &mut self.framer else { return };
        framer.push(payload);
        loop {
            match framer.next_frame() {
                Ok(Some(Frame::Message(bytes))) if is_sip(&bytes) => messages.push(bytes),
                Ok(Some(Frame::Ping)) => {}
                Ok(None) => return,
                Ok(Some(Frame::Message(_))) | Err(_) => {
                    self.framer = None;
                    return;
                }
            }
        }
    }
}
