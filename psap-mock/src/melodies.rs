//! Which melody each side of a call should hear.

use media::{Melody, Singer};
use sip_proto::message::Request;

use crate::attempt::Attempt;

/// The melodies of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Melodies {
    /// What we sing.
    pub(crate) ours: Melody,
    /// What the caller must sing, if the caller's id crossed the network with the call.
    pub(crate) theirs: Option<Melody>,
}

impl Melodies {
    pub(crate) fn of(attempt: &Attempt, invite: &Request) -> Self {
        let ours = Melody::of(attempt.key(), Singer::Psap);
        let theirs = invite.session_id().map(|_| Melody::of(attempt.key(), Singer::Caller));
        Self { ours, theirs }
    }
}
