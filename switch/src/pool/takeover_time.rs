//! How long the calls of a call server that has fallen may still be taken over.

use std::time::Duration;

use topology::Pool;

/// How long the two sides of a call may take to answer, once the other member has found its partner down.
const ANSWERS: Duration = Duration::from_secs(5);

/// How long after the fall of a member its calls may still be taken over; `None` if nobody does that. The other member
/// probes on its own, so it may find out a round later than a trunk group does.
pub(crate) fn takeover_time(pool: &Pool) -> Option<Duration> {
    pool.replicate_calls.then(|| pool.probe_interval + pool.probe_timeout + ANSWERS)
}
