//! One end of a call: it says something every 20 ms, listens, and reports (RFC 3550 §6, RFC 4733).

use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::agreement::{Agreement, COMFORT_NOISE, Formats};
use crate::dtmf;
use crate::g711::Law;
use crate::receiver::Receiver;
use crate::recorder::Recorder;
use crate::rtcp::{self, Interval, Membership, NtpTime, ReportBlock, SenderReport};
use crate::rtp::{self, Header, Packet};
use crate::sound_check::SoundCheck;
use crate::voice::Voice;

/// Octets per second of G.711 with the headers of RTP, UDP and IPv4, in packets of 20 ms.
const BANDWIDTH: u32 = 10_000;
/// Octets of the compounds that we send: SR, one block, SDES.
const COMPOUND: usize = 90;
/// Digits of sources that are gone.
const MOST_DIGITS: usize = 64;
/// Echoes in a second: packets of 10 ms, twice as many as there can be.
const MOST_ECHOES: u32 = 200;
/// Who has sent nothing for so long is no sender: two intervals of RTCP (RFC 3550 §6.4).
const SENDER_FOR: Duration = Duration::from_secs(10);
/// A call has two ends, and both speak.
const CALL: Membership = Membership { members: 2, senders: 2, we_sent: true };

/// An end of a call: what it sends, and what it makes of what it hears.
#[derive(Debug)]
pub(crate) struct Terminal {
    speech: Speech,
    pub(crate) voice: Voice,
    pub(crate) check: Option<SoundCheck>,
    pub(crate) recorder: Option<Recorder>,
    digits_heard: dtmf::Decoder,
    digits: Option<dtmf::DigitSequence>,
    interval: Interval,
    last_report: Option<Instant>,
    /// The last SR of the peer: the middle of its NTP time, and when it came.
    last_sr: Option<(u32, Instant)>,
    round_trip: Option<Duration>,
    /// RFC 3550 §6.6: it says goodbye only to whom it has spoken.
    has_reported: bool,
    cname: Box<str>,
    sending: Sending,
    /// When the last packet went, and its timestamp.
    spoken: Option<(Instant, u32)>,
    /// The second that is counted, and the echoes in it.
    echoes: (Option<Instant>, u32),
    /// The source of the digits that are being decoded, and those of sources before it.
    digits_from: Option<u32>,
    digits_before: String,
    /// Digits that came by other means, each with the number of events before it.
    digits_told: Vec<(usize, char)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    Yes,
    /// Not yet, or on hold, since then.
    No(Option<Instant>),
}

/// The outgoing stream.
#[derive(Debug)]
struct Speech {
    ssrc: u32,
    sequence: u16,
    /// Of the next packet.
    timestamp: u32,
    law: Law,
    payload_type: u8,
    events: Option<u8>,
    /// Samples in a packet.
    samples: u32,
    /// Samples since the voice began.
    position: u32,
    /// The next packet begins a talkspurt.
    marker: bool,
    packets: u32,
    octets: u32,
}

impl Terminal {
    pub(crate) fn new(rng: &mut StdRng, cname: Box<str>) -> Self {
        Self {
            // RFC 3550 §5.1: all three begin at random.
            speech: Speech {
                ssrc: rng.random(),
                sequence: rng.random(),
                timestamp: rng.random(),
                law: Law::A,
                payload_type: Law::A.payload_type(),
                events: None,
                samples: 160,
                position: 0,
                marker: true,
                packets: 0,
                octets: 0,
            },
            voice: Voice::Mute,
            check: None,
            recorder: None,
            digits_heard: dtmf::Decoder::default(),
            digits: None,
            interval: Interval::new(BANDWIDTH, COMPOUND),
            last_report: None,
            last_sr: None,
            round_trip: None,
            has_reported: false,
            cname,
            sending: Sending::No(None),
            spoken: None,
            echoes: (None, 0),
            digits_from: None,
            digits_before: String::new(),
            digits_told: Vec::new(),
        }
    }

    /// Speaks from now on as agreed.
    pub(crate) fn agree(&mut self, agreement: &Agreement) {
        let speech = &mut self.speech;
        speech.law = agreement.law;
        speech.payload_type = agreement.payload_type;
        speech.events = agreement.events;
        speech.samples = agreement.packet.as_millis() as u32 * 8;
        speech.marker = true;
    }

    pub(crate) fn set_voice(&mut self, voice: Voice) {
        if self.voice != voice {
            self.voice = voice;
            self.speech.position = 0;
            self.speech.marker = true;
        }
    }

    /// Begins or ends sending.
    pub(crate) fn set_sending(&mut self, now: Instant, sends: bool) {
        match (self.sending, sends) {
            (Sending::No(since), true) => {
                self.sending = Sending::Yes;
                if let Some(since) = since {
                    // RFC 3550 §5.1: the timestamp goes on while nothing is sent.
                    let paused = now.saturating_duration_since(since).as_micros();
                    let packets = paused / self.packet_time().as_micros().max(1);
                    self.pause(u32::try_from(packets).unwrap_or_default());
                }
            }
            (Sending::Yes, false) => self.sending = Sending::No(Some(now)),
            _ => {}
        }
    }

