//! What a PSAP can play, and what it has recorded.

use std::sync::Arc;

use media::{Clip, Clips, Recording};

/// Everything that a PSAP plays.
#[derive(Debug)]
pub(crate) struct Sounds {
    pub(crate) ring_back: Arc<Clip>,
    pub(crate) clips: Clips,
}

impl Default for Sounds {
    fn default() -> Self {
        Self { ring_back: Arc::new(Clip::ring_back()), clips: Clips::new() }
    }
}

/// Both sides of a call that is over.
#[derive(Debug)]
pub struct Recorded {
    pub psap: String,
    /// Attempt id, as in the call records.
    pub attempt: String,
    pub recording: Recording,
}
