//! Unix time as text.

/// RFC 3339 in UTC with milliseconds: `2021-06-02T14:45:00.000Z`.
#[must_use]
pub fn rfc3339(unix_us: u64) -> String {
    let (seconds, millis) = (unix_us / 1_000_000, unix_us / 1_000 % 1_000);
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Gregorian date of a day counted from 1970-01-01.
///
/// Years are taken to begin on 1 March, so that the leap day is the last of its year; 400 of them
/// have 146,097 days.
const fn civil(unix_day: u64) -> (u64, u64, u64) {
    let day = unix_day + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March on have 31, 30, 31, 30, 31 days and again: 153 days in five months.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = 400 * era + year;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

/// Microseconds since 1970 of an instant that RFC 3339 §5.6 can write: `2021-06-02T16:40:00.250+02:00`. A blank may stand
/// for the `T`, as in many logs. `None`: it is no such text, or an instant before 1970.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<u64> {
    let (date, time) = text.split_at_checked(10)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_length = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let time = time.strip_prefix(['T', 't', ' '])?;
    let zone = time.rfind(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at(zone);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let [hours, minutes] = numbers(&zone[1..], ':', [2, 2])?;
            let minutes = i64::try_from(hours * 60 + minutes).ok().filter(|_| minutes < 60)?;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    // A leap second, 23:59:60, is the first one of the next day.
    if !(1..=month_length).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let is_number = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    let micros = format!("{fraction:0<6}").get(..6).filter(|_| is_number)?.parse::<u64>().ok()?;
    let seconds = unix_day(year, month, day)? * 86_400 + hour * 3_600 + minute * 60 + second;
    let seconds = seconds.checked_add_signed(-offset * 60)?;
    Some(seconds * 1_000_000 + micros)
}

/// Numbers of these many digits with `between` them, and nothing else.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[u64; N]> {
    let mut parts = text.split(between);
    let mut read = [0; N];
    for (number, digits) in read.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits)?;
        *number = part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(read)
}

/// Days from 1970-01-01 to a Gregorian date: [`civil`] backwards. `None` before 1970.
fn unix_day(year: u64, month: u64, day: u64) -> Option<u64> {
    let (year, month) =
        if month < 3 { (year.checked_sub(1)?, month + 9) } else { (year, month - 3) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    (365 * year + year / 4 - year / 100 + year / 400 + day_of_year).checked_sub(719_468)
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
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
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
