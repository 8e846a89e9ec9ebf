//! Audio that proves whose it is: a melody of pure tones that follows from the call.
//!
//! Eight notes of 100 ms, each one of sixteen frequencies, repeat for as long as the call lasts: 32 bits that
//! the other end knows before it hears them. Every frequency is a multiple of 100 Hz, so that 10 ms of a note
//! are a whole number of periods: notes differ without smearing into each other whatever the packet time is, and
//! a packet is one of sixteen ready-made ones.

use std::f64::consts::TAU;
use std::sync::LazyLock;

use crate::g711::Law;

/// Notes that can be told apart.
pub(crate) const NOTES: usize = 16;
/// Samples of the shortest piece that shows its note: 10 ms at 8 kHz.
pub(crate) const PIECE: usize = 80;
/// Samples of one note of a melody: 100 ms.
const NOTE_SAMPLES: u32 = 800;
/// Notes until a melody repeats.
const LENGTH: u32 = 8;
/// Samples until a melody repeats.
pub(crate) const PERIOD: u32 = NOTE_SAMPLES * LENGTH;
/// Peak of a note, of 32,768: -12 dB, so that a second party on the line clips nothing.
const AMPLITUDE: f64 = 8_000.0;

/// Frequency of a note in hertz.
pub(crate) fn frequency(note: usize) -> f64 {
    500.0 + 100.0 * note as f64
}

/// The melody of one party of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Melody(pub u32);

/// Which end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Singer {
    Caller,
    Psap,
}

impl Melody {
    /// What `singer` sings in the call with this attempt id (the caller's half of Session-ID, RFC 7989).
    #[must_use]
    pub fn of(attempt: u128, singer: Singer) -> Self {
        let salt = match singer {
            Singer::Caller => 0x9e37_79b9_7f4a_7c15,
            Singer::Psap => 0xc2b2_ae3d_27d4_eb4f,
        };
        let folded = (attempt as u64) ^ ((attempt >> 64) as u64).rotate_left(29) ^ salt;
        // The mixing steps of SplitMix64: ids that differ in one bit give melodies that differ in half.
        let mixed = (folded ^ (folded >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((mixed ^ (mixed >> 31)) as u32)
    }

    /// The note that sounds `samples` after a beginning.
    #[must_use]
    pub(crate) fn note_at(self, samples: u32) -> u8 {
        let place = samples % PERIOD / NOTE_SAMPLES;
        (self.0 >> (4 * place) & 0xf) as u8
    }
}

/// Ready-made sound: [`NOTES`] notes of [`PIECE`] octets in each law.
static PIECES: LazyLock<[[[u8; PIECE]; NOTES]; 2]> = LazyLock::new(|| {
    [Law::A, Law::Mu].map(|law| {
        std::array::from_fn(|note| {
            std::array::from_fn(|sample| {
                let phase = TAU * frequency(note) * sample as f64 / 8_000.0;
                law.encode((AMPLITUDE * phase.sin()) as i16)
            })
        })
    })
});

/// Ten milliseconds of a note; repeating them gives as much of it as is wanted.
pub(crate) fn piece(law: Law, note: u8) -> &'static [u8; PIECE] {
    let law = match law {
        Law::A => 0,
        Law::Mu => 1,
    };
    &PIECES[law][usize::from(note) % NOTES]
}

/// The note of a piece that is, octet for octet, one of ours.
pub(crate) fn exact_note(law: Law, octets: &[u8]) -> Option<u8> {
    (0..NOTES as u8).find(|note| piece(law, *note)[..] == *octets)
}

/// What a piece of sound is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sound {
    Silence,
    /// Nothing but this note.
    Note(u8),
    /// Anything else: speech, noise, two parties at once.
    Other,
}

/// Mean power below which a piece is silence: -48 dB, above the idle noise of any codec.
const QUIET: f64 = 130.0 * 130.0 / 2.0;
/// Share of the power in one note from which a piece is that note. Two laws in a row still leave 0.99.
const PURE: f64 = 0.8;

/// Listens to a piece of [`PIECE`] samples or less.
pub(crate) fn identify(samples: &[i16]) -> Sound {
    let count = samples.len().max(1) as f64;
    let energy: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    if energy / count < QUIET {
        return Sound::Silence;
    }
    let powers = (0..NOTES).map(|note| goertzel(samples, frequency(note)));
    let best = powers.enumerate().max_by(|one, other| one.1.total_cmp(&other.1));
    match best {
        // A pure tone of amplitude a has energy a²n/2 and a Goertzel power of (an/2)².
        Some((note, power)) if 2.0 * power / count >= PURE * energy => Sound::Note(note as u8),
        _ => Sound::Other,
    }
}

/// Power of one frequency (Goertzel's algorithm).
fn goertzel(samples: &[i16], frequency: f64) -> f64 {
    let coefficient = 2.0 * (TAU * frequency / 8_000.0).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        let next = f64::from(*sample) + coefficient * last - before;
        before = last;
        last = next;
    }
    last * last + before * before - coefficient * last * before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(law: Law, octets: &[u8]) -> Vec<i16> {
        octets.iter().map(|octet| law.decode(*octet)).collect()
    }

    #[test]
    fn every_note_is_recognised_in_both_laws_and_after_a_change_of_law() {
        for law in [Law::A, Law::Mu] {
            for note in 0..NOTES as u8 {
                let octets = piece(law, note);
                assert_eq!(exact_note(law, octets), Some(note));
                let samples = decoded(law, octets);
                assert_eq!(identify(&samples), Sound::Note(note));
                let other = if law == Law::A { Law::Mu } else { Law::A };
                let changed: Vec<u8> = samples.iter().map(|sample| other.encode(*sample)).collect();
                assert_eq!(identify(&decoded(other, &changed)), Sound::Note(note));
            }
        }
    }

    #[test]
    fn silence_noise_and_two_notes_are_no_note() {
        assert_eq!(identify(&[0; PIECE]), Sound::Silence);
        assert_eq!(identify(&[-60; PIECE]), Sound::Silence);
        assert_eq!(identify(&[]), Sound::Silence);
        let (one, other) = (decoded(Law::A, piece(Law::A, 2)), decoded(Law::A, piece(Law::A, 9)));
        let both: Vec<i16> = one.iter().zip(&other).map(|(a, b)| a + b).collect();
        assert_eq!(identify(&both), Sound::Other);
        let noise: Vec<i16> =
            (0..PIECE as i32).map(|i| (i * 7_919 % 16_001 - 8_000) as i16).collect();
        assert_eq!(identify(&noise), Sound::Other);
    }

    #[test]
    fn melodies_differ_between_calls_and_between_the_two_ends() {
        let mut melodies: Vec<u32> = (0..1_000_u128)
            .flat_map(|attempt| {
                [Singer::Caller, Singer::Psap].map(|who| Melody::of(attempt, who).0)
            })
            .collect();
        melodies.sort_unstable();
        melodies.dedup();
        assert_eq!(melodies.len(), 2_000);
    }

    #[test]
    fn a_melody_repeats_every_eight_notes() {
        let melody = Melody(0x7654_3210);
        let notes: Vec<u8> = (0..9).map(|note| melody.note_at(note * 800 + 799)).collect();
        assert_eq!(notes, [0, 1, 2, 3, 4, 5, 6, 7, 0]);
    }
}
