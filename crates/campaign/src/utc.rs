//! Unix time as text.

use jiff::Timestamp;

/// RFC 3339 in UTC with milliseconds: `2021-06-02T14:45:00.000Z`.
#[must_use]
pub fn rfc3339(unix_us: u64) -> String {
    let micros = i64::try_from(unix_us).unwrap_or(i64::MAX);
    format!("{:.3}", Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX))
}

/// Microseconds since 1970 of an instant that RFC 3339 §5.6 can write: `2021-06-02T16:40:00.250+02:00`. A blank may stand
/// for the `T`, as in many logs. `None`: it is no such text, or an instant before 1970.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<u64> {
    let (moment, rest) = text.split_at_checked("2021-06-02T16:40:00".len())?;
    let (fraction, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-'])?);
    let form = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0").to_uppercase();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let has_form = matches!(&*form(moment), "0000-00-00T00:00:00" | "0000-00-00 00:00:00")
        && (fraction.is_empty() || fraction.strip_prefix('.').is_some_and(is_number))
        && matches!(&*form(zone), "Z" | "+00:00" | "-00:00");
    // What is finer than a microsecond is cut off.
    let fraction = fraction.get(..7).unwrap_or(fraction);
    let text = format!("{moment}{fraction}{zone}");
    let instant: Timestamp = has_form.then(|| text.parse().ok())??;
    // A leap second, 23:59:60, is the first one of the next day.
    let leap = if moment.ends_with(":60") { 1_000_000 } else { 0 };
    Some(u64::try_from(instant.as_microsecond()).ok()? + leap)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_can_be_read_back(unix_ms in 0..4_200_000_000_000_u64) {
            let unix_us = unix_ms * 1_000;
            prop_assert_eq!(parse_rfc3339(&rfc3339(unix_us)), Some(unix_us));
        }

        #[test]
        fn any_text_is_an_instant_or_none(text in "\\PC{0,40}", near in "[0-9TZ:.+é -]{0,30}") {
            let _ = (parse_rfc3339(&text), parse_rfc3339(&near));
        }
    }

    #[test]
    fn instants_have_zones_and_fractions() {
        let at = 1_622_645_100_000_000;
        for (text, micros) in [
            ("2021-06-02T14:45:00Z", at),
            ("2021-06-02t16:45:00+02:00", at),
            ("2021-06-02 09:15:00-05:30", at),
            ("2021-06-02T14:45:00.2509999z", at + 250_999),
            ("2021-06-02T14:45:00-00:00", at),
            ("2021-06-02T14:45:00.25099999999999z", at + 250_999),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
            ("2016-12-31T23:59:60.5Z", 1_483_228_800_500_000),
        ] {
            assert_eq!(parse_rfc3339(text), Some(micros), "{text}");
        }
        for text in [
            "2021-06-02",
            "2021-06-02T14:45:00",
            "2021-06-02T14:45Z",
            "2021-02-29T00:00:00Z",
            "2021-06-02T24:00:00Z",
            "2021-06-02T14:45:00.Z",
            "2021-06-02T14:45:00123Z",
            "2021-06-02T14:45:00+0200",
            "2021-06-02T14:45:00Z[UTC]",
            "1969-12-31T23:59:59Z",
            "12.5",
            "",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn known_instants() {
        for (unix_s, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_622_645_100, "2021-06-02T14:45:00.000Z"),
            (4_107_542_399, "2100-02-28T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(unix_s * 1_000_000), text);
        }
        assert_eq!(rfc3339(1_622_645_100_250_999), "2021-06-02T14:45:00.250Z");
    }
}