    pub(crate) fn is_sending(&self) -> bool {
        self.sending == Sending::Yes
    }

    /// Sends digits from the next packet on, if the peer understands events.
    pub(crate) fn dial(&mut self, digits: &str) {
        // A campaign file with other characters was refused.
        self.digits = dtmf::DigitSequence::new(digits, self.speech.samples).ok();
    }

    pub(crate) fn packet_time(&self) -> Duration {
        Duration::from_micros(u64::from(self.speech.samples) * 125)
    }

    pub(crate) fn sent(&self) -> u64 {
        self.speech.packets.into()
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    pub(crate) fn digits_heard(&self) -> String {
        let heard = self.events_heard().enumerate().map(|(place, digit)| (2 * place + 1, digit));
        let told = self.digits_told.iter().map(|(place, digit)| (2 * place, *digit));
        let mut all: Vec<(usize, char)> = heard.chain(told).collect();
        all.sort_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, digit)| digit).collect()
    }

    /// The digits that came as events of RTP, from all sources.
    fn events_heard(&self) -> impl Iterator<Item = char> {
        self.digits_before.chars().chain(self.digits_heard.digits())
    }

    /// The peer has dialled these by other means than this stream, after what was heard so far.
    pub(crate) fn note_digits(&mut self, digits: &str) {
        let place = self.events_heard().count();
        let room = MOST_DIGITS - self.digits_told.len().min(MOST_DIGITS);
        self.digits_told.extend(digits.chars().take(room).map(|digit| (place, digit)));
    }

    /// Passes `packets` packet times without sending: hold, or a schedule that came too late.
    pub(crate) fn pause(&mut self, packets: u32) {
        self.speech.advance(packets.wrapping_mul(self.speech.samples));
        self.speech.marker = true;
    }

    /// Writes the packet of this packet time into `out`, which is empty; false when there is none.
    pub(crate) fn speak(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        if let Some(events) = self.speech.events
            && let Some(digits) = &mut self.digits
        {
            match digits.next_packet(self.speech.timestamp) {
                Some(dtmf::Step::Event(dtmf::EventPacket { payload, timestamp, marker })) => {
                    let speech = &mut self.speech;
                    rtp::write(&speech.header(events, timestamp, marker), &payload, out);
                    speech.count(payload.len());
                    // The clock of the stream, which goes on while an event repeats its beginning.
                    self.spoken = Some((now, speech.timestamp));
                    speech.advance(speech.samples);
                    speech.marker = true;
                    return true;
                }
                Some(dtmf::Step::Pause) => {}
                None => self.digits = None,
            }
        }
        let speech = &mut self.speech;
        let (law, count, timestamp) = (speech.law, speech.samples, speech.timestamp);
        let header = speech.header(speech.payload_type, timestamp, speech.marker);
        rtp::write(&header, &[], out);
        let start = out.len();
        let speaks = self.voice.say(law, speech.position, count, out);
        speech.advance(count);
        speech.marker = !speaks;
        if speaks {
            let sound = out.get(start..).unwrap_or_default();
            speech.count(sound.len());
            self.spoken = Some((now, timestamp));
            if let Some(recorder) = &mut self.recorder {
                recorder.say(now, law, timestamp, sound);
            }
        } else {
            out.clear();
        }
        speaks
    }

    /// Makes of a packet what is heard of it.
    pub(crate) fn hear(&mut self, now: Instant, formats: &Formats, packet: &Packet<'_>) {
        let Header { payload_type, timestamp, ssrc, marker, .. } = packet.header;
        if Some(payload_type) == formats.events {
            // Timestamps of another source may be the same by chance.
            if self.digits_from.replace(ssrc).is_some_and(|before| before != ssrc) {
                let digits: String = self.events_heard().collect();
                self.digits_before = digits.chars().take(MOST_DIGITS).collect();
                self.digits_heard = dtmf::Decoder::default();
            }
            self.digits_heard.receive(timestamp, marker, packet.payload);
            return;
        }
        if payload_type == COMFORT_NOISE {
            return;
        }
        let law = formats.law(payload_type);
        if let Some(check) = &mut self.check {
            match law {
                Some(law) => check.hear(law, timestamp, packet.payload),
                None => check.hear_opaque(),
            }
        }
        if let (Some(recorder), Some(law)) = (&mut self.recorder, law) {
            recorder.hear(now, law, timestamp, packet.payload);
        }
    }

    /// Sends a packet back as our own.
    pub(crate) fn echo(
        &mut self,
        now: Instant,
        formats: &Formats,
        packet: &Packet<'_>,
        out: &mut Vec<u8>,
    ) {
        let Header { payload_type, timestamp, marker, .. } = packet.header;
        if let (Some(recorder), Some(law)) = (&mut self.recorder, formats.law(payload_type)) {
            recorder.say(now, law, timestamp, packet.payload);
        }
        rtp::write(&self.speech.header(payload_type, timestamp, marker), packet.payload, out);
        self.speech.count(packet.payload.len());
        self.spoken = Some((now, timestamp));
    }

    /// Whether an echo may go now: not on hold, and not so often that two echoes could keep each other busy.
    pub(crate) fn may_echo(&mut self, now: Instant) -> bool {
        let (second, echoes) = &mut self.echoes;
        if second.is_none_or(|second| now.saturating_duration_since(second).as_secs() >= 1) {
            (*second, *echoes) = (Some(now), 0);
        }
        *echoes += 1;
        *echoes <= MOST_ECHOES && self.sending == Sending::Yes
    }

    /// When the first report is due.
    pub(crate) fn first_report(&self, rng: &mut StdRng) -> Duration {
        self.interval.next(rng, CALL)
    }

    /// Writes the report that is due at `now` and says when to come back (RFC 3550 §6.3.3).
    pub(crate) fn report(
        &mut self,
        now: Instant,
        ntp: NtpTime,
        receiver: &mut Receiver,
        rng: &mut StdRng,
        out: &mut Vec<u8>,
    ) -> Duration {
        if let Some(last) = self.last_report {
            let since = now.saturating_duration_since(last);
            if let Some(wait) = self.interval.reconsider(rng, CALL, since) {
                return wait;
            }
        }
        // Asked only now: each report on reception begins a new interval (RFC 3550 A.3).
        let block = receiver.report();
        self.write_report(now, ntp, block, out);
        self.interval.sent(out.len());
        self.last_report = Some(now);
        self.interval.next(rng, CALL)
    }

    fn write_report(
        &mut self,
        now: Instant,
        ntp: NtpTime,
        block: Option<ReportBlock>,
        out: &mut Vec<u8>,
    ) {
        let speech = &self.speech;
        let spoken =
            self.spoken.map(|(at, timestamp)| (now.saturating_duration_since(at), timestamp));
        let sender = spoken.filter(|(since, _)| *since < SENDER_FOR);
        let sender = sender.map(|(since, timestamp)| SenderReport {
            ntp,
            // The timestamp of this moment, as the clock of the stream goes on (RFC 3550 §6.4.1).
            rtp_timestamp: timestamp.wrapping_add(since.as_millis() as u32 * 8),
            packets: speech.packets,
            octets: speech.octets,
        });
        let block = block.map(|block| match self.last_sr {
            Some((last_sr, came)) => {
                let delay = now.saturating_duration_since(came);
                let units = delay.as_micros().saturating_mul(65_536) / 1_000_000;
                let delay = u32::try_from(units).unwrap_or(u32::MAX);
                ReportBlock { last_sr, delay_since_last_sr: delay, ..block }
            }
            None => block,
        });
        rtcp::write_report(out, speech.ssrc, sender.as_ref(), block.as_slice(), &self.cname);
        self.has_reported = true;
    }

    /// The last compound: a report, and BYE. Nothing for a terminal that never spoke (RFC 3550 §6.6).
    pub(crate) fn goodbye(
        &mut self,
        now: Instant,
        ntp: NtpTime,
        block: Option<ReportBlock>,
        out: &mut Vec<u8>,
    ) -> bool {
        if self.speech.packets == 0 && !self.has_reported {
            return false;
        }
        self.write_report(now, ntp, block, out);
        rtcp::write_bye(out, self.speech.ssrc, "");
        true
    }

    /// Takes a compound of the peer.
    pub(crate) fn hear_report(&mut self, now: Instant, ntp: NtpTime, datagram: &[u8]) -> bool {
        let Ok(packets) = rtcp::parse(datagram) else { return false };
        self.interval.received(datagram.len());
        for packet in packets {
            let rtcp::Packet::Report { sender, blocks, .. } = packet else { continue };
            if let Some(sender) = sender {
                self.last_sr = Some((sender.ntp.middle(), now));
            }
            for block in blocks.filter(|block| block.ssrc == self.speech.ssrc) {
                self.round_trip = block.round_trip(ntp).or(self.round_trip);
            }
        }
        true
    }
}

impl Speech {
    fn header(&self, payload_type: u8, timestamp: u32, marker: bool) -> Header {
        Header { marker, payload_type, sequence: self.sequence, timestamp, ssrc: self.ssrc }
    }

    fn count(&mut self, octets: usize) {
        self.sequence = self.sequence.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets as u32);
    }

    fn advance(&mut self, samples: u32) {
        self.timestamp = self.timestamp.wrapping_add(samples);
        self.position = self.position.wrapping_add(samples);
    }
}
