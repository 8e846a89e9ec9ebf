//! The chunks of a WAV file up to its samples.
//!
//! hound knows neither the pad octet after a chunk of odd length nor some longer forms of the format chunk:
//! it is given a file that has only what it needs.

use std::io::{Chain, Cursor, ErrorKind, Read, copy, sink};

use super::error::WavError;

/// `wFormatTag` of integers and of floats: nothing that matters follows the first 16 octets.
const PLAIN_TAGS: [[u8; 2]; 2] = [[1, 0], [3, 0]];
const PLAIN_OCTETS: usize = 16;
/// WAVEFORMATEXTENSIBLE.
const EXTENSIBLE_OCTETS: usize = 40;

/// Reads up to the samples and returns the same file without any chunk but `fmt ` and `data`.
pub(super) fn plain<R: Read>(mut reader: R) -> Result<Chain<Cursor<Vec<u8>>, R>, WavError> {
    let mut start = [0; 12];
    take(&mut reader, &mut start)?;
    if !(start.starts_with(b"RIFF") && start.ends_with(b"WAVE")) {
        return Err(malformed("it has no RIFF and WAVE tags"));
    }
    let mut format = None;
    loop {
        let (mut kind, mut length) = ([0; 4], [0; 4]);
        take(&mut reader, &mut kind)?;
        take(&mut reader, &mut length)?;
        let octets = u32::from_le_bytes(length);
        match &kind {
            b"fmt " => format = Some(read_format(&mut reader, octets)?),
            b"data" => {
                let format = format.ok_or_else(|| malformed("it has no fmt chunk"))?;
                let plain = [&start[..], &format, &kind, &length].concat();
                return Ok(Cursor::new(plain).chain(reader));
            }
            _ => skip(&mut reader, octets, octets)?,
        }
    }
}

/// Reads a format chunk and returns it, header included, in a length that hound knows.
fn read_format(reader: &mut impl Read, octets: u32) -> Result<Vec<u8>, WavError> {
    let mut format = Vec::with_capacity(EXTENSIBLE_OCTETS);
    let most = u64::from(octets).min(EXTENSIBLE_OCTETS as u64);
    reader.by_ref().take(most).read_to_end(&mut format).map_err(|error| unread(&error))?;
    skip(reader, octets - format.len() as u32, octets)?;
    if PLAIN_TAGS.iter().any(|tag| format.starts_with(tag)) {
        format.truncate(PLAIN_OCTETS);
    }
    let length = format.len() as u32;
    Ok([&b"fmt "[..], &length.to_le_bytes(), &format].concat())
}

/// Passes over the last `left` octets of a chunk of `octets`, and its pad octet.
fn skip(reader: &mut impl Read, left: u32, octets: u32) -> Result<(), WavError> {
    let all = u64::from(left) + u64::from(octets % 2);
    copy(&mut reader.take(all), &mut sink()).map_err(|error| unread(&error))?;
    Ok(())
}

fn take(reader: &mut impl Read, octets: &mut [u8]) -> Result<(), WavError> {
    reader.read_exact(octets).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => malformed("it ends within its header"),
        _ => unread(&error),
    })
}

fn unread(error: &std::io::Error) -> WavError {
    WavError::Malformed(error.to_string())
}

fn malformed(reason: &str) -> WavError {
    WavError::Malformed(reason.to_owned())
}
