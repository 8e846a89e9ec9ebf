//! Which ends of a call are failures.

use telemetry::Outcome;

/// Whether this end of a call counts as failed: neither answered nor given up by the caller.
pub(super) const fn is_failure(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Rejected | Outcome::TimedOut | Outcome::Lost)
}
