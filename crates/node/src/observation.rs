//! What is seen of the messages of boxes, from outside.

use trace::Hub;

use crate::hep::HepCollector;

/// Who looks on at the messages of the boxes.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// Keeps the messages of calls.
    pub hub: Option<Hub>,
    /// Gets a copy of each message.
    pub hep: Option<HepCollector>,
}
