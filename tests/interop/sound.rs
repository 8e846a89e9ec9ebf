//! Sound as samples of 8 kHz: WAV files, pure tones, and how long one is to be heard.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Samples per second.
const RATE: u32 = 8_000;

/// Samples that are looked at together: 100 ms.
const WINDOW: usize = 800;

/// A pure tone of some seconds.
pub(crate) fn tone(hertz: f64, seconds: u32) -> Vec<i16> {
    let sample = |at: u32| {
        let phase = f64::from(at) * hertz * TAU / f64::from(RATE);
        (phase.sin() * 8_000.0) as i16
    };
    (0..seconds * RATE).map(sample).collect()
}

/// For how long a pure tone is heard in all. A tone that is 5 Hz higher or lower is another one.
pub(crate) fn duration_of(hertz: f64, samples: &[i16]) -> Duration {
    let is_tone = |window: &&[i16]| share_of(hertz, window) > 0.9;
    let windows = samples.chunks_exact(WINDOW).filter(is_tone).count();
    Duration::from_millis(100) * windows as u32
}

/// How much of the energy a frequency has, 0 to 1. Over 100 ms, a tone beside it by 2 Hz has 0.88, by 5 Hz 0.41.
fn share_of(hertz: f64, window: &[i16]) -> f64 {
    let (mut real, mut imaginary, mut energy) = (0.0, 0.0, 0.0);
    for (at, sample) in window.iter().enumerate() {
        let (sample, phase) = (f64::from(*sample), at as f64 * hertz * TAU / f64::from(RATE));
        real += sample * phase.cos();
        imaginary += sample * phase.sin();
        energy += sample * sample;
    }
    let count = window.len() as f64;
    // The quantisation noise of silence has no pitch.
    if energy < count * 100.0 * 100.0 {
        return 0.0;
    }
    2.0 * (real * real + imaginary * imaginary) / (count * energy)
}

/// Writes a WAV file of one channel.
pub(crate) fn write(path: &Path, samples: &[i16]) {
    let length = 2 * samples.len() as u32;
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 1, 0]); // PCM, one channel
    file.extend(RATE.to_le_bytes());
    file.extend((2 * RATE).to_le_bytes());
    file.extend([2, 0, 16, 0]); // bytes of a sample, bits of a sample
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    fs::write(path, file).expect("a file in a temporary folder");
}

/// Reads the channels of a WAV file of 8 kHz and 16 bits.
///
/// # Panics
/// When it is something else.
pub(crate) fn read(path: &Path) -> Vec<Vec<i16>> {
    let file = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!((&file[..4], &file[8..12]), (&b"RIFF"[..], &b"WAVE"[..]), "{}", path.display());
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
    let (mut channels, mut rest) = (0, &file[12..]);
    while rest.len() >= 8 {
        let (name, length) = (&rest[..4], number(&rest[4..8]) as usize);
        let chunk = &rest[8..8 + length];
        match name {
            b"fmt " => {
                // Format, channels, rate, bytes per second, bytes of a frame, bits of a sample.
                assert_eq!((chunk[0], number(&chunk[4..8]), chunk[14]), (1, RATE, 16));
                channels = usize::from(chunk[2]);
            }
            b"data" => {
                let sample = |bytes: &[u8]| i16::from_le_bytes([bytes[0], bytes[1]]);
                let samples: Vec<_> = chunk.chunks_exact(2).map(sample).collect();
                let channel = |at| samples.iter().copied().skip(at).step_by(channels).collect();
                return (0..channels).map(channel).collect();
            }
            _ => {}
        }
        rest = &rest[8 + length + length % 2..];
    }
    panic!("{} has no sound", path.display());
}
