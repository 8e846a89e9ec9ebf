//! Copies of each SIP message of a box, RTCP as JSON, and a report on the quality of each call, to a collector: HEP version 3 over UDP.
//!
//! All copies of one attempt have one correlation id, the caller's half of Session-ID (RFC 7989): whoever takes them sees all legs
//! of a call as one, also across a back-to-back user agent.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use ladder::Glance;
use ladder::hep::{HepKind, HepPacket, encode};
use ladder::rtcp_json::RtcpJson;
use media::{MediaEvent, MediaSight};
use sip_proto::{Packet, Transport};
use telemetry::CallRecord;
use trace::{CallKey, CallMap, DatedStart, TracedBox};

/// Calls whose correlation ids a box remembers: beyond them the oldest is forgotten, and its later messages have none.
const CALLS: usize = 65_536;
/// Chunk 12 of what we send: which kind of agent it is.
const AGENT: u32 = 2021;

/// A collector of HEP; cheap to clone, for all boxes of a process.
#[derive(Debug, Clone)]
pub struct HepCollector(Arc<Way>);

#[derive(Debug)]
struct Way {
    socket: UdpSocket,
    /// Copies that the system did not take.
    dropped: AtomicU64,
}

impl HepCollector {
    /// The way to a collector. Whether anybody listens there is not known.
    ///
    /// # Errors
    /// There is no socket, or no way to the address.
    pub fn open(address: SocketAddr) -> std::io::Result<Self> {
        let any: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
        socket.connect(address)?;
        // No call waits for its copies.
        socket.set_nonblocking(true)?;
        Ok(Self(Arc::new(Way { socket, dropped: AtomicU64::new(0) })))
    }

    /// Copies that were not sent: nobody listened, or the system had no room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    fn send(&self, copy: &[u8]) {
        if self.0.socket.send(copy).is_err() {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Sends the copies of one box.
pub(crate) struct HepSender {
    collector: HepCollector,
    sender: TracedBox,
    start: DatedStart,
    /// The attempt that each call belongs to.
    attempts: CallMap<String>,
    /// In the order in which they came.
    calls: VecDeque<CallKey>,
    copy: Vec<u8>,
}

impl HepSender {
    pub(crate) fn new(collector: HepCollector, sender: TracedBox, start: DatedStart) -> Self {
        let (attempts, calls) = (CallMap::default(), VecDeque::new());
        Self { collector, sender, start, attempts, calls, copy: Vec::new() }
    }

    pub(crate) fn received(&mut self, now: Instant, packet: &Packet) {
        self.message(now, packet, packet.peer, self.sender.address);
    }

    pub(crate) fn sent(&mut self, now: Instant, packet: &Packet) {
        self.message(now, packet, self.sender.address, packet.peer);
    }

    fn message(&mut self, now: Instant, packet: &Packet, from: SocketAddr, to: SocketAddr) {
        let correlation_id = self.attempt_of(&packet.bytes);
        self.send(HepPacket {
            from,
            to,
            transport: packet.transport,
            at_us: self.date(now),
            kind: HepKind::SIP,
            agent: AGENT,
            node_name: Some(self.sender.name.clone()),
            auth_key: None,
            correlation_id,
            payload: packet.bytes.clone(),
        });
    }

    /// What was heard of a call that is over, stream by stream.
    pub(crate) fn ended(&mut self, now: Instant, record: &CallRecord) {
        let address = self.sender.address;
        for stream in &record.media {
            let Ok(payload) = serde_json::to_vec(stream) else { continue };
            self.send(HepPacket {
                from: address,
                to: address,
                transport: Transport::Udp,
                at_us: self.date(now),
                kind: HepKind::QUALITY_JSON,
                agent: AGENT,
                node_name: Some(self.sender.name.clone()),
                auth_key: None,
                correlation_id: Some(record.attempt.clone()),
                payload: Bytes::from(payload),
            });
        }
    }

    /// RTCP of calls as JSON, in the shape that Homer's agents send.
    pub(crate) fn media(&mut self, sights: &[MediaSight]) {
        for sight in sights {
            let (from, to, bytes) = match &sight.what {
                MediaEvent::ReportReceived { from, bytes } => (*from, sight.local, bytes),
                MediaEvent::ReportSent { to, bytes } => (sight.local, *to, bytes),
                _ => continue,
            };
            let json = RtcpJson::of(bytes).and_then(|report| serde_json::to_vec(&report).ok());
            let Some(payload) = json else { continue };
            let correlation_id = self.attempts.get(&CallKey::of_number(sight.call)).cloned();
            self.send(HepPacket {
                from,
                to,
                transport: Transport::Udp,
                at_us: self.date(sight.at),
                kind: HepKind::RTCP_JSON,
                agent: AGENT,
                node_name: Some(self.sender.name.clone()),
                auth_key: None,
                correlation_id,
                payload: Bytes::from(payload),
            });
        }
    }

    fn send(&mut self, packet: HepPacket) {
        self.copy.clear();
        encode(&packet, &mut self.copy);
        self.collector.send(&self.copy);
    }

    /// The first message of a call says whose it is; from then on its Call-ID does.
    fn attempt_of(&mut self, message: &Bytes) -> Option<String> {
        let call = CallKey::of_message(message)?;
        if let Some(attempt) = self.attempts.get(&call) {
            return Some(attempt.clone());
        }
        let glance = Glance::of(message)?;
        let attempt = glance.session_halves().first().map(|half| (*half).to_owned())?;
        if self.calls.len() >= CALLS
            && let Some(oldest) = self.calls.pop_front()
        {
            self.attempts.remove(&oldest);
        }
        self.calls.push_back(call);
        self.attempts.insert(call, attempt.clone());
        Some(attempt)
    }

    fn date(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.start.instant).as_micros();
        self.start.unix_us.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }
}
