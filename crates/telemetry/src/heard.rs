//! What one end of a call heard, as small as it can be: a long campaign has two million streams.

use std::fmt;

use media::{SoundVerdict, StreamReport};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::small_numbers::{read_number, read_octet, write_all};

/// What the ledger keeps of a [`StreamReport`]; its fields mean the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Heard {
    #[serde(default)]
    pub verdict: Option<SoundVerdict>,
    /// The mean opinion score in hundredths, as boxes round it.
    #[serde(default, deserialize_with = "hundredths", rename = "mos")]
    pub mos_hundredths: Option<u16>,
    #[serde(deserialize_with = "small")]
    pub received: u32,
    #[serde(deserialize_with = "small")]
    pub expected: u32,
    #[serde(deserialize_with = "small")]
    pub lost: u32,
    #[serde(deserialize_with = "small")]
    pub discarded: u32,
    #[serde(deserialize_with = "small")]
    pub mean_jitter_us: u32,
    #[serde(default, deserialize_with = "small_if_any")]
    pub round_trip_us: Option<u32>,
    #[serde(default, deserialize_with = "small_if_any")]
    pub stopped_us: Option<u32>,
}

impl Heard {
    /// The mean opinion score, 1 to 4.5.
    #[must_use]
    pub fn mos(&self) -> Option<f64> {
        self.mos_hundredths.map(|mos| f64::from(mos) / 100.0)
    }
}

/// In the order of their numbers, without the first.
const VERDICTS: [Option<SoundVerdict>; 6] = [
    None,
    Some(SoundVerdict::Heard),
    Some(SoundVerdict::Silent),
    Some(SoundVerdict::Garbled),
    Some(SoundVerdict::WrongParty),
    Some(SoundVerdict::Unjudged),
];

impl Heard {
    /// Packs it: some 14 octets of a usual stream.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        let verdict = self.verdict.map_or(0, |verdict| verdict as u8 + 1);
        let options = [self.mos_hundredths.map(u32::from), self.round_trip_us, self.stopped_us];
        let has = options.iter().fold(0, |bits, one| bits << 1 | u8::from(one.is_some()));
        bytes.push(verdict << 3 | has);
        let counts = [self.received, self.expected, self.lost, self.discarded, self.mean_jitter_us];
        let numbers = counts.into_iter().chain(options.into_iter().flatten());
        write_all(bytes, numbers.map(u64::from));
    }

    pub(crate) fn read(bytes: &mut &[u8]) -> Option<Self> {
        let head = read_octet(bytes)?;
        let mut number = || read_number(bytes).and_then(|number| u32::try_from(number).ok());
        let mut heard = Self {
            verdict: *VERDICTS.get(usize::from(head >> 3))?,
            received: number()?,
            expected: number()?,
            lost: number()?,
            discarded: number()?,
            mean_jitter_us: number()?,
            ..Self::default()
        };
        if head & 4 != 0 {
            heard.mos_hundredths = Some(u16::try_from(number()?).ok()?);
        }
        if head & 2 != 0 {
            heard.round_trip_us = Some(number()?);
        }
        if head & 1 != 0 {
            heard.stopped_us = Some(number()?);
        }
        Some(heard)
    }
}

impl From<&StreamReport> for Heard {
    fn from(report: &StreamReport) -> Self {
        Self {
            verdict: report.verdict,
            mos_hundredths: report.mos.map(in_hundredths),
            received: saturated(report.received),
            expected: saturated(report.expected),
            lost: saturated(report.lost),
            discarded: saturated(report.discarded),
            mean_jitter_us: saturated(report.mean_jitter_us),
            round_trip_us: report.round_trip_us.map(saturated),
            stopped_us: report.stopped_us.map(saturated),
        }
    }
}

pub(crate) fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

pub(crate) fn in_hundredths(mos: f64) -> u16 {
    (mos * 100.0).round() as u16
}

fn small<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    u64::deserialize(deserializer).map(saturated)
}

fn small_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    Option::<u64>::deserialize(deserializer).map(|number| number.map(saturated))
}

fn hundredths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    Option::<f64>::deserialize(deserializer).map(|mos| mos.map(in_hundredths))
}

/// The first of a list of streams.
pub(crate) fn first<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Heard>, D::Error> {
    struct First;
    impl<'de> Visitor<'de> for First {
        type Value = Option<Heard>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of streams")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let first = list.next_element()?;
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(first)
        }
    }
    deserializer.deserialize_seq(First)
}
