//! DTMF digits as RTP events — RFC 4733.
//!
//! ```text
//!   ptime     1      2      3      4      5      6      7      8 …
//!   sender    160 M  320    480    640    800 E  800 E  800 E  audio, then the next digit
//! ```
//!
//! All packets of one event carry the RTP timestamp of its start; only the duration rises (§2.5.1.2).

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

/// What a receiver keeps: no number that is dialled into a call is longer.
const MOST_DIGITS: usize = 64;
/// Timestamp units per millisecond of the telephony codecs, whose clock events share (§2.1).
const UNITS_PER_MS: u32 = 8;
/// The last packet of an event goes out three times (§2.5.1.4).
const END_PACKETS: u8 = 3;
/// Silence after each event: twice the 40 ms that receivers need to tell two equal digits apart.
const PAUSE: i32 = 80 * UNITS_PER_MS as i32;
/// Tone level of our events in −dBm0.
const VOLUME: u8 = 10;
/// How long a digit of ours lasts unless told otherwise.
const DIGIT_DURATION: Duration = Duration::from_millis(100);

/// The digits in the order of their event codes (§3.2).
const DIGITS: [char; 16] =
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/// The payload of an event packet (§2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TelephoneEvent {
    /// Code of the event; below 16 a DTMF digit.
    pub event: u8,
    /// Whether the event is over and `duration` is all of it.
    pub end: bool,
    /// Level in −dBm0, 0 to 63.
    pub volume: u8,
    /// From the RTP timestamp on, in its units.
    pub duration: u16,
}

impl TelephoneEvent {
    /// Reads the first event of a payload, or nothing when it is too short.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let (&[event, flags, high, low], _) = payload.split_first_chunk()?;
        let duration = u16::from_be_bytes([high, low]);
        Some(Self { event, end: flags & 0x80 != 0, volume: flags & 0x3f, duration })
    }

    /// Writes the payload; a volume above 63 becomes 63.
    pub fn write(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.event, u8::from(self.end) << 7 | self.volume.min(0x3f), high, low]
    }
}

/// The digit of an event code, or nothing for events that are not DTMF.
pub fn digit(event: u8) -> Option<char> {
    DIGITS.get(usize::from(event)).copied()
}

/// The event code of a digit: 0 to 9, `*`, `#`, A to D in either case.
pub fn event_of(digit: char) -> Option<u8> {
    let digit = digit.to_ascii_uppercase();
    DIGITS.iter().position(|&other| other == digit).map(|code| code as u8)
}

/// The digits that a body of INFO tells, with its media type: `application/dtmf-relay` has a line `Signal=5`,
/// `application/dtmf` the digit alone. No RFC says so; telephones do. What is no digit is left out.
#[must_use]
pub fn digits_of_info(media_type: &str, body: &[u8]) -> String {
    let kind = media_type.split(';').next().unwrap_or_default().trim();
    let text = String::from_utf8_lossy(body);
    let signal = text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim().eq_ignore_ascii_case("signal").then(|| value.trim().to_owned())
    });
    let signal = match kind.to_ascii_lowercase().as_str() {
        "application/dtmf-relay" => signal,
        "application/dtmf" => signal.or_else(|| Some(text.trim().to_owned())),
        _ => None,
    };
    let signal = signal.unwrap_or_default();
    // Some write the code of the event instead of the key.
    if let Some(key) =
        signal.parse::<u8>().ok().filter(|code| signal.len() == 2 && *code >= 10).and_then(digit)
    {
        return key.to_string();
    }
    let keys = signal.chars().filter(|key| event_of(*key).is_some());
    keys.take(MOST_DIGITS).map(|key| key.to_ascii_uppercase()).collect()
}

/// A character that no telephone has a key for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a DTMF digit")]
pub struct NotADigit(pub char);

/// What takes the place of one audio packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Send this with the payload type of events, and no audio.
    Event(EventPacket),
    /// Between two digits: ordinary audio may go.
    Pause,
}

