//! The messages of a call, as the API shows them.

use ladder::{Arrow, Story, render};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Columns of characters of a ladder: a page lets it be moved to the side.
const LADDER_WIDTH: usize = 120;

/// The messages of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LadderView {
    /// As `tocsin show RUN CALL --ladder` draws it.
    pub text: String,
    pub messages: Vec<LadderMessage>,
}

/// One message, by its number in the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LadderMessage {
    pub number: u32,
    /// What it is, and between whom: `INVITE, mobile to alpha`.
    pub title: String,
    /// As on the wire.
    pub text: String,
}

impl LadderView {
    #[must_use]
    pub fn of(story: &Story) -> Self {
        let message = |arrow: &Arrow| LadderMessage {
            number: arrow.number,
            title: format!(
                "{}, {} to {}",
                arrow.label,
                story.name(arrow.from),
                story.name(arrow.to)
            ),
            text: render::message(story, arrow),
        };
        let screen = render::Screen { width: LADDER_WIDTH, has_colours: false };
        let messages = story.messages().map(message).collect();
        Self { text: render::text(story, screen), messages }
    }
}
