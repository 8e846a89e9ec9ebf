//! How a call failed, as the person who placed it knows.

use crate::record::Entry;
use crate::terms::{Outcome, Party};

/// The classes of Q.850 from "resource unavailable" (34) on. In a BYE they say that no person hung up.
const CAUSES_OF_NETWORK: std::ops::RangeInclusive<u16> = 32..=127;

/// Why a caller did not speak to anybody, or not to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreached {
    /// A final refusal: busy, 503 or any other.
    Refused,
    /// Nothing was heard until the caller, or the network, gave up.
    Silence,
    /// It rang until the caller gave up.
    NoAnswer,
    /// The network lost an answered call.
    Cut,
}

impl Unreached {
    /// What `record`, which a generator wrote, was for the caller. `None`: they spoke to somebody.
    #[must_use]
    pub fn of(record: &Entry<'_>) -> Option<Self> {
        match record.outcome {
            Outcome::Answered => {
                let cause = record.cause.unwrap_or_default();
                let cut = record.ended_by == Some(Party::Callee);
                (cut && CAUSES_OF_NETWORK.contains(&cause)).then_some(Self::Cut)
            }
            Outcome::Lost => Some(Self::Cut),
            Outcome::Rejected => Some(Self::Refused),
            Outcome::Abandoned | Outcome::TimedOut if record.ring_us.is_some() => {
                Some(Self::NoAnswer)
            }
            Outcome::Abandoned | Outcome::TimedOut => Some(Self::Silence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::CallRecord;
    use crate::terms::BoxKind;

    #[test]
    fn why_nobody_was_reached_is_what_the_caller_noticed() {
        use Outcome::{Abandoned, Answered, Lost, Rejected, TimedOut};
        let by = |outcome, rang: bool, ended_by, cause| {
            let record = CallRecord {
                outcome,
                ring_us: rang.then_some(1),
                ended_by: Some(ended_by),
                cause: Some(cause),
                ..CallRecord::open(BoxKind::Generator, "load-1", String::new(), 0)
            };
            Unreached::of(&Entry::from(&record))
        };
        let (caller, callee, network) = (Party::Caller, Party::Callee, Party::Network);
        assert_eq!(by(Answered, true, caller, 16), None);
        assert_eq!(by(Answered, true, callee, 16), None);
        // Q.850 cause 38, network out of order: a call server that is drained hangs up with it.
        assert_eq!(by(Answered, true, callee, 38), Some(Unreached::Cut));
        assert_eq!(by(Lost, true, network, 16), Some(Unreached::Cut));
        assert_eq!(by(Rejected, true, callee, 17), Some(Unreached::Refused));
        assert_eq!(by(Abandoned, true, caller, 16), Some(Unreached::NoAnswer));
        assert_eq!(by(Abandoned, false, caller, 16), Some(Unreached::Silence));
        assert_eq!(by(TimedOut, false, network, 0), Some(Unreached::Silence));
    }
}
