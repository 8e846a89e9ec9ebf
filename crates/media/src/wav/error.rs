//! What can go wrong with a WAV file.

use hound::SampleFormat;

/// Why a WAV file is not read or written.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    #[error("the file is not a WAV file that this program reads: {0}")]
    Malformed(String),
    #[error("the file ends early, after {0} samples")]
    Truncated(u32),
    #[error("a sample rate of {0} Hz is not between 8000 and 48000 Hz")]
    Rate(u32),
    #[error("{bits}-bit {} samples are not read, only integers of 8 to 32 bits and 32-bit floats", kind(*.format))]
    Samples { bits: u16, format: SampleFormat },
    #[error("the file is longer than 10 minutes: {0} s")]
    TooLong(u32),
    #[error("the file could not be written: {0}")]
    Write(String),
}

const fn kind(format: SampleFormat) -> &'static str {
    match format {
        SampleFormat::Int => "integer",
        SampleFormat::Float => "float",
    }
}

/// What hound says, in the form of our errors.
pub(super) fn sentence(error: hound::Error) -> String {
    match error {
        hound::Error::FormatError(reason) => reason.to_owned(),
        hound::Error::Unsupported => "its samples are not PCM".to_owned(),
        other => other.to_string().trim_end_matches('.').to_lowercase(),
    }
}
