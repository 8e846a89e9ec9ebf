//! A PSAP on a test bench: virtual time, and callers who write and read SIP as plain text.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use contract::{Node, PsapSnapshot};
use psap_mock::{Command, Output, Psap};
use sip_proto::timer::Timers;
use sip_proto::wall_clock::WallClock;
use sip_proto::{Packet, Transport};
use telemetry::CallRecord;
use topology::{Behaviour, BehaviourShare, Distribution, WhenFull};

pub(crate) const NUMBER: &str = "0199001501";
pub(crate) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n\
    c=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 9000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const fn fixed(count: u64) -> Distribution {
    Distribution::Fixed(seconds(count))
}

/// One position, a queue of one; rings 2 s, talks 60 s, rests 5 s.
pub(crate) fn config() -> topology::Psap {
    topology::Psap {
        name: "samu-59".to_owned(),
        address: "192.0.2.15:5060".parse().expect("an address"),
        number: NUMBER.to_owned(),
        positions: 1,
        queue_limit: 1,
        when_full: WhenFull::Reject(486),
        ring: fixed(2),
        talk: Some(fixed(60)),
        wrap_up: fixed(5),
        service_level: seconds(10),
        behaviours: Vec::new(),
        media_ports: 16_384..=32_767,
        idle_after: seconds(5),
        audit: seconds(60),
        audio: topology::Audio::Tones,
        waiting: topology::Waiting::Ringing,
        record: 0.0,
        sources: topology::SourceLimits::default(),
        limits: topology::SipLimits::default(),
    }
}

/// The same, where every call meets `behaviour`.
pub(crate) fn config_with(behaviour: Behaviour) -> topology::Psap {
    topology::Psap { behaviours: vec![BehaviourShare { share: 1.0, behaviour }], ..config() }
}

pub(crate) struct Bench {
    psap: Psap,
    now: Instant,
    /// Messages that the PSAP has sent and no test has read, by Call-ID number.
    sent: BTreeMap<u32, Vec<String>>,
    /// To-tag of the PSAP, by Call-ID number.
    tags: BTreeMap<u32, String>,
    pub(crate) records: Vec<CallRecord>,
}

impl Bench {
    pub(crate) fn new(config: topology::Psap) -> Self {
        let now = Instant::now();
        let clock = WallClock::new(now, Duration::ZERO);
        let mut psap = Psap::new(config, Timers::RFC3261, clock, 1);
        let plane = psap.plane().expect("a PSAP has media");
        while let Some(port) = plane.wanted_port() {
            plane.port_opened(port);
        }
        Self { psap, now, sent: BTreeMap::new(), tags: BTreeMap::new(), records: Vec::new() }
    }