/// An RTP packet of an event, but for what it shares with the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPacket {
    pub payload: [u8; 4],
    /// Start of the event, whenever the packet is sent.
    pub timestamp: u32,
    /// Set on the first packet of an event only.
    pub marker: bool,
}

/// Sends a string of digits (§2.5.1).
///
/// The owner asks [`next_packet`](Self::next_packet) once per packet time, with the RTP timestamp that the
/// audio packet would have had. It sends an event instead of audio, audio during a [`Step::Pause`], and goes
/// on with audio for good when the sequence is over.
#[derive(Debug, Clone)]
pub struct DigitSequence {
    /// Event codes not yet begun.
    events: VecDeque<u8>,
    state: State,
    /// Timestamp units per packet.
    ptime: u32,
    /// Timestamp units per event.
    length: u16,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// The next digit may begin.
    Ready,
    /// The tone is on; `start` is the timestamp of the whole event.
    On { event: u8, start: u32 },
    /// The tone is off since `end`; `left` copies of the last packet are still to be sent.
    Off { event: u8, start: u32, end: u32, left: u8 },
}

impl DigitSequence {
    /// Sends each of `digits` for 100 ms, at `ptime` timestamp units per packet: 160 for 20 ms.
    pub fn new(digits: &str, ptime: u32) -> Result<Self, NotADigit> {
        let events = digits.chars().map(|digit| event_of(digit).ok_or(NotADigit(digit)));
        let events = events.collect::<Result<_, _>>()?;
        let sequence = Self { events, state: State::Ready, ptime: ptime.max(1), length: 0 };
        Ok(sequence.with_duration(DIGIT_DURATION))
    }

    /// Sends each digit for `duration`, at most the 8 s that one event can say.
    #[must_use]
    pub fn with_duration(mut self, duration: Duration) -> Self {
        let units = duration.as_millis() * u128::from(UNITS_PER_MS);
        self.length = u16::try_from(units).unwrap_or(u16::MAX).max(1);
        self
    }

    /// What to send at `timestamp` instead of audio; nothing when all digits have gone.
    pub fn next_packet(&mut self, timestamp: u32) -> Option<Step> {
        if let State::Off { end, left: 0, .. } = self.state {
            // Negative while the end lies ahead: a packet time that does not divide the duration.
            let silent = timestamp.wrapping_sub(end) as i32;
            if silent < PAUSE {
                return if self.events.is_empty() { None } else { Some(Step::Pause) };
            }
            self.state = State::Ready;
        }
        match self.state {
            State::Ready => {
                let event = self.events.pop_front()?;
                Some(self.tone(event, timestamp, timestamp, true))
            }
            State::On { event, start } => Some(self.tone(event, start, timestamp, false)),
            State::Off { event, start, end, left } => {
                self.state = State::Off { event, start, end, left: left - 1 };
                let repeated =
                    TelephoneEvent { event, end: true, volume: VOLUME, duration: self.length };
                let payload = repeated.write();
                Some(Step::Event(EventPacket { payload, timestamp: start, marker: false }))
            }
        }
    }

    /// True when [`next_packet`](Self::next_packet) has nothing more to send.
    pub fn is_over(&self) -> bool {
        self.events.is_empty() && matches!(self.state, State::Ready | State::Off { left: 0, .. })
    }

    /// A packet while the tone is on: it covers the time from `start` to the end of this packet.
    fn tone(&mut self, event: u8, start: u32, timestamp: u32, is_first: bool) -> Step {
        let covered = timestamp.wrapping_sub(start).saturating_add(self.ptime);
        let end = covered >= u32::from(self.length);
        self.state = if end {
            let end = start.wrapping_add(self.length.into());
            State::Off { event, start, end, left: END_PACKETS - 1 }
        } else {
            State::On { event, start }
        };
        let duration = if end { self.length } else { covered as u16 };
        let payload = TelephoneEvent { event, end, volume: VOLUME, duration }.write();
        Step::Event(EventPacket { payload, timestamp: start, marker: is_first })
    }
}

