//! `tocsin show RUN CALL --ladder`: the messages of one call, and what is asked about them.

use std::path::Path;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use ladder::render::{difference, html, json, markdown, mermaid, message, svg, text};
use ladder::{Arrow, Story};
use run_folder::call_story;

use crate::ladder_screen::ColorArgs;

/// What is asked about the messages of a call.
#[derive(Debug, Args)]
pub(super) struct LadderArgs {
    /// The messages of the call between all its boxes, and what happened in between
    #[arg(long, requires = "call")]
    ladder: bool,
    /// The form of the ladder
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "ladder")]
    format: Format,
    /// The ladder without what RTCP said meanwhile
    #[arg(long, requires = "ladder")]
    no_rtcp: bool,
    #[command(flatten)]
    color: ColorArgs,
    /// One message of the call, by its number in the ladder, as on the wire
    #[arg(long, value_name = "NUMBER", requires = "call", conflicts_with_all = ["ladder", "diff"])]
    message: Option<u32>,
    /// What differs between two messages of the call, such as a box's two legs
    #[arg(long, value_names = ["NUMBER", "NUMBER"], num_args = 2, requires = "call", conflicts_with = "ladder")]
    diff: Option<Vec<u32>>,
}

/// The form of a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Mermaid,
    Svg,
    Html,
    Json,
}

/// What is told of a call, and whether colours stand in it that are ours.
pub(super) struct Told {
    pub(super) text: String,
    pub(super) is_painted: bool,
}

impl LadderArgs {
    /// Whether anything is asked about messages.
    pub(super) const fn is_asked(&self) -> bool {
        self.ladder || self.message.is_some() || self.diff.is_some()
    }

    /// The answer.
    pub(super) fn tell(&self, folder: &Path, call: &str) -> anyhow::Result<Told> {
        let story = call_story(folder, call)?;
        let plain = |text| Told { text, is_painted: false };
        if let Some(number) = self.message {
            return Ok(plain(message(&story, find(&story, number)?)));
        }
        if let Some([first, second]) = self.diff.as_deref() {
            return Ok(plain(difference(&story, find(&story, *first)?, find(&story, *second)?)));
        }
        let story = if self.no_rtcp { story.without_reports() } else { story };
        Ok(match self.format {
            Format::Text => {
                let screen = self.color.screen();
                Told { text: text(&story, screen), is_painted: screen.has_colours }
            }
            Format::Markdown => plain(markdown(&story)),
            Format::Mermaid => plain(mermaid(&story)),
            Format::Svg => plain(svg(&story)),
            Format::Html => plain(html(&story)),
            Format::Json => plain(json(&story)),
        })
    }
}

fn find(story: &Story, number: u32) -> anyhow::Result<&Arrow> {
    let last = story.messages().count();
    if last == 0 {
        bail!("of this call only notes were kept, and no message");
    }
    story.message(number).with_context(|| {
        format!("the call has no message {number}: they have the numbers 1 to {last}, as --ladder shows them")
    })
}
