//! What a generator is told while it runs.

use std::time::Instant;

use contract::{BoxOrder, SurgeOrder};

/// What the management plane may ask of a generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Begin the campaign; `at` is its start. All shards get the same one.
    Start { at: Instant },
    /// The public is advised to redial until somebody answers.
    Advise,
    /// The public learns the ten-digit numbers of the PSAPs.
    PublishTenDigits,
    /// Place so many calls for a thousand that the campaign has, from now on.
    Pace(u32),
    /// People in some communes call more often for a while.
    Surge(SurgeOrder),
    /// They do not any more.
    EndSurges,
}

impl Command {
    /// What an order tells the public or the callers, if it does.
    #[must_use]
    pub fn announcement(order: &BoxOrder) -> Option<Self> {
        match order {
            BoxOrder::Advise => Some(Self::Advise),
            BoxOrder::PublishTenDigits => Some(Self::PublishTenDigits),
            BoxOrder::Pace(per_mille) => Some(Self::Pace(*per_mille)),
            BoxOrder::Surge(surge) => Some(Self::Surge(surge.clone())),
            BoxOrder::EndSurges => Some(Self::EndSurges),
            _ => None,
        }
    }
}
