//! A surge by hand, as it is asked for: where, how much, and how long; and what is wrong with it.

use std::fmt;
use std::time::Duration;

use contract::SurgeSize;
use topology::reader::nearest;
use topology::{format_duration, is_commune_prefix, parse_duration};

/// The most that a surge multiplies the calls from its communes by.
const MOST_TIMES: f64 = 100.0;

/// The most calls per second that a surge adds.
const MOST_PER_SECOND: f64 = 10_000.0;

/// A surge lasts a tenth of a second at least, and a day at most.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// Names that are told where there are many.
const TOLD: usize = 12;

/// More calls from some communes for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surge {
    /// As they were named: communes and departments.
    pub named: Vec<String>,
    /// Whole INSEE codes from which people call in this campaign.
    pub communes: Vec<String>,
    pub more: SurgeSize,
    pub lasts: Duration,
}

impl Surge {
    /// Checks what is asked against `known`, the communes from which people call.
    ///
    /// # Errors
    /// A sentence about what is wrong.
    pub(super) fn check(
        named: Vec<String>,
        size: (Option<f64>, Option<f64>),
        lasts: Option<String>,
        known: &[String],
    ) -> Result<Self, String> {
        let more = match size {
            (Some(factor), None) if (1.0..=MOST_TIMES).contains(&factor) && factor > 1.0 => {
                SurgeSize::PerMille(((factor - 1.0) * 1_000.0).round() as u32)
            }
            (None, Some(rate)) if (0.001..=MOST_PER_SECOND).contains(&rate) => {
                SurgeSize::PerThousandSeconds((rate * 1_000.0).round() as u32)
            }
            _ => {
                return Err(format!(
                    "surge needs a factor above 1 and up to {MOST_TIMES} times as many calls from there, or a rate of up to \
                     {MOST_PER_SECOND} more calls a second, and one of them only"
                ));
            }
        };
        let Some(lasts) = lasts else {
            return Err("surge needs for: how long it goes on, such as \"60s\"".to_owned());
        };
        let lasts = parse_duration(&lasts).map_err(|error| format!("for: {error}"))?;
        if !(SHORTEST..=LONGEST).contains(&lasts) {
            return Err("for must be from 100ms to 1d".to_owned());
        }
        if named.is_empty() {
            return Err(format!(
                "surge needs communes: where the callers are; {}",
                there_are(known)
            ));
        }
        let mut communes: Vec<String> = Vec::new();
        for name in &named {
            communes.extend(
                meant(name, known)?
                    .filter(|one| !communes.contains(one))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
        Ok(Self { named, communes, more, lasts })
    }
}

/// The communes that a whole code or the code of a department means.
fn meant<'a>(
    name: &'a str,
    known: &'a [String],
) -> Result<impl Iterator<Item = &'a String>, String> {
    let is_meant = move |code: &&String| match name.len() {
        2 | 3 => code.starts_with(name),
        _ => *code == name,
    };
    if is_commune_prefix(name) && known.iter().any(|code| is_meant(&code)) {
        return Ok(known.iter().filter(is_meant));
    }
    let what = match is_commune_prefix(name) && [2, 3, 5].contains(&name.len()) {
        true => format!("nobody in this campaign calls from {name}"),
        false => format!(
            "communes: {name:?} is no INSEE code of a commune, such as \"59350\", or of a department, such as \"59\""
        ),
    };
    Err(format!("{what}; {}", near(name, known).unwrap_or_else(|| there_are(known))))
}

/// The communes that somebody may have meant: of the same department, or with nearly the same code.
fn near(name: &str, known: &[String]) -> Option<String> {
    let department: String = name.chars().take(2).collect();
    let mut near: Vec<&str> = Vec::new();
    near.extend(nearest(name, known.iter().map(String::as_str)));
    let beside = known.iter().map(String::as_str).filter(|code| code.starts_with(&department));
    for code in beside {
        if !near.contains(&code) && department.chars().count() == 2 {
            near.push(code);
        }
    }
    near.truncate(TOLD);
    (!near.is_empty()).then(|| format!("near it are {}", near.join(", ")))
}

