//! A story of messages that were seen between boxes, not at them.

use std::collections::HashMap;

use crate::capture::WireMessage;
use crate::columns::{End, Way, columns};
use crate::glance::Glance;
use crate::join::finish;
use crate::story::{Arrow, Fate, Line, Story, What};
use crate::told::{NamedAddress, Told};

/// The ladder of these messages, which belong to one call.
#[must_use]
pub fn story_of_wire(messages: &[WireMessage], names: &[NamedAddress]) -> Story {
    let way = |message: &'_ WireMessage| (End::Peer(message.from), End::Peer(message.to));
    let ways: Vec<Way<'_>> = messages
        .iter()
        .map(|message| {
            let (from, to) = way(message);
            Way { at_us: message.at_us, from, to, bytes: &message.bytes }
        })
        .collect();
    let (columns, of): (_, HashMap<End, usize>) = columns(&[], names, &ways);
    let start_us = messages.iter().map(|message| message.at_us).min().unwrap_or_default();
    let mut story = Story { start_us, columns, ..Story::default() };
    for message in messages {
        let (from, to) = way(message);
        let (Some(&from), Some(&to)) = (of.get(&from), of.get(&to)) else { continue };
        let glance = Glance::of(&message.bytes);
        if story.attempt.is_empty() {
            story.attempt = glance.as_ref().map_or_else(String::new, |it| it.call_id().to_owned());
        }
        let at_us = message.at_us.saturating_sub(start_us).cast_signed();
        let arrow = Arrow {
            number: 0,
            from,
            to,
            label: glance.as_ref().map_or_else(|| "?".to_owned(), Glance::label),
            has_sdp: glance.as_ref().is_some_and(Glance::has_sdp),
            transport: message.transport,
            sent_us: Some(at_us),
            received_us: None,
            fate: Fate::OnWire,
            repeat: None,
            bytes: message.bytes.clone(),
        };
        story.lines.push(Line { at_us, what: What::Message(arrow) });
    }
    finish(&mut story, &Told::default());
    story
}
