//! What a box changed between two messages, field by field.

use std::fmt::Write as _;

use similar::{ChangeTag, TextDiff};

use crate::glance::{Glance, StartLine};
use crate::render::message::wire_text;
use crate::render::phrases::{label, plain};
use crate::story::{Arrow, Story};

/// Longer bodies are only said to differ: comparing takes the square of their lines.
const MOST_LINES: usize = 2_000;

/// `-` is only in the first, `+` only in the second, `~` in both and different. What is the same is only counted.
#[must_use]
pub fn difference(story: &Story, first: &Arrow, second: &Arrow) -> String {
    let head = |arrow: &Arrow| {
        let (from, to) = (plain(story.name(arrow.from)), plain(story.name(arrow.to)));
        format!("{}: {} from {from} to {to}", arrow.number, label(arrow))
    };
    let mut text = format!("--- {}\n+++ {}\n", head(first), head(second));
    let (Some(old), Some(new)) = (Glance::of(&first.bytes), Glance::of(&second.bytes)) else {
        text += if first.bytes == second.bytes {
            "the same bytes\n"
        } else {
            "one of them is no SIP message\n"
        };
        return text;
    };
    let (old_start, new_start) = (start(&old), start(&new));
    let mut same = 0_usize;
    if old_start == new_start {
        same += 1;
    } else {
        let _ = writeln!(text, "~ {}\n  → {}", plain(&old_start), plain(&new_start));
    }
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in old.fields.iter().chain(&new.fields) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name);
        }
    }
    for name in names {
        let (old, new) = (values(&old, name), values(&new, name));
        // What a box puts in front of others, as Via and Record-Route, leaves these as they were.
        let kept =
            old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
        same += kept;
        let (old, new) = (&old[..old.len() - kept], &new[..new.len() - kept]);
        match (old, new) {
            ([old], [new]) => {
                let _ = writeln!(text, "~ {}: {}\n  → {}", plain(name), plain(old), plain(new));
            }
            _ => {
                for value in old {
                    let _ = writeln!(text, "- {}: {}", plain(name), plain(value));
                }
                for value in new {
                    let _ = writeln!(text, "+ {}: {}", plain(name), plain(value));
                }
            }
        }
    }
    text += &bodies(&old.body, &new.body);
    let lines = if same == 1 { "line is" } else { "lines are" };
    let _ = writeln!(text, "{same} {lines} the same");
    text
}

fn start(glance: &Glance) -> String {
    match &glance.start {
        StartLine::Request { method, uri } => format!("{method} {uri} SIP/2.0"),
        StartLine::Response { status, reason } => format!("SIP/2.0 {status} {reason}"),
    }
}

fn values<'a>(glance: &'a Glance, name: &str) -> Vec<&'a str> {
    let own = glance.fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    own.map(|(_, value)| &value[..]).collect()
}

fn bodies(old: &[u8], new: &[u8]) -> String {
    if old == new {
        let same = if old.is_empty() { "" } else { "the same body\n" };
        return same.to_owned();
    }
    let (old, new) = (wire_text(old), wire_text(new));
    if old.lines().count().max(new.lines().count()) > MOST_LINES {
        return format!("the bodies differ: {} and {} characters\n", old.len(), new.len());
    }
    let mut text = "body:\n".to_owned();
    for change in TextDiff::from_lines(&old, &new).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Equal => ' ',
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        let line = change.value().trim_end_matches('\n');
        if !(line.is_empty() && sign != ' ') {
            let _ = writeln!(text, "{sign} {line}");
        }
    }
    text
}