fn there_are(known: &[String]) -> String {
    if known.is_empty() {
        return "the callers of this campaign are in no commune: give its mix some".to_owned();
    }
    let told: Vec<&str> = known.iter().take(TOLD).map(String::as_str).collect();
    let more = known.len() - told.len();
    let and = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("people call from {}{and}", told.join(", "))
}

impl fmt::Display for Surge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, lasts) = (self.named.join(", "), format_duration(self.lasts));
        match self.more {
            SurgeSize::PerMille(more) => {
                let factor = 1.0 + f64::from(more) / 1_000.0;
                write!(f, "surge: {factor} times as many calls from {from} for {lasts}")
            }
            SurgeSize::PerThousandSeconds(rate) => {
                let rate = f64::from(rate) / 1_000.0;
                write!(f, "surge: {rate} more calls a second from {from} for {lasts}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(named: &[&str], factor: Option<f64>, rate: Option<f64>) -> Result<Surge, String> {
        let known = ["59350", "59009", "62041", "2A004", "97411"].map(str::to_owned);
        let named = named.iter().map(ToString::to_string).collect();
        Surge::check(named, (factor, rate), Some("60s".to_owned()), &known)
    }

    #[test]
    fn a_commune_or_a_department_is_meant() {
        let of = |named: &[&str]| check(named, Some(3.0), None).expect("a surge").communes;
        assert_eq!(of(&["59350"]), ["59350"]);
        assert_eq!(of(&["59"]), ["59350", "59009"]);
        assert_eq!(of(&["59", "59350", "974"]), ["59350", "59009", "97411"]);
        let told = check(&["2A"], None, Some(2.5)).expect("a surge").to_string();
        assert_eq!(told, "surge: 2.5 more calls a second from 2A for 1m");
        let told = check(&["2A004"], Some(3.0), None).expect("a surge").to_string();
        assert_eq!(told, "surge: 3 times as many calls from 2A004 for 1m");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_was_meant() {
        for (named, factor, rate, sentence) in [
            (
                &["59351"][..],
                Some(2.0),
                None,
                "nobody in this campaign calls from 59351; near it are 59350, 59009",
            ),
            (
                &["75"],
                Some(2.0),
                None,
                "nobody in this campaign calls from 75; people call from 59350,",
            ),
            (&["Lille"], Some(2.0), None, "\"Lille\" is no INSEE code of a commune"),
            (&["é"], Some(2.0), None, "is no INSEE code"),
            (&["5935"], Some(2.0), None, "\"5935\" is no INSEE code of a commune"),
            (&[], Some(2.0), None, "surge needs communes"),
            (&["59350"], None, None, "one of them only"),
            (&["59350"], Some(2.0), Some(2.0), "one of them only"),
            (&["59350"], Some(1.0), None, "a factor above 1"),
            (&["59350"], Some(f64::NAN), None, "a factor above 1"),
            (&["59350"], None, Some(-1.0), "a rate of up to"),
            (&["59350"], None, Some(f64::INFINITY), "a rate of up to"),
        ] {
            let error = check(named, factor, rate).expect_err("refused");
            assert!(error.contains(sentence), "{named:?}: {error}");
        }
        let known = ["59350".to_owned()];
        let of = |lasts: Option<&str>, known: &[String]| {
            let lasts = lasts.map(str::to_owned);
            Surge::check(known.to_vec(), (Some(2.0), None), lasts, known).expect_err("refused")
        };
        assert!(of(None, &known).contains("needs for"));
        assert!(of(Some("1"), &known).contains("for: "));
        assert!(of(Some("1ms"), &known).contains("from 100ms"));
        assert!(of(Some("1s"), &[]).contains("give its mix some"));
    }
}
