use std::f64::consts::TAU;
use std::io::Cursor;

use hound::Sample;
use proptest::prelude::*;

use super::*;

fn file<S: Sample + Copy>(spec: WavSpec, samples: &[S]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
    samples.iter().for_each(|&sample| writer.write_sample(sample).unwrap());
    writer.finalize().unwrap();
    bytes.into_inner()
}

const fn spec(channels: u16, sample_rate: u32, bits_per_sample: u16) -> WavSpec {
    WavSpec { channels, sample_rate, bits_per_sample, sample_format: SampleFormat::Int }
}

const FLOAT: WavSpec = WavSpec { sample_format: SampleFormat::Float, ..spec(1, 8_000, 32) };

/// One second of a sine with an amplitude of 16000, as a file.
fn tone(frequency: f64, rate: u32) -> Vec<u8> {
    let sample = |index| f64::sin(TAU * frequency * f64::from(index) / f64::from(rate)) * 16_000.0;
    let samples: Vec<_> = (0..rate).map(|index| sample(index).round() as i16).collect();
    file(spec(1, rate, 16), &samples)
}

/// Amplitude of one frequency in the middle of an 8 kHz signal, by correlation over 0.9 s.
fn amplitude(samples: &[i16], frequency: f64) -> f64 {
    let (mut real, mut imaginary) = (0.0, 0.0);
    let middle = &samples[400..7_600];
    for (index, &sample) in middle.iter().enumerate() {
        let turn = TAU * frequency * index as f64 / 8_000.0;
        real += f64::from(sample) * turn.cos();
        imaginary += f64::from(sample) * turn.sin();
    }
    2.0 * real.hypot(imaginary) / middle.len() as f64
}

#[test]
fn telephone_quality_passes_unchanged() {
    let samples: Vec<i16> = (i16::MIN..=i16::MAX).step_by(7).collect();
    assert_eq!(read(&file(spec(1, 8_000, 16), &samples)[..]).unwrap(), samples);
}

#[test]
fn every_depth_has_the_same_full_scale() {
    assert_eq!(
        read(&file(spec(1, 8_000, 8), &[-128_i8, 0, 64])[..]).unwrap(),
        [-32_768, 0, 16_384]
    );
    let deep = [-(1 << 23), 1 << 22, 1 << 8];
    assert_eq!(read(&file(spec(1, 8_000, 24), &deep)[..]).unwrap(), [-32_768, 16_384, 1]);
    let deeper = [i32::MIN, 1 << 30, 1 << 16];
    assert_eq!(read(&file(spec(1, 8_000, 32), &deeper)[..]).unwrap(), [-32_768, 16_384, 1]);
    let floats = [-1.0_f32, 0.5, 2.0, f32::NAN, f32::INFINITY];
    assert_eq!(read(&file(FLOAT, &floats)[..]).unwrap(), [-32_768, 16_384, 32_767, 0, 0]);
}

#[test]
fn channels_are_averaged() {
    let samples = [1_000_i16, 3_000, -20, 20, 30_000, 32_000];
    assert_eq!(read(&file(spec(2, 8_000, 16), &samples)[..]).unwrap(), [2_000, 0, 31_000]);
    assert_eq!(read(&file(spec(3, 8_000, 16), &samples)[..]).unwrap(), [1_327, 20_673]);
}

#[test]
fn tone_of_the_telephone_band_keeps_its_frequency_and_level() {
    for rate in [11_025, 16_000, 22_050, 44_100, 48_000, 8_001] {
        let samples = read(&tone(1_000.0, rate)[..]).unwrap();
        assert_eq!(samples.len(), 8_000, "{rate} Hz");
        let level = amplitude(&samples, 1_000.0);
        assert!((level - 16_000.0).abs() < 20.0, "{rate} Hz: {level}");
        // What remains without the tone is noise.
        let power: f64 = samples[400..7_600].iter().map(|&sample| f64::from(sample).powi(2)).sum();
        let noise = (power / 7_200.0 - level * level / 2.0).abs().sqrt();
        assert!(noise < 60.0, "{rate} Hz: {noise}");
    }
    let samples = read(&tone(3_400.0, 44_100)[..]).unwrap();
    let level = amplitude(&samples, 3_400.0);
    assert!((level - 16_000.0).abs() < 160.0, "{level}");
}

/// A tone above 4 kHz would come back at 8 kHz less its frequency.
#[test]
fn tone_above_the_telephone_band_leaves_no_alias() {
    for rate in [16_000, 44_100, 48_000] {
        for frequency in [4_000.0, 4_600.0, 6_000.0, 7_000.0] {
            let samples = read(&tone(frequency, rate)[..]).unwrap();
            let loudest = samples[400..7_600].iter().map(|sample| sample.unsigned_abs()).max();
            // 16000 less 66 dB.
            assert!(loudest < Some(8), "{frequency} Hz at {rate} Hz: {loudest:?}");
        }
    }
}

/// A click must stay where it is: a filter that delayed it would cut the end of an announcement.
#[test]
fn filter_delays_nothing() {
    let mut samples = vec![0_i16; 48_000];
    samples[24_000] = 32_767;
    let read = read(&file(spec(1, 48_000, 16), &samples)[..]).unwrap();
    let loudest = (0..read.len()).max_by_key(|&index| read[index].unsigned_abs());
    assert_eq!(loudest, Some(4_000));
    assert_eq!(read[3_999], read[4_001]);
}

#[test]
fn short_files_have_their_share_of_samples() {
    for (length, expected) in [(0, 0), (1, 1), (6, 1), (7, 2), (12, 2)] {
        let samples = vec![500_i16; length];
        assert_eq!(read(&file(spec(1, 48_000, 16), &samples)[..]).unwrap().len(), expected);
    }
}

