//! Announcements from WAV files and recordings into them.
//!
//! ```text
//!   file ──hound──► samples ──mean──► mono ──windowed sinc at 3.7 kHz──► 8 kHz, 16 bits
//! ```

use std::io::{BufReader, BufWriter, Read, Seek, Write};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

mod chunks;
mod error;
mod resample;
mod sides;
#[cfg(test)]
mod tests;

use error::sentence;
use resample::Resampler;

pub use error::WavError;
pub use sides::{read_sides, seconds, write_side};

/// The clock of telephony.
const RATE: u32 = 8_000;
/// Rates that files may have.
const RATES: std::ops::RangeInclusive<u32> = RATE..=48_000;
/// Longest announcement, in seconds.
const LONGEST: u32 = 600;
/// No RIFF file is longer: its length is a 32-bit field after eight octets.
const MOST_OCTETS: u64 = u32::MAX as u64 + 8;
/// What a file of two channels and 16 bits can say with its 32-bit length: 37 hours.
const MOST_FRAMES: usize = (u32::MAX / 4 - 64) as usize;
/// Full scale of 16 bits.
const FULL_SCALE: f64 = 32_768.0;

/// Reads a PCM file of any format as 8 kHz mono; channels are averaged.
///
/// A mono file of 8 kHz and 16 bits comes out as it is. More than 10 minutes are refused, and no more memory
/// is used than the file's own samples need, whatever its header says.
pub fn read(reader: impl Read) -> Result<Vec<i16>, WavError> {
    // A stream that never ends could hold the header back forever.
    let reader = BufReader::new(reader.take(MOST_OCTETS));
    let reader = WavReader::new(chunks::plain(reader)?)
        .map_err(|error| WavError::Malformed(sentence(error)))?;
    let spec = reader.spec();
    if !RATES.contains(&spec.sample_rate) {
        return Err(WavError::Rate(spec.sample_rate));
    }
    if reader.duration().div_ceil(spec.sample_rate) > LONGEST {
        return Err(WavError::TooLong(reader.duration().div_ceil(spec.sample_rate)));
    }
    match (spec.sample_format, spec.bits_per_sample) {
        (SampleFormat::Int, bits @ (8 | 16 | 24 | 32)) => {
            let one = f64::from(1_u32 << (bits - 1));
            convert(reader.into_samples::<i32>().map(|sample| Ok(f64::from(sample?) / one)), spec)
        }
        (SampleFormat::Float, 32) => {
            // What is not a number would spread through the filter.
            let finite = |sample: f32| if sample.is_finite() { f64::from(sample) } else { 0.0 };
            convert(reader.into_samples::<f32>().map(|sample| Ok(finite(sample?))), spec)
        }
        (format, bits) => Err(WavError::Samples { bits, format }),
    }
}

/// Mixes interleaved samples to mono and brings them to 8 kHz.
fn convert(
    mut samples: impl Iterator<Item = hound::Result<f64>>,
    spec: WavSpec,
) -> Result<Vec<i16>, WavError> {
    let mut resampler = Resampler::new(spec.sample_rate, RATE);
    let mut out = Vec::new();
    let mut read = 0;
    loop {
        let mut sum = 0.0;
        for channel in 0..spec.channels {
            match samples.next() {
                Some(Ok(sample)) => sum += sample.clamp(-1.0, 1.0),
                Some(Err(hound::Error::IoError(_))) => return Err(WavError::Truncated(read)),
                Some(Err(error)) => return Err(WavError::Malformed(sentence(error))),
                // hound has checked that the last sample has all its channels.
                None if channel == 0 => {
                    resampler.finish(|sample| out.push(quantised(sample)));
                    return Ok(out);
                }
                None => return Err(WavError::Truncated(read)),
            }
        }
        read += 1;
        resampler.push(sum / f64::from(spec.channels), |sample| out.push(quantised(sample)));
    }
}

/// Writes 8 kHz stereo of 16 bits; the shorter side is filled with silence.
pub fn write_stereo(
    writer: impl Write + Seek,
    left: &[i16],
    right: &[i16],
) -> Result<(), WavError> {
    let refused = |error| WavError::Write(sentence(error));
    let length = left.len().max(right.len());
    if length > MOST_FRAMES {
        return Err(WavError::Write(format!("{length} samples are more than a WAV file holds")));
    }
    let mut writer = WavWriter::new(BufWriter::new(writer), spec(2)).map_err(refused)?;
    for index in 0..length {
        for side in [left, right] {
            let sample = side.get(index).copied().unwrap_or(0);
            writer.write_sample(sample).map_err(refused)?;
        }
    }
    writer.finalize().map_err(refused)
}

/// What is written here: 8 kHz and 16 bits.
const fn spec(channels: u16) -> WavSpec {
    WavSpec { channels, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int }
}

/// Rounds to 16 bits; what the filter overshoots is clipped.
fn quantised(sample: f64) -> i16 {
    (sample * FULL_SCALE).round() as i16
}
