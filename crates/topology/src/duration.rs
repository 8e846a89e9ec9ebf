//! Durations as text: `500ms`, `2s`, `1.5m`, `2h`.

use std::time::Duration;

/// The longest duration that a file may hold: a year. Sums of a few stay far from overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

const UNITS: [(&str, f64); 4] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// Text that is not a number with a unit of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a duration such as \"500ms\", \"2s\", \"10m\" or \"2h\", got {0:?}")]
pub struct ParseDurationError(String);

/// Reads a number with its unit: `ms`, `s`, `m` (minutes) or `h`. A bare `0` needs no unit.
pub fn parse_duration(text: &str) -> Result<Duration, ParseDurationError> {
    let refuse = || ParseDurationError(text.to_owned());
    let trimmed = text.trim();
    if trimmed == "0" {
        return Ok(Duration::ZERO);
    }
    let split = trimmed.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(refuse)?;
    let (number, unit) = trimmed.split_at(split);
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(refuse)?;
    // `f64` reads "+1", "-1" and "1e9" too; a duration is plain digits.
    let number = number.trim_end();
    if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(refuse());
    }
    let number: f64 = number.parse().map_err(|_| refuse())?;
    Duration::try_from_secs_f64(number * seconds)
        .ok()
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(refuse)
}

/// Writes a duration as [`parse_duration`] reads it, in the largest unit that leaves it whole.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0 => "0s".to_owned(),
        _ if millis.is_multiple_of(3_600_000) => format!("{}h", millis / 3_600_000),
        _ if millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        _ if millis.is_multiple_of(1_000) => format!("{}s", millis / 1_000),
        _ if millis > 1_000 => format!("{}s", millis as f64 / 1_000.0),
        _ => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        let read = |text| parse_duration(text).map(|d| d.as_millis());
        assert_eq!(read("500ms"), Ok(500));
        assert_eq!(read("2s"), Ok(2_000));
        assert_eq!(read("1.5m"), Ok(90_000));
        assert_eq!(read("2h"), Ok(7_200_000));
        assert_eq!(read("0"), Ok(0));
    }

    #[test]
    fn a_duration_without_unit_or_sense_is_refused() {
        for text in ["5", "", "s", "-1s", "+1s", "1e3s", "1.2.3s", "2 days", "inf s", "9000000h"] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_written_can_be_read_back() {
        for millis in [0, 1, 999, 1_500, 2_000, 60_000, 61_500, 7_200_000] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
    }
}
