//! The terms of a session timer (RFC 4028): what a peer asks for, what is agreed, and when that falls due.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Of a peer that cannot be refused, no time shorter than this is kept, in seconds: it would have us refresh all the time.
const SHORTEST: u32 = 20;

/// RFC 4028 §10: the end comes so long before the session is over, but no more than a third of it.
const EARLIER: Duration = Duration::from_secs(32);

/// What a request of the peer asks for; it is agreed by our 2xx.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) seconds: u32,
    pub(super) we_refresh: bool,
    /// The peer knows what the option tag means.
    pub(super) is_supported: bool,
    pub(super) takes_update: bool,
}

/// The timer of a session, as both sides have agreed on it.
#[derive(Debug)]
pub(super) struct SessionTimer {
    pub(super) agreed: SavedTimer,
    /// When we refresh, if it is for us to do.
    pub(super) refresh_at: Option<Instant>,
    pub(super) ends_at: Instant,
    /// The description that we sent last: what a refresh by re-INVITE repeats.
    pub(super) description: Bytes,
}

/// The same on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedTimer {
    pub(super) seconds: u32,
    pub(super) we_refresh: bool,
    /// The peer takes UPDATE, as far as it has said.
    pub(super) takes_update: bool,
}

impl SavedTimer {
    pub(super) fn begin(self, now: Instant, description: Bytes) -> SessionTimer {
        let agreed = Self { seconds: self.seconds.max(SHORTEST), ..self };
        let whole = Duration::from_secs(agreed.seconds.into());
        SessionTimer {
            refresh_at: agreed.we_refresh.then(|| now + whole / 2),
            ends_at: now + whole - EARLIER.min(whole / 3),
            agreed,
            description,
        }
    }

    /// Session-Expires in a request of ours (RFC 4028 §7.4) or in our answer to one of the peer's (§9).
    pub(super) fn line(self, of_request: bool) -> String {
        let refresher = if self.we_refresh == of_request { "uac" } else { "uas" };
        format!("Session-Expires: {};refresher={refresher}\r\n", self.seconds)
    }
}

impl SessionTimer {
    pub(super) fn due(&self) -> Instant {
        self.refresh_at.map_or(self.ends_at, |at| at.min(self.ends_at))
    }
}
