//! What whoever serves the sites is told of each command, so that it stands in what is told of them.

use std::time::Duration;

use operations::{Action, OrderResult};

/// A command to one call server: as it goes out, when it is accepted, and once it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandNote {
    /// The same for all notes of a command, and for no other command of this process.
    pub id: u64,
    /// Who gives it.
    pub by: String,
    /// The call server: the site's name for its only one, else `site.blade`.
    pub name: String,
    pub action: Action,
    /// How long ago that was, as far as whoever tells it has heard of it later.
    pub age: Duration,
    /// `None`: it goes out now. Accepted: another note tells how it ends.
    pub result: Option<OrderResult>,
}