/// RIFF aligns chunks to two octets with a pad octet that their length does not count.
#[test]
fn chunks_of_odd_length_are_passed_over() {
    let plain = file(spec(1, 8_000, 16), &[1_i16, 2, 3]);
    let odd = b"LIST\x05\0\0\0title\0";
    let noted = [&plain[..12], odd, &plain[12..36], odd, &plain[36..], odd].concat();
    assert_eq!(read(&noted[..]).unwrap(), [1, 2, 3]);
}

/// Some programs write the 18 octets of WAVEFORMATEX for 32 bits too, or more than that.
#[test]
fn longer_formats_are_read() {
    let plain = file(FLOAT, &[0.5_f32]);
    let (format, data) = (&plain[20..36], plain.windows(4).position(|tag| tag == b"data").unwrap());
    for (tag, samples, expected) in
        [(3, 0.5_f32.to_le_bytes(), 16_384), (1, (1_i32 << 30).to_le_bytes(), 16_384)]
    {
        for more in [0, 2, 3, 60] {
            let mut bytes = plain[..16].to_vec();
            bytes.extend([16 + more, 0, 0, 0, tag, 0]);
            bytes.extend(&format[2..]);
            bytes.extend(vec![0; usize::from(more).next_multiple_of(2)]);
            bytes.extend(&plain[data..data + 8]);
            bytes.extend(samples);
            assert_eq!(read(&bytes[..]).unwrap(), [expected], "{more} octets more, tag {tag}");
        }
    }
}

/// Enters another length of the data into a file.
fn with_length(mut bytes: Vec<u8>, octets: u32) -> Vec<u8> {
    let data = bytes.windows(4).position(|tag| tag == b"data").unwrap();
    bytes[data + 4..data + 8].copy_from_slice(&octets.to_le_bytes());
    bytes
}

#[test]
fn refusals_are_sentences() {
    let refusal = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    let short = file(spec(1, 8_000, 16), &[1_i16, 2, 3]);
    assert_eq!(refusal(&short[..short.len() - 1]), "the file ends early, after 2 samples");
    let malformed =
        |reason| format!("the file is not a WAV file that this program reads: {reason}");
    assert_eq!(refusal(b"ID3 and so on"), malformed("it has no RIFF and WAVE tags"));
    assert_eq!(refusal(&short[..20]), malformed("it ends within its header"));
    assert_eq!(refusal(&[&short[..12], &short[36..]].concat()), malformed("it has no fmt chunk"));
    let mut law = short.clone();
    law[20] = 7;
    assert_eq!(refusal(&law), malformed("its samples are not PCM"));
    for rate in [7_999, 48_001] {
        let expected = format!("a sample rate of {rate} Hz is not between 8000 and 48000 Hz");
        assert_eq!(refusal(&file(spec(1, rate, 16), &[1_i16])), expected);
    }
    // A header alone is enough to refuse, or to believe nothing: ten minutes are 9.6 million octets.
    let eleven = with_length(short.clone(), 660 * 16_000);
    assert_eq!(refusal(&eleven), "the file is longer than 10 minutes: 660 s");
    assert_eq!(refusal(&with_length(short, 600 * 16_000)), "the file ends early, after 3 samples");
    // Extensible: 12 valid bits in 16.
    let mut odd = file(spec(3, 8_000, 24), &[1_i32, 2, 3]);
    odd[38] = 12;
    assert_eq!(
        refusal(&odd),
        "12-bit integer samples are not read, only integers of 8 to 32 bits and 32-bit floats"
    );
}

/// A pipe that never ends, as an operator may name by mistake.
#[test]
fn endless_input_ends() {
    assert!(read(std::io::repeat(0)).is_err());
    let header = file(spec(1, 8_000, 16), &[0_i16; 2]);
    let endless = Cursor::new(&header).chain(std::io::repeat(0));
    assert_eq!(read(endless).unwrap(), [0, 0]);
}

#[test]
fn shorter_side_is_filled_with_silence() {
    let mut bytes = Cursor::new(Vec::new());
    write_stereo(&mut bytes, &[1, -2, 3], &[-32_768]).unwrap();
    let bytes = bytes.into_inner();
    let reader = WavReader::new(&bytes[..]).unwrap();
    assert_eq!(reader.spec(), spec(2, 8_000, 16));
    let samples: Vec<_> = reader.into_samples::<i16>().map(Result::unwrap).collect();
    assert_eq!(samples, [1, -32_768, -2, 0, 3, 0]);
}

#[test]
fn full_disk_is_a_sentence() {
    let mut room = [0; 50];
    let refused = write_stereo(Cursor::new(&mut room[..]), &[1; 100], &[]).unwrap_err();
    assert!(refused.to_string().starts_with("the file could not be written: "), "{refused}");
}

proptest! {
    /// Every header field may be anything, and the file may end anywhere.
    #[test]
    fn no_damage_to_a_file_panics(
        flips in prop::collection::vec((0..80_usize, any::<u8>()), 0..5),
        channels in 1..4_u16,
        deep: bool,
        cut: prop::sample::Index,
    ) {
        let samples = [0x1234_i16; 60];
        let depth = if deep { 24 } else { 16 };
        let mut bytes = file(spec(channels, 16_000, depth), &samples);
        for (at, value) in flips {
            bytes[at] = value;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Ok(read) = read(bytes) {
                prop_assert!(read.len() <= bytes.len());
            }
        }
    }

    #[test]
    fn no_octets_after_the_tags_panic(tail in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut bytes = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0".to_vec();
        bytes.extend(tail);
        if let Ok(read) = read(&bytes[..]) {
            prop_assert!(read.len() <= bytes.len());
        }
    }
}
