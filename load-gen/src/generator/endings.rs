//! How the user agent says that a call is over, as an attempt takes it.

use sip_proto::reason::Reason;
use sip_proto::user_agent::{self, Failure};

use crate::attempt::End;

/// Whether a 503 says when to come back, or that there is congestion.
pub(super) fn gives_advice(failure: &Failure) -> bool {
    let Failure::Response(response) = failure else { return false };
    let congested = || Reason::of(response).is_some_and(|it| matches!(it.q850_cause(), 34 | 42));
    response.status() == 503 && (response.retry_after().is_some() || congested())
}

pub(super) fn end_of_failure(failure: &Failure) -> End {
    match failure {
        Failure::Response(response) => End::Refused {
            status: response.status(),
            cause: Reason::of(response).map(|reason| reason.q850_cause()),
        },
        Failure::Timeout => End::NoResponse,
        Failure::Unreachable => End::Unreachable,
    }
}

pub(super) fn end_of_dialog(end: &user_agent::End) -> End {
    match end {
        user_agent::End::Bye(bye) => {
            End::CalleeHungUp { cause: Reason::of(bye).map(|reason| reason.q850_cause()) }
        }
        user_agent::End::HungUp { confirmed } => End::HungUp { confirmed: *confirmed },
        user_agent::End::PeerGone { status } => End::PeerGone { status: *status },
        // Only a callee waits for an ACK, and this side takes part in no session timers.
        user_agent::End::NoAck | user_agent::End::Unrefreshed => End::HungUp { confirmed: false },
    }
}

/// Why the caller ends the call.
pub(super) const fn why_it_ends(talking: bool, draining: bool) -> &'static str {
    match (talking, draining) {
        (_, true) => "the campaign is over: ends the call",
        (true, false) => "has talked enough, and hangs up",
        (false, false) => "runs out of patience, and gives up",
    }
}
