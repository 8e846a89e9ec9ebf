//! Kinds of value: each turns a [`Raw`] value into a type, or says what it must be.
//!
//! A refusal is the end of a sentence that begins with the key: `must be 1..=10000, got 0`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use config::ValueKind;

use super::suggestion::nearest;
use crate::address_range::AddressRange;
use crate::distribution::Distribution;
use crate::duration::parse_duration;

/// Stands for an address that was refused, so that reading can go on to the next mistake.
pub const NO_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// A value as written.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'d> {
    pub(super) kind: &'d ValueKind,
    /// Layers above the file hold text only, so there `5` is a number although it is a string.
    pub(super) from_layer: bool,
}

impl Raw<'_> {
    fn integer(&self) -> Option<i64> {
        match self.kind {
            ValueKind::I64(number) => Some(*number),
            ValueKind::String(text) if self.from_layer => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn float(&self) -> Option<f64> {
        match self.kind {
            ValueKind::Float(number) => Some(*number),
            ValueKind::I64(number) => Some(*number as f64),
            ValueKind::U64(number) => Some(*number as f64),
            ValueKind::String(text) if self.from_layer => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn string(&self) -> Option<&str> {
        match self.kind {
            ValueKind::String(text) => Some(text),
            _ => None,
        }
    }

    fn must_be(&self, what: impl fmt::Display) -> String {
        format!("must be {what}, got {self}")
    }
}

impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ValueKind::String(text) => write!(f, "{text:?}"),
            ValueKind::Table(_) => f.write_str("a table"),
            ValueKind::Array(_) => f.write_str("a list"),
            other => write!(f, "{other}"),
        }
    }
}

/// Any text that is not empty.
pub fn text(raw: Raw<'_>) -> Result<String, String> {
    match raw.string() {
        Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(raw.must_be("a text in quotes")),
    }
}

/// The name of a box or a section: lower-case letters, digits, hyphens.
pub fn name(raw: Raw<'_>) -> Result<String, String> {
    match raw.string() {
        Some(name) if is_name(name) => Ok(name.to_owned()),
        _ => Err(raw.must_be("a name of lower-case letters, digits and hyphens")),
    }
}

/// Whether `name` may be the name of a box or a section.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !name.is_empty() && name.len() <= 32 && name.bytes().all(allowed)
}

/// A whole number in `range`.
pub fn count(range: RangeInclusive<u32>) -> impl Fn(Raw<'_>) -> Result<u32, String> {
    move |raw| {
        let number = raw.integer().and_then(|number| u32::try_from(number).ok());
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| raw.must_be(format_args!("{range:?}")))
    }
}

/// A seed: any whole number from 0 to 2^64-1. In quotes too: TOML itself promises numbers only to 2^63-1.
pub fn seed(raw: Raw<'_>) -> Result<u64, String> {
    let number = match raw.kind {
        ValueKind::I64(number) => u64::try_from(*number).ok(),
        ValueKind::U64(number) => Some(*number),
        ValueKind::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| raw.must_be(format_args!("a whole number, 0..={}", u64::MAX)))
}

/// Yes or no.
pub fn flag(raw: Raw<'_>) -> Result<bool, String> {
    match raw.kind {
        ValueKind::Boolean(flag) => Some(*flag),
        ValueKind::String(text) if raw.from_layer => text.trim().parse().ok(),
        _ => None,
    }
    .ok_or_else(|| raw.must_be("true or false"))
}

/// A number in `range`.
pub fn number(range: RangeInclusive<f64>) -> impl Fn(Raw<'_>) -> Result<f64, String> {
    move |raw| {
        let number = raw.float().filter(|number| range.contains(number));
        number.ok_or_else(|| raw.must_be(format_args!("{}..={}", range.start(), range.end())))
    }
}

/// A share of a whole, 0 to 1.
pub fn share(raw: Raw<'_>) -> Result<f64, String> {
    number(0.0..=1.0)(raw).map_err(|_| raw.must_be("a share, 0..=1 (0.25 is a quarter)"))
}

/// A duration of `shortest` or more.
pub fn duration(shortest: Duration) -> impl Fn(Raw<'_>) -> Result<Duration, String> {
    move |raw| {
        let Some(text) = raw.string() else {
            return Err(raw.must_be("a duration in quotes, such as \"2s\""));
        };
        let duration = parse_duration(text).map_err(|error| error.to_string())?;
        if duration < shortest {
            let shortest = crate::duration::format_duration(shortest);
            return Err(raw.must_be(format_args!("at least {shortest}")));
        }
        Ok(duration)
    }
}

