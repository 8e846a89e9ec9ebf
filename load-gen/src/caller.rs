//! A person who calls, with the call that they place now.

use std::time::Duration;

use telemetry::CallerClass;

/// A person and the one call that they place now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The number of their first call in the campaign: names the person.
    pub index: u64,
    /// Which call of theirs this is: 1, 2, 3 …
    pub nth: u32,
    /// What they want, as their first call tells.
    pub class: CallerClass,
    /// The caller's half of Session-ID (RFC 7989), which names this attempt in every box.
    pub attempt: u128,
    /// Last four digits of the caller's own number.
    pub subscriber: u16,
    /// What is dialled: `15`, `urn:service:sos.fire`.
    pub number: String,
    /// The short number that the ten digits in [`number`](Self::number) stand for, when the person has
    /// turned to these.
    pub instead_of: Option<String>,
    /// INSEE code of the commune where the caller is.
    pub commune: Option<String>,
    /// Position of the trunk group in the list that the [`Mix`](crate::Mix) was made with.
    pub trunk_group: usize,
    /// The one to go back to with a short number, while ten digits are dialled by another one.
    pub(crate) usual_trunk_group: Option<usize>,
    /// How long the caller waits for an answer: from the INVITE, or from the first ring if there is
    /// a [`silence_patience`](Self::silence_patience).
    pub patience: Duration,
    /// How long the caller bears to hear nothing.
    pub silence_patience: Option<Duration>,
    /// How long the caller talks before hanging up; `None` leaves that to the call taker.
    pub talk: Option<Duration>,
    /// Whether the call has media.
    pub speaks: bool,
    /// Position of the person's entry in the mix.
    pub(crate) entry: usize,
    /// Talk time and patience that were given, and that the person keeps when they call again.
    pub(crate) given_talk: Option<Duration>,
    pub(crate) given_patience: Option<Duration>,
}

/// How a call differs from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallChange {
    AsBefore,
    /// Through the trunk group at this place.
    OtherNetwork(usize),
    /// With this short number.
    OtherNumber(String),
    /// With these ten digits, for the short number that did not help.
    TenDigits(TenDigitCall),
}

/// Ten digits in the place of a short number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TenDigitCall {
    pub(crate) digits: String,
    /// The place of the trunk group by which they are dialled; `None`: the caller's own.
    pub(crate) trunk_group: Option<usize>,
}

impl Caller {
    /// Names the session description of this call: no two calls of a campaign share it (RFC 8866 §5.2).
    pub(crate) fn session_id(&self) -> u64 {
        (u64::from(self.nth - 1) << 40) + self.index
    }

    /// The short number whose answer this person wants, also while they dial ten digits for it.
    pub(crate) fn asks_for(&self) -> &str {
        self.instead_of.as_deref().unwrap_or(&self.number)
    }

    /// Takes another way for the next call.
    pub(crate) fn turn_to(&mut self, way: &CallChange) {
        match way {
            CallChange::AsBefore => {}
            CallChange::OtherNetwork(place) => {
                self.trunk_group = *place;
                self.usual_trunk_group = None;
            }
            CallChange::OtherNumber(number) => {
                self.number.clone_from(number);
                self.instead_of = None;
                self.trunk_group = self.usual_trunk_group.take().unwrap_or(self.trunk_group);
            }
            CallChange::TenDigits(TenDigitCall { digits, trunk_group }) => {
                let short = std::mem::replace(&mut self.number, digits.clone());
                self.instead_of.get_or_insert(short);
                if let Some(place) = *trunk_group {
                    self.usual_trunk_group.get_or_insert(self.trunk_group);
                    self.trunk_group = place;
                }
            }
        }
    }
}
