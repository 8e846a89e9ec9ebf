//! Both sides of a call, as they were heard at one end: left what came in, right what went out.

use std::time::{Duration, Instant};

use crate::g711::Law;

/// Samples per second.
const RATE: u64 = 8_000;
/// A recording ends after this long: about 19 MB in memory, both sides together.
const LONGEST: Duration = Duration::from_secs(600);

/// Collects one call. Gaps stay silent, and nothing grows faster than time does.
#[derive(Debug, Clone)]
pub struct Recorder {
    start: Instant,
    heard: Side,
    said: Side,
}

#[derive(Debug, Clone, Default)]
struct Side {
    samples: Vec<i16>,
    /// Timestamp of the first packet, and where its sound begins.
    origin: Option<(u32, u64)>,
}

/// A finished recording at 8 kHz.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    pub heard: Vec<i16>,
    pub said: Vec<i16>,
}

impl Recorder {
    #[must_use]
    pub fn new(start: Instant) -> Self {
        Self { start, heard: Side::default(), said: Side::default() }
    }

    pub(crate) fn hear(&mut self, now: Instant, law: Law, timestamp: u32, payload: &[u8]) {
        let elapsed = self.elapsed(now);
        self.heard.place(elapsed, law, timestamp, payload);
    }

    pub(crate) fn say(&mut self, now: Instant, law: Law, timestamp: u32, payload: &[u8]) {
        let elapsed = self.elapsed(now);
        self.said.place(elapsed, law, timestamp, payload);
    }

    /// Samples since the start.
    fn elapsed(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.start).min(LONGEST);
        elapsed.as_millis() as u64 * RATE / 1_000
    }

    #[must_use]
    pub fn finish(self) -> Recording {
        Recording { heard: self.heard.samples, said: self.said.samples }
    }
}

impl Side {
    /// Puts sound where its timestamp says, unless that is not about now: timestamps may lie.
    fn place(&mut self, elapsed: u64, law: Law, timestamp: u32, payload: &[u8]) {
        let (first, begin) = *self.origin.get_or_insert((timestamp, elapsed));
        let since = i64::from(timestamp.wrapping_sub(first) as i32);
        let at = begin.saturating_add_signed(since);
        let limit = (elapsed + RATE).min(LONGEST.as_secs() * RATE);
        let end = at + payload.len() as u64;
        if end > limit || at + 2 * RATE < elapsed {
            // A source that counts anew, such as the next call taker, goes on from here.
            self.origin = None;
            if end <= limit {
                self.place_at(elapsed as usize, law, payload);
            }
            return;
        }
        self.place_at(at as usize, law, payload);
    }

    fn place_at(&mut self, at: usize, law: Law, payload: &[u8]) {
        let end = at + payload.len();
        if self.samples.len() < end {
            self.samples.resize(end, 0);
        }
        for (sample, octet) in self.samples[at..end].iter_mut().zip(payload) {
            *sample = law.decode(*octet);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_stands_where_its_timestamp_says() {
        let start = Instant::now();
        let mut recorder = Recorder::new(start);
        let loud = [Law::A.encode(8_000); 160];
        // 100 ms after the start; then one packet lost, and the next one there.
        let at = |ms| start + Duration::from_millis(ms);
        recorder.hear(at(100), Law::A, 5_000, &loud);
        recorder.hear(at(145), Law::A, 5_320, &loud);
        recorder.say(at(0), Law::A, 9, &loud);
        let recording = recorder.finish();
        let heard: Vec<bool> = recording.heard.chunks(160).map(|one| one[80] > 4_000).collect();
        assert_eq!(heard, [false, false, false, false, false, true, false, true]);
        assert_eq!(recording.said.len(), 160);
    }

    #[test]
    fn timestamps_that_lie_fill_no_memory() {
        let start = Instant::now();
        let mut recorder = Recorder::new(start);
        let mut timestamp = 0_u32;
        for packet in 0..1_000_u64 {
            timestamp = timestamp.wrapping_add(0x3fff_ffff);
            recorder.hear(start + Duration::from_millis(packet), Law::Mu, timestamp, &[0; 160]);
        }
        assert!(recorder.finish().heard.len() < 3 * 8_000);
    }

    #[test]
    fn a_recording_ends_after_ten_minutes() {
        let start = Instant::now();
        let mut recorder = Recorder::new(start);
        for second in 0..1_000_u32 {
            let now = start + Duration::from_secs(second.into());
            recorder.say(now, Law::Mu, second * 8_000, &[0; 160]);
        }
        assert!(recorder.finish().said.len() <= 600 * 8_000 + 160);
    }
}