/// A [`Distribution`].
pub fn distribution(raw: Raw<'_>) -> Result<Distribution, String> {
    let text = raw.string().ok_or_else(|| raw.must_be("a distribution in quotes"))?;
    text.parse().map_err(|error| format!("{error}"))
}

/// An IP address and port that other boxes can send to. Port 0 lets the system choose.
pub fn address(raw: Raw<'_>) -> Result<SocketAddr, String> {
    let address = raw.string().and_then(|text| text.parse::<SocketAddr>().ok());
    let address = address.ok_or_else(|| {
        raw.must_be("an IP address and port, such as \"127.0.0.1:5060\" or \"[::1]:5060\"")
    })?;
    if address.ip().is_unspecified() || address.ip().is_multicast() {
        return Err(raw.must_be("the address of one host, that the other boxes can send to"));
    }
    Ok(address)
}

/// An IP address that media can be sent to.
pub fn ip(raw: Raw<'_>) -> Result<IpAddr, String> {
    let ip = raw.string().and_then(|text| text.parse::<IpAddr>().ok());
    ip.filter(|ip| !ip.is_unspecified() && !ip.is_multicast())
        .ok_or_else(|| raw.must_be("the IP address of one host, such as \"127.0.0.1\" or \"::1\""))
}

/// One host, or all whose addresses begin alike.
pub fn address_range(raw: Raw<'_>) -> Result<AddressRange, String> {
    raw.string().and_then(|text| text.parse().ok()).ok_or_else(|| {
        raw.must_be("an IP address or a prefix, such as \"192.0.2.7\" or \"10.0.0.0/8\"")
    })
}

/// One of the words in `choices`.
pub fn choice<T: Clone>(choices: &[(&str, T)]) -> impl Fn(Raw<'_>) -> Result<T, String> {
    move |raw| {
        let chosen = choices.iter().find(|(word, _)| raw.string() == Some(*word));
        chosen.map(|(_, value)| value.clone()).ok_or_else(|| {
            let words: Vec<String> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
            let refusal = raw.must_be(words.join(" or "));
            let known = choices.iter().map(|(word, _)| *word);
            match raw.string().and_then(|word| nearest(word, known)) {
                Some(meant) => format!("{refusal}; did you mean {meant:?}?"),
                None => refusal,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(kind: &ValueKind) -> Raw<'_> {
        Raw { kind, from_layer: false }
    }

    #[test]
    fn a_word_that_is_nearly_right_is_met_with_the_one_that_was_meant() {
        let refused = |word: &str| {
            let kind = ValueKind::String(word.to_owned());
            choice(&[("answered_share", 1), ("lost_share", 2)])(file(&kind)).expect_err(word)
        };
        let words = "must be \"answered_share\" or \"lost_share\", got ";
        let meant = "\"answerd_share\"; did you mean \"answered_share\"?";
        assert_eq!(refused("answerd_share"), format!("{words}{meant}"));
        assert_eq!(refused("mos"), format!("{words}\"mos\""));
    }

    #[test]
    fn a_number_in_quotes_is_a_number_only_in_a_layer() {
        let kind = ValueKind::String("5".to_owned());
        assert_eq!(count(1..=9)(Raw { kind: &kind, from_layer: true }), Ok(5));
        assert_eq!(count(1..=9)(file(&kind)), Err("must be 1..=9, got \"5\"".to_owned()));
    }

    #[test]
    fn a_seed_has_64_bits() {
        let text = |text: &str| ValueKind::String(text.to_owned());
        for kind in [ValueKind::U64(u64::MAX), text("18446744073709551615")] {
            for from_layer in [false, true] {
                assert_eq!(seed(Raw { kind: &kind, from_layer }), Ok(u64::MAX));
            }
        }
        assert_eq!(seed(file(&ValueKind::I64(7))), Ok(7));
        for bad in [ValueKind::I64(-1), text("18446744073709551616"), text("x"), text("")] {
            let refusal = seed(file(&bad)).expect_err("no seed");
            assert!(refusal.contains("0..=18446744073709551615, got "), "{refusal}");
        }
        assert!(count(1..=9)(file(&ValueKind::U64(u64::MAX))).is_err());
    }

    #[test]
    fn an_address_is_one_that_can_be_sent_to() {
        let read = |text: &str| address(file(&ValueKind::String(text.to_owned())));
        assert!(read("127.0.0.1:0").is_ok() && read("[::1]:5060").is_ok());
        for text in ["0.0.0.0:5060", "[::]:5060", "224.0.0.1:5060", "127.0.0.1", "localhost:5060"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_share_is_not_a_percentage() {
        let refusal = share(file(&ValueKind::I64(25))).expect_err("25 is no share");
        assert_eq!(refusal, "must be a share, 0..=1 (0.25 is a quarter), got 25");
    }
}
