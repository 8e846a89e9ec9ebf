//! What is ordered of a box.

use operations::{Action, ImpairmentOrder};
use serde::{Deserialize, Serialize};

use crate::open_calls::CallsWanted;
use crate::surge_order::SurgeOrder;

/// An order to a box. Each kind of box takes its own, and refuses those of others; what concerns its sockets they all
/// take, and they all show their calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoxOrder {
    /// To a call server: what an operator does to it.
    Operate(Action),
    /// To a PSAP: so many positions are staffed.
    SetPositions(u32),
    /// To a generator: its campaign begins at this Unix time, in microseconds.
    BeginAtUs(u64),
    /// To a generator: the public is advised to redial.
    Advise,
    /// To a generator: the public learns the ten-digit numbers of the PSAPs.
    PublishTenDigits,
    /// To a generator: so many calls for a thousand that its campaign has, from now on.
    Pace(u32),
    /// To a generator: more calls from some communes for a while.
    Surge(SurgeOrder),
    /// To a generator: whatever surges go on end.
    EndSurges,
    /// To the sockets of any box: what they send and receive suffers, or does not any more.
    Impair(ImpairmentOrder),
    /// To any box through which calls go: it shows these of its calls in progress. Nothing changes.
    ShowCalls(CallsWanted),
}

impl From<Action> for BoxOrder {
    fn from(action: Action) -> Self {
        Self::Operate(action)
    }
}