    /// Runs virtual time forward, firing deadlines on the way.
    pub(crate) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(due) = self.psap.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.psap.handle_timeout(self.now);
            self.drain_outputs();
        }
        self.now = end;
    }

    /// What the PSAP has sent to call `n` since the last look: status codes and methods.
    pub(crate) fn heard(&mut self, n: u32) -> Vec<String> {
        let messages = self.sent.remove(&n).unwrap_or_default();
        messages.iter().map(|message| first_words(message)).collect()
    }

    /// The same, as whole messages.
    pub(crate) fn messages(&mut self, n: u32) -> Vec<String> {
        self.sent.remove(&n).unwrap_or_default()
    }

    /// RTP packets that the PSAP has to send in the next second.
    pub(crate) fn speech(&mut self) -> usize {
        let end = self.now + seconds(1);
        let plane = self.psap.plane().expect("a PSAP has media");
        let mut out = Vec::new();
        let packets = std::iter::from_fn(|| plane.poll_transmit(end, &mut out));
        packets.filter(|packet| packet.socket.is_multiple_of(2)).count()
    }

    pub(crate) fn snapshot(&self) -> PsapSnapshot {
        self.psap.snapshot()
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.psap.handle_command(self.now, command);
        self.drain_outputs();
    }

    pub(crate) fn drain(&mut self) {
        self.psap.handle_drain(self.now);
        self.drain_outputs();
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.psap.is_drained()
    }

    /// Call `n` with an offer.
    pub(crate) fn invite(&mut self, n: u32) {
        self.invite_with(n, &format!("sip:{NUMBER}@192.0.2.15"), "", SDP);
    }

    /// Call `n` to any URI, with further header lines, with any body.
    pub(crate) fn invite_with(&mut self, n: u32, uri: &str, headers: &str, body: &str) {
        let headers = format!("Session-ID: {n:032x};remote={:032x}\r\n{headers}", 0);
        self.send(n, "INVITE", 1, uri, &headers, body);
    }

    pub(crate) fn ack(&mut self, n: u32) {
        self.ack_with(n, 1, "");
    }

    pub(crate) fn ack_with(&mut self, n: u32, cseq: u32, body: &str) {
        self.send_in_dialog(n, "ACK", cseq, body);
    }

    pub(crate) fn cancel(&mut self, n: u32) {
        let uri = format!("sip:{NUMBER}@192.0.2.15");
        self.send(n, "CANCEL", 1, &uri, "Reason: Q.850;cause=16\r\n", "");
    }

    /// Any request inside the dialog of call `n`.
    pub(crate) fn send_in_dialog(&mut self, n: u32, method: &str, cseq: u32, body: &str) {
        self.send(n, method, cseq, "sip:192.0.2.15:5060", "", body);
    }

    /// INFO inside the dialog of call `n`, with further header lines and any body.
    pub(crate) fn info(&mut self, n: u32, cseq: u32, headers: &str, body: &str) {
        self.send(n, "INFO", cseq, "sip:192.0.2.15:5060", headers, body);
    }

    /// Takes call `n` to its answer and acknowledges it.
    pub(crate) fn establish(&mut self, n: u32) {
        self.invite(n);
        self.advance(seconds(2));
        assert!(self.heard(n).contains(&"200".to_owned()), "call {n} was not answered");
        self.ack(n);
    }

    /// Answers a request of the PSAP with 200.
    pub(crate) fn answer_ok(&mut self, request: &str) {
        let head = request.split("\r\n\r\n").next().unwrap_or_default();
        let copied = head.lines().filter(|line| {
            let name = line.split(':').next().unwrap_or_default();
            ["Via", "From", "To", "Call-ID", "CSeq"].contains(&name)
        });
        let lines: Vec<&str> = copied.collect();
        self.deliver(format!(
            "SIP/2.0 200 OK\r\n{}\r\nContent-Length: 0\r\n\r\n",
            lines.join("\r\n")
        ));
    }

    fn send(&mut self, n: u32, method: &str, cseq: u32, uri: &str, headers: &str, body: &str) {
        let in_dialog = uri.starts_with("sip:192");
        let tag = self.tags.get(&n).filter(|_| in_dialog);
        let tag = tag.map_or_else(String::new, |tag| format!(";tag={tag}"));
        // CANCEL shares the branch of its INVITE; the ACK of a 2xx has its own (RFC 3261 §9.1,
        // §17.1.1.3).
        let branch = match method {
            "CANCEL" => "INVITE",
            other => other,
        };
        let kind = match body {
            "" => "",
            _ if headers.contains("Content-Type") => "",
            _ => "Content-Type: application/sdp\r\n",
        };
        self.deliver(format!(
            "{method} {uri} SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-{n}-{cseq}-{branch}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:caller{n}@192.0.2.1>;tag=c{n}\r\n\
             To: <sip:15@192.0.2.15>{tag}\r\n\
             Call-ID: {n}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:192.0.2.1:5060>\r\n{headers}{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
    }

    fn deliver(&mut self, text: String) {
        let packet = Packet {
            transport: Transport::Udp,
            peer: SocketAddr::from(([192, 0, 2, 1], 5060)),
            bytes: text.into(),
        };
        self.psap.handle_packet(self.now, packet);
        self.drain_outputs();
    }

    fn drain_outputs(&mut self) {
        while let Some(packet) = self.psap.poll_transmit() {
            let text = String::from_utf8(packet.bytes.to_vec()).expect("we print UTF-8");
            let call_id = header(&text, "Call-ID").expect("every message has a Call-ID");
            let n = call_id.parse().expect("tests number their calls");
            // In responses we are To, in our own requests we are From.
            let side = if text.starts_with("SIP/2.0") { "To" } else { "From" };
            if let Some((_, tag)) = header(&text, side).and_then(|value| value.split_once(";tag="))
            {
                self.tags.insert(n, tag.to_owned());
            }
            self.sent.entry(n).or_default().push(text);
        }
        while let Some(output) = self.psap.poll_event() {
            match output {
                Output::Record(record) => self.records.push(record),
                Output::Recording(_) => {}
            }
        }
    }
}

/// `180` of a response, `BYE` of a request.
fn first_words(message: &str) -> String {
    let mut words = message.split(' ');
    let first = words.next().unwrap_or_default();
    match first {
        "SIP/2.0" => words.next().unwrap_or_default().to_owned(),
        method => method.to_owned(),
    }
}

/// The value of the first header line of that name.
pub(crate) fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let head = message.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| {
        let (label, value) = line.split_once(':')?;
        label.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

pub(crate) fn body(message: &str) -> &str {
    message.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
