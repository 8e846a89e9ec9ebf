//! What one end of a call heard: the other party, silence, noise, or somebody else.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::agreement::Sign;
use crate::g711::Law;
use crate::tone::{Melody, PERIOD, PIECE, Sound, exact_note, identify};
use crate::voice::{Clip, Clips};

/// Verdict on one direction of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SoundVerdict {
    /// The other party, and nobody else.
    Heard,
    /// Nothing, or packets without sound.
    Silent,
    /// Sound, but not that of the other party.
    Garbled,
    /// The melody of another call.
    WrongParty,
    /// Too short to tell.
    Unjudged,
}

/// What is to be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedSound {
    /// The melody of the other end of this call.
    Melody(Melody),
    /// This recording, octet for octet: a way that changes the law garbles it.
    Clip(Arc<Clip>),
    /// Any sound: the other end is not one of ours.
    AnySound,
}

impl ExpectedSound {
    /// What to listen for. `announced` is what the other end says that it plays; `known` is the melody that follows from
    /// the call, if the other end must know the call's id: then its word does not count.
    #[must_use]
    pub fn of(announced: Option<&Sign>, known: Option<Melody>, clips: &Clips) -> Self {
        match announced {
            Some(Sign::Melody(melody)) => Self::Melody(known.unwrap_or(*melody)),
            Some(Sign::Clip(name)) => {
                clips.get(name).map_or(Self::AnySound, |clip| Self::Clip(Arc::clone(clip)))
            }
            None => Self::AnySound,
        }
    }
}

/// Alignments of what is heard with the melody: one for each piece of a period.
const ALIGNMENTS: usize = PERIOD as usize / PIECE;

/// Pieces of sound (10 ms each) below which nothing is said of a melody: a whole one, so that chance cannot sing it.
const ENOUGH: u32 = 80;
/// Pieces of any sound that count as heard: 100 ms.
const ENOUGH_OF_ANY: u32 = 10;

/// Listens to one stream, and judges what it hears.
#[derive(Debug, Clone)]
pub struct SoundCheck {
    expectation: ExpectedSound,
    /// Timestamp of the first piece.
    origin: Option<u32>,
    silent: u32,
    notes: u32,
    other: u32,
    /// How often a note was the one that the melody has there, by alignment. Empty for any sound.
    hits: Box<[u32]>,
}

impl SoundCheck {
    #[must_use]
    pub fn new(expectation: ExpectedSound) -> Self {
        let alignments = match expectation {
            ExpectedSound::Melody(_) => ALIGNMENTS,
            ExpectedSound::Clip(_) | ExpectedSound::AnySound => 0,
        };
        Self {
            expectation,
            origin: None,
            silent: 0,
            notes: 0,
            other: 0,
            hits: vec![0; alignments].into_boxed_slice(),
        }
    }

    /// Takes the payload of a G.711 packet, in any order.
    pub fn hear(&mut self, law: Law, timestamp: u32, payload: &[u8]) {
        for (at, octets) in (0_u32..).zip(payload.chunks_exact(PIECE)) {
            let timestamp = timestamp.wrapping_add(at * PIECE as u32);
            if let ExpectedSound::Clip(clip) = &self.expectation {
                match clip.find(law, octets) {
                    Some(true) => self.notes += 1,
                    Some(false) => self.other += 1,
                    None => self.silent += 1,
                }
                continue;
            }
            match sound(law, octets) {
                Sound::Silence => self.silent += 1,
                Sound::Other => self.other += 1,
                Sound::Note(note) => {
                    self.notes += 1;
                    self.compare(timestamp, note);
                }
            }
        }
    }

    /// Takes a packet of a format that is not understood here: it has some sound.
    pub fn hear_opaque(&mut self) {
        self.other += 2;
    }

    fn compare(&mut self, timestamp: u32, note: u8) {
        let ExpectedSound::Melody(melody) = &self.expectation else { return };
        let origin = *self.origin.get_or_insert(timestamp);
        // Before the origin, for a packet that was overtaken: still the right place in the melody.
        let since = timestamp.wrapping_sub(origin) as i32;
        let since = since.rem_euclid(PERIOD as i32) as u32;
        for (hits, shift) in self.hits.iter_mut().zip((0_u32..).step_by(PIECE)) {
            let right = melody.note_at(since + shift) == note;
            *hits = hits.saturating_add(u32::from(right));
        }
    }

    /// The verdict so far.
    #[must_use]
    pub fn verdict(&self) -> SoundVerdict {
        let sound = self.notes + self.other;
        match &self.expectation {
            _ if sound == 0 => SoundVerdict::Silent,
            ExpectedSound::AnySound if sound >= ENOUGH_OF_ANY => SoundVerdict::Heard,
            ExpectedSound::AnySound => SoundVerdict::Unjudged,
            _ if sound < ENOUGH => SoundVerdict::Unjudged,
            ExpectedSound::Clip(_) if is_most(self.notes, sound) => SoundVerdict::Heard,
            ExpectedSound::Clip(_) => SoundVerdict::Garbled,
            ExpectedSound::Melody(_) => {
                let hits = self.hits.iter().copied().max().unwrap_or_default();
                if is_most(hits, sound) {
                    SoundVerdict::Heard
                } else if self.notes >= self.other {
                    SoundVerdict::WrongParty
                } else {
                    SoundVerdict::Garbled
                }
            }
        }
    }
}

/// Four fifths.
fn is_most(part: u32, whole: u32) -> bool {
    u64::from(part) * 5 >= u64::from(whole) * 4
}

