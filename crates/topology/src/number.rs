//! Numbers that may be dialled, and the communes they are dialled from.
//!
//! A file may hold the French emergency numbers, service URNs (RFC 5031) and ten-digit numbers of
//! the blocks that Arcep keeps for fiction. No other number is accepted, so no configuration can
//! name a real subscriber.

/// The emergency numbers of the French numbering plan.
pub(crate) const EMERGENCY: [&str; 10] =
    ["15", "17", "18", "112", "114", "115", "119", "191", "196", "116000"];

/// The first six digits of the numbers kept for works of fiction.
const FICTITIOUS_BLOCKS: [&str; 6] = ["019900", "026191", "035301", "046571", "053649", "063998"];

/// The emergency service URN (RFC 5031 §4.2); sub-services follow after a dot.
pub(crate) const SOS: &str = "urn:service:sos";

/// Whether `number` is ten digits in a block kept for fiction.
#[must_use]
pub fn is_fictitious(number: &str) -> bool {
    is_ten_digits(number) && FICTITIOUS_BLOCKS.iter().any(|block| number.starts_with(block))
}

/// Whether a caller may dial `number`: emergency number, `urn:service:sos…` or fictitious number.
#[must_use]
pub fn is_dialled_number(number: &str) -> bool {
    is_emergency(number) || is_fictitious(number)
}

/// Whether `number` asks for help: an emergency number, or `urn:service:sos…` (RFC 5031).
#[must_use]
pub fn is_emergency(number: &str) -> bool {
    EMERGENCY.contains(&number) || is_sos(number)
}

/// Whether `code` is a whole INSEE commune code: `59350`, in Corsica `2A004`.
#[must_use]
pub fn is_commune(code: &str) -> bool {
    code.len() == 5 && is_commune_prefix(code)
}

/// Whether some commune code begins with `prefix`, of two to five characters.
#[must_use]
pub fn is_commune_prefix(prefix: &str) -> bool {
    let bytes = prefix.as_bytes();
    let [first, second, rest @ ..] = bytes else {
        return false;
    };
    // Corsica has been 2A and 2B since 1976; 20 is not in use. 96 and 99 are no department.
    let department = match (first, second) {
        (b'2', b'A' | b'B') => true,
        (b'0', b'0') | (b'2', b'0') | (b'9', b'6' | b'9') => false,
        _ => first.is_ascii_digit() && second.is_ascii_digit(),
    };
    department && rest.len() <= 3 && rest.iter().all(u8::is_ascii_digit)
}

/// What is wrong with a number that [`is_dialled_number`] refuses.
pub(crate) fn refusal(number: &str) -> String {
    if is_ten_digits(number) {
        let blocks = FICTITIOUS_BLOCKS.map(spaced).join(", ");
        format!("{number:?} may belong to somebody; use a number of a fiction block: {blocks}")
    } else {
        format!(
            "{number:?} is no number that can be routed; use {}, \"{SOS}…\" or a ten-digit number",
            EMERGENCY.join(", ")
        )
    }
}

/// `019900` as people write it: `01 99 00`.
fn spaced(block: &str) -> String {
    format!("{} {} {}", &block[..2], &block[2..4], &block[4..])
}

fn is_ten_digits(number: &str) -> bool {
    number.len() == 10 && number.bytes().all(|b| b.is_ascii_digit())
}

fn is_sos(number: &str) -> bool {
    let Some(rest) = number.strip_prefix(SOS) else {
        return false;
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    rest.is_empty() || rest.strip_prefix('.').is_some_and(|labels| labels.split('.').all(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_emergency_fictitious_and_sos_numbers_may_be_dialled() {
        for number in ["15", "112", "116000", "0199001234", "urn:service:sos", SOS] {
            assert!(is_dialled_number(number), "{number}");
        }
        assert!(is_dialled_number("urn:service:sos.ambulance"));
        assert!(is_emergency("urn:service:sos.ambulance") && is_emergency("15"));
        assert!(!is_emergency("0199001234"));
        for number in ["0112", "1", "", "0612345678", "urn:service:sos.", "urn:service:sosx"] {
            assert!(!is_dialled_number(number), "{number}");
        }
    }

    #[test]
    fn commune_codes_know_corsica_and_overseas() {
        for prefix in ["59", "59350", "2A004", "2B", "971", "97411"] {
            assert!(is_commune_prefix(prefix), "{prefix}");
        }
        for prefix in ["", "5", "593500", "2C", "20", "00", "99", "5A", "2Axx", "é9"] {
            assert!(!is_commune_prefix(prefix), "{prefix}");
        }
        assert!(is_commune("59350") && !is_commune("59"));
    }
}
