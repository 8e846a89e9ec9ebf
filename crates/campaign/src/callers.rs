//! How callers behave once they have dialled.

use std::time::Duration;

use topology::Distribution;
use topology::reader::{Raw, Table, kind};

use super::redial::Redial;

/// People, by their times.
#[derive(Debug, Clone, PartialEq)]
pub struct Callers {
    /// From answer to BYE, where it is the caller who hangs up.
    pub talk: Distribution,
    /// From INVITE to CANCEL: how long a caller waits for an answer before giving up.
    /// `None`: as long as the network lets it ring.
    pub patience: Option<Distribution>,
    /// Share of the calls that the caller hangs up after `talk`; the PSAP ends the others.
    ///
    /// A PSAP whose own talk time is over first hangs up in either case.
    pub caller_hangs_up: f64,
    /// Share of the calls with media; the others offer an inactive stream.
    pub media: f64,
    /// What callers say.
    pub audio: CallerAudio,
    /// DTMF digits that each caller dials after the answer (RFC 4733). May be empty.
    pub digits: String,
    /// What people do after a call that failed. `None`: nobody calls twice.
    pub redial: Option<Redial>,
}

/// What callers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallerAudio {
    /// The melody of the call, by which the PSAP knows whose voice it is.
    Tones,
    /// A clip of the network, again and again.
    Clip(String),
}

impl Callers {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let talk = Distribution::LogNormal { median: Duration::from_secs(90), sigma: 0.6 };
        let exponential = Distribution::Exponential { mean: Duration::from_secs(49) };
        Self {
            talk: table.or("talk", kind::distribution, talk),
            patience: table.or("patience", patience, Some(exponential)),
            caller_hangs_up: table.or("caller_hangs_up", kind::share, 0.5),
            media: table.or("media", kind::share, 1.0),
            audio: table.or("audio", audio, CallerAudio::Tones),
            digits: table.or("digits", digits, String::new()),
            redial: table.has("redial").then(|| table.section("redial", Redial::read)),
        }
    }
}

fn audio(raw: Raw<'_>) -> Result<CallerAudio, String> {
    let refuse = || format!("must be \"tones\" or \"clip NAME\", got {raw}");
    let text = kind::text(raw).map_err(|_| refuse())?;
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        ["tones"] => Ok(CallerAudio::Tones),
        ["clip", name] => Ok(CallerAudio::Clip(name.to_owned())),
        _ => Err(refuse()),
    }
}

/// Digits of a telephone, at most 64: what one decoder keeps.
fn digits(raw: Raw<'_>) -> Result<String, String> {
    let text = kind::text(raw)?;
    let known = |digit| media::dtmf::event_of(digit).is_some();
    match text.len() <= 64 && text.chars().all(known) {
        true => Ok(text.to_ascii_uppercase()),
        false => Err(format!("must be at most 64 of the digits 0-9 * # A B C D, got {raw}")),
    }
}

fn patience(raw: Raw<'_>) -> Result<Option<Distribution>, String> {
    match kind::text(raw).as_deref() {
        Ok("endless") => Ok(None),
        _ => kind::distribution(raw)
            .map(Some)
            .map_err(|refusal| format!("{refusal}; \"endless\" waits for the network")),
    }
}