/// Recognises the digits of one stream, each once (§2.5.2).
///
/// An event is its RTP timestamp: whichever of its packets comes first makes the digit, all others are
/// repetitions. So it counts even when its end was lost, and packets may come in any order. A key that is held for longer
/// than one event can say comes as several, each of which begins where the one before it ends; they are one digit
/// (§2.5.1.3). A new SSRC needs a new decoder.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    /// Oldest first.
    digits: VecDeque<Heard>,
}

/// A digit that was heard: one event, or several that follow each other without a gap.
#[derive(Debug, Clone, Copy)]
struct Heard {
    digit: char,
    /// Timestamp of the first segment.
    start: u32,
    /// Whether that came with the marker: then nothing was before it.
    is_marked: bool,
    /// Timestamp and longest duration of the last segment.
    last: u32,
    duration: u16,
    is_over: bool,
}

/// How long the segments of a held key are, if the last packets of one were lost: as long as one can be, in whole packets.
const FULL_SEGMENT: RangeInclusive<u32> = 0xf000..=0xffff;

impl Heard {
    /// Takes one more packet of it; false if it is none.
    fn takes(&mut self, timestamp: u32, marker: bool, event: TelephoneEvent) -> bool {
        if timestamp.wrapping_sub(self.start) > self.last.wrapping_sub(self.start) {
            return false;
        }
        if timestamp == self.last {
            self.duration = self.duration.max(event.duration);
            self.is_over |= event.end;
        }
        self.is_marked |= marker && timestamp == self.start;
        true
    }

    /// Takes the first packet of another segment of it, in whichever order they come; false if it is none.
    fn goes_on(&mut self, timestamp: u32, marker: bool, event: TelephoneEvent) -> bool {
        if digit(event.event) != Some(self.digit) {
            return false;
        }
        let touches =
            |gap: u32, duration: u16| gap == u32::from(duration) || FULL_SEGMENT.contains(&gap);
        if !marker && !self.is_over && touches(timestamp.wrapping_sub(self.last), self.duration) {
            (self.last, self.duration, self.is_over) = (timestamp, event.duration, event.end);
            return true;
        }
        if !self.is_marked
            && !event.end
            && touches(self.start.wrapping_sub(timestamp), event.duration)
        {
            (self.start, self.is_marked) = (timestamp, marker);
            return true;
        }
        false
    }
}

impl Decoder {
    /// Takes an event packet, with its marker, and returns the digit if this is the first packet of it.
    pub fn receive(&mut self, timestamp: u32, marker: bool, payload: &[u8]) -> Option<char> {
        let event = TelephoneEvent::parse(payload)?;
        let digit = digit(event.event)?;
        let known = |heard: &mut Heard| heard.takes(timestamp, marker, event);
        if self.digits.iter_mut().any(known) {
            return None;
        }
        if self.digits.iter_mut().any(|heard| heard.goes_on(timestamp, marker, event)) {
            return None;
        }
        let heard = Heard {
            digit,
            start: timestamp,
            is_marked: marker,
            last: timestamp,
            duration: event.duration,
            is_over: event.end,
        };
        // Nearly always the newest; after a reordering its place is further to the front.
        let newer = self.digits.iter().rev();
        let newer = newer.take_while(|known| is_after(known.start, timestamp)).count();
        let place = self.digits.len() - newer;
        if self.digits.len() == MOST_DIGITS {
            if place == 0 {
                // It may be a repetition of what has been forgotten.
                return None;
            }
            self.digits.pop_front();
            self.digits.insert(place - 1, heard);
        } else {
            self.digits.insert(place, heard);
        }
        Some(digit)
    }

    /// The digits so far in the order they were pressed, the last 64 of them.
    pub fn digits(&self) -> impl Iterator<Item = char> + '_ {
        self.digits.iter().map(|heard| heard.digit)
    }
}

/// Whether `one` is later than `other` on a clock that wraps.
const fn is_after(one: u32, other: u32) -> bool {
    one.wrapping_sub(other) as i32 > 0
}

#[cfg(test)]
mod tests;
