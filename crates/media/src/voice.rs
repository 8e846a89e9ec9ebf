//! What a terminal says: a melody, a file, a tone, an echo, or nothing.

use std::collections::{BTreeMap, HashSet};
use std::f64::consts::TAU;
use std::sync::Arc;

use crate::g711::Law;
use crate::tone::{Melody, PIECE, piece};

/// Where the sound of a terminal comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Voice {
    /// The melody that says which call and which end this is.
    Melody(Melody),
    /// A recording, again and again.
    Clip(Arc<Clip>),
    /// What was heard, at once.
    Echo,
    /// No packets at all: a dead microphone, a broken way.
    Mute,
}

/// Recordings by the names that a network gives them.
pub type Clips = BTreeMap<String, Arc<Clip>>;

/// Sound that is ready to be sent in either law, and to be recognised.
#[derive(Debug, PartialEq, Eq)]
pub struct Clip {
    a: Box<[u8]>,
    mu: Box<[u8]>,
    /// Every 10 ms of it in both laws.
    pieces: HashSet<[u8; PIECE]>,
}

impl Clip {
    /// From samples at 8 kHz, filled up with silence to a whole number of pieces of 10 ms; nothing becomes one.
    #[must_use]
    pub fn new(samples: &[i16]) -> Self {
        let length = samples.len().max(1).next_multiple_of(PIECE);
        let samples = samples.iter().copied().chain(std::iter::repeat(0)).take(length);
        let encode =
            |law: Law| samples.clone().map(|sample| law.encode(sample)).collect::<Box<[u8]>>();
        let (a, mu) = (encode(Law::A), encode(Law::Mu));
        let both = [&a, &mu].into_iter().flat_map(|octets| octets.as_chunks().0);
        Self { pieces: both.copied().collect(), a, mu }
    }

    /// The French ring-back tone: 440 Hz, 1.5 s of every 5 s (ITU-T E.180 supplement 2).
    #[must_use]
    pub fn ring_back() -> Self {
        let sample = |at: u32| {
            let phase = f64::from(at) * 440.0 * TAU / 8_000.0;
            if at < 12_000 { (4_000.0 * phase.sin()) as i16 } else { 0 }
        };
        Self::new(&(0..40_000).map(sample).collect::<Vec<_>>())
    }

    /// Whether 10 ms of sound are of this clip; `None` for silence, which every clip has.
    pub(crate) fn find(&self, law: Law, octets: &[u8]) -> Option<bool> {
        let piece: &[u8; PIECE] = octets.try_into().ok()?;
        let is_quiet = piece.iter().all(|octet| law.decode(*octet).unsigned_abs() < 64);
        (!is_quiet).then(|| self.pieces.contains(piece))
    }

    fn octets(&self, law: Law) -> &[u8] {
        match law {
            Law::A => &self.a,
            Law::Mu => &self.mu,
        }
    }
}

impl Voice {
    /// Appends `count` samples from `position`, in samples since this voice began. False when this voice sends
    /// nothing of its own.
    pub(crate) fn say(&self, law: Law, position: u32, count: u32, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Melody(melody) => {
                let (mut at, mut left) = (position, count as usize);
                while left > 0 {
                    let within = at as usize % PIECE;
                    let taken = left.min(PIECE - within);
                    out.extend_from_slice(&piece(law, melody.note_at(at))[within..within + taken]);
                    at = at.wrapping_add(taken as u32);
                    left -= taken;
                }
                true
            }
            Self::Clip(clip) => {
                let octets = clip.octets(law);
                let start = position as usize % octets.len();
                out.extend(octets.iter().cycle().skip(start).take(count as usize));
                true
            }
            Self::Echo | Self::Mute => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_repeats_without_a_seam() {
        let clip = Clip::new(&[[100; 79].as_slice(), &[300]].concat());
        let voice = Voice::Clip(Arc::new(clip));
        let mut out = Vec::new();
        assert!(voice.say(Law::A, 78, 4, &mut out));
        let samples: Vec<i16> = out.iter().map(|octet| Law::A.decode(*octet)).collect();
        let near = |one: &i16, other: &i16| (one - other).abs() <= 8;
        let expected = [100, 300, 100, 100];
        assert!(samples.iter().zip(&expected).all(|(a, b)| near(a, b)), "{samples:?}");
        let nothing = Voice::Clip(Arc::new(Clip::new(&[])));
        assert!(nothing.say(Law::Mu, 7, 160, &mut out));
    }

    #[test]
    fn a_melody_changes_its_note_inside_a_packet_where_it_must() {
        let voice = Voice::Melody(Melody(0x0000_0031));
        let mut out = Vec::new();
        voice.say(Law::Mu, 720, 160, &mut out);
        assert_eq!(out, [*piece(Law::Mu, 1), *piece(Law::Mu, 3)].concat());
    }

    #[test]
    fn echo_and_mute_say_nothing_by_themselves() {
        let mut out = Vec::new();
        assert!(
            !Voice::Echo.say(Law::A, 0, 160, &mut out)
                && !Voice::Mute.say(Law::A, 0, 160, &mut out)
        );
        assert!(out.is_empty());
    }

    #[test]
    fn ring_back_rings_for_a_second_and_a_half_of_five() {
        let clip = Clip::ring_back();
        let loud = clip.a.iter().filter(|octet| Law::A.decode(**octet).abs() > 200).count();
        assert!((10_000..12_000).contains(&loud), "{loud}");
        assert_eq!(clip.a.len(), 40_000);
    }
}