fn sound(law: Law, octets: &[u8]) -> Sound {
    // Nearly all pieces cross bit for bit, and comparing is a tenth of the work of listening.
    if let Some(note) = exact_note(law, octets) {
        return Sound::Note(note);
    }
    let mut samples = [0; PIECE];
    for (sample, octet) in samples.iter_mut().zip(octets) {
        *sample = law.decode(*octet);
    }
    identify(&samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{Singer, piece};

    const LAW: Law = Law::A;

    fn packet(melody: Melody, at: u32) -> Vec<u8> {
        [0, 80].map(|shift| *piece(LAW, melody.note_at(at + shift))).concat()
    }

    /// Hears `packets` packets of 20 ms from somewhere in the melody, without those that `lost` names.
    fn listen(check: &mut SoundCheck, melody: Melody, packets: u32, lost: impl Fn(u32) -> bool) {
        for number in (0..packets).filter(|number| !lost(*number)) {
            let at = 160 * (number + 17);
            check.hear(LAW, at.wrapping_sub(1_600), &packet(melody, at));
        }
    }

    fn check(attempt: u128) -> (SoundCheck, Melody) {
        let melody = Melody::of(attempt, Singer::Caller);
        (SoundCheck::new(ExpectedSound::Melody(melody)), melody)
    }

    #[test]
    fn the_other_party_is_heard_whatever_gets_lost() {
        for step in [2, 3, 10, 1_000] {
            let (mut check, melody) = check(5);
            listen(&mut check, melody, 100, |number| number % step == 1);
            assert_eq!(check.verdict(), SoundVerdict::Heard, "every {step}th");
        }
    }

    #[test]
    fn somebody_else_is_the_wrong_party_also_for_a_part_of_the_call() {
        let (mut check, melody) = check(5);
        let stranger = Melody::of(6, Singer::Caller);
        listen(&mut check, stranger, 50, |_| false);
        assert_eq!(check.verdict(), SoundVerdict::WrongParty);
        listen(&mut check, melody, 50, |_| false);
        assert_eq!(check.verdict(), SoundVerdict::WrongParty);
        // Our own voice, as an echo of the line.
        let (mut check, _) = self::check(5);
        listen(&mut check, Melody::of(5, Singer::Psap), 50, |_| false);
        assert_eq!(check.verdict(), SoundVerdict::WrongParty);
    }

    #[test]
    fn silence_noise_and_too_little_are_told_apart() {
        let (mut silent, _) = check(5);
        assert_eq!(silent.verdict(), SoundVerdict::Silent);
        (0..50).for_each(|at| silent.hear(LAW, at * 160, &[LAW.silence(); 160]));
        assert_eq!(silent.verdict(), SoundVerdict::Silent);

        let (mut garbled, melody) = check(5);
        for at in 0..50_u32 {
            let mut noise = packet(melody, 160 * at);
            noise.iter_mut().enumerate().for_each(|(i, octet)| *octet ^= (i * 37 % 128) as u8);
            garbled.hear(LAW, at * 160, &noise);
        }
        assert_eq!(garbled.verdict(), SoundVerdict::Garbled);

        let (mut short, melody) = check(5);
        listen(&mut short, melody, 5, |_| false);
        assert_eq!(short.verdict(), SoundVerdict::Unjudged);
    }

    #[test]
    fn a_recording_is_known_by_its_octets() {
        let speech = |seed: u32| -> Vec<i16> {
            let noise = |at: u32| (at.wrapping_mul(2_654_435_761).rotate_left(seed) % 9_000) as i16;
            (0..8_000).map(noise).collect()
        };
        let clip = Arc::new(Clip::new(&speech(3)));
        for (heard, verdict) in [(3, SoundVerdict::Heard), (7, SoundVerdict::Garbled)] {
            let mut check = SoundCheck::new(ExpectedSound::Clip(Arc::clone(&clip)));
            for (packet, samples) in (0_u32..).zip(speech(heard).chunks(160)) {
                let octets: Vec<u8> = samples.iter().map(|sample| LAW.encode(*sample)).collect();
                check.hear(LAW, packet * 160, &octets);
            }
            assert_eq!(check.verdict(), verdict);
        }
        let mut check = SoundCheck::new(ExpectedSound::Clip(clip));
        (0..50).for_each(|at| check.hear(LAW, at * 160, &[LAW.silence(); 160]));
        assert_eq!(check.verdict(), SoundVerdict::Silent);
    }

    #[test]
    fn any_sound_will_do_of_a_stranger() {
        let mut check = SoundCheck::new(ExpectedSound::AnySound);
        assert_eq!(check.verdict(), SoundVerdict::Silent);
        listen(&mut check, Melody(1), 5, |_| false);
        assert_eq!(check.verdict(), SoundVerdict::Heard);
    }

    #[test]
    fn packets_of_thirty_milliseconds_and_of_ten_are_understood() {
        for pieces in [1_u32, 3] {
            let (mut check, melody) = check(9);
            for number in 0..100 {
                let at = number * pieces * 80;
                let octets: Vec<u8> = (0..pieces)
                    .flat_map(|one| *piece(LAW, melody.note_at(at + 80 * one)))
                    .collect();
                check.hear(LAW, at, &octets);
            }
            assert_eq!(check.verdict(), SoundVerdict::Heard);
        }
    }

    #[test]
    fn hours_of_talk_overflow_nothing() {
        let (mut check, melody) = check(5);
        listen(&mut check, melody, 100_000, |_| false);
        assert_eq!(check.verdict(), SoundVerdict::Heard);
    }
}
