//! The sides of a recording as answering points write them: 8 kHz, 16 bits, two channels.

use std::io::{Cursor, Read};

use hound::{WavReader, WavWriter};

use super::{RATE, spec};

/// How long a recording is, in seconds, as its head says.
///
/// # Errors
/// It is no WAV file.
pub fn seconds(file: impl Read) -> Result<f64, String> {
    let reader = WavReader::new(file).map_err(|error| error.to_string())?;
    Ok(f64::from(reader.duration()) / f64::from(RATE))
}

/// Both sides of a recording: what its answering point heard, and what it said.
///
/// # Errors
/// A sentence: it is no such file, or is being written.
pub fn read_sides(octets: &[u8]) -> Result<(Vec<i16>, Vec<i16>), String> {
    let reader = WavReader::new(octets).map_err(|error| error.to_string())?;
    if reader.spec() != spec(2) {
        return Err("it is no recording of two sides at 8 kHz".to_owned());
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for (index, sample) in reader.into_samples::<i16>().enumerate() {
        let sample = sample.map_err(|_| "it ends early: it is being written".to_owned())?;
        if index % 2 == 0 { left.push(sample) } else { right.push(sample) }
    }
    Ok((left, right))
}

/// One side as a WAV file.
///
/// # Errors
/// It is longer than such a file can be.
pub fn write_side(side: &[i16]) -> Result<Vec<u8>, String> {
    let mut written = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut written, spec(1)).map_err(|error| error.to_string())?;
    for sample in side {
        writer.write_sample(*sample).map_err(|error| error.to_string())?;
    }
    writer.finalize().map_err(|error| error.to_string())?;
    Ok(written.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A recording with the same sample all over each side.
    fn recording(left: i16, right: i16, length: u32) -> Vec<u8> {
        let mut written = Cursor::new(Vec::new());
        let side = |sample| vec![sample; length as usize];
        super::super::write_stereo(&mut written, &side(left), &side(right)).expect("a file");
        written.into_inner()
    }

    #[test]
    fn each_side_comes_out_as_it_was() {
        let both = recording(1, -2, 12_000);
        assert_eq!(seconds(&both[..]), Ok(1.5));
        let (left, right) = read_sides(&both).expect("two sides");
        assert!(left == [1; 12_000] && right == [-2; 12_000]);
        let one = write_side(&right).expect("a file");
        let samples: Result<Vec<i16>, _> =
            WavReader::new(&one[..]).expect("a WAV file").into_samples().collect();
        assert_eq!(samples.expect("samples"), right);
    }

    #[test]
    fn what_is_no_recording_of_two_sides_is_told() {
        let both = recording(1, 2, 100);
        for wrong in [&b""[..], b"RIFF", &both[..60], &write_side(&[1; 10]).expect("one side")] {
            assert!(read_sides(wrong).is_err());
        }
    }
}
