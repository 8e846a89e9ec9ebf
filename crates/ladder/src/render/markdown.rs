//! For a ticket: headings, a table, and what the standard says.

use std::fmt::Write as _;

use crate::render::phrases::{begun, label, plain, remark, seconds, title};
use crate::story::{Story, What};

/// The ladder as Markdown (CommonMark, with tables as GitHub and GitLab have them).
#[must_use]
pub fn markdown(story: &Story) -> String {
    let mut text = format!("## {}\n\nfrom {}\n\n", escaped(&title(story)), begun(story));
    for line in story.cause.lines() {
        let _ = writeln!(text, "**{}**  ", escaped(line));
    }
    text += "\n| # | s | from | to | |\n|--:|--:|---|---|---|\n";
    for line in &story.lines {
        let at = seconds(line.at_us);
        let name = |column: usize| escaped(story.name(column));
        let _ = match &line.what {
            What::Message(arrow) => {
                let remark = remark(story, arrow);
                let remark =
                    remark.map_or_else(String::new, |it| format!(": *{}*", escaped(&it.0)));
                let (number, from, to) = (arrow.number, name(arrow.from), name(arrow.to));
                let what = escaped(&label(arrow));
                writeln!(text, "| {number} | {at} | {from} | {to} | **{what}**{remark} |")
            }
            What::Note { column, text: note } => {
                writeln!(text, "| | {at} | {} | | {} |", name(*column), escaped(note))
            }
            What::Event { column, kind, text: event } => {
                let at_box = column.map_or_else(String::new, name);
                writeln!(text, "| | {at} | {at_box} | | *{}*: {} |", escaped(kind), escaped(event))
            }
            What::Media { from, to, text: heard, .. }
            | What::Report { from, to, text: heard, .. } => {
                writeln!(text, "| | {at} | {} | {} | {} |", name(*from), name(*to), escaped(heard))
            }
        };
    }
    if !story.findings.is_empty() {
        text += "\nWhat the standard says of it:\n\n";
    }
    for found in &story.findings {
        let numbers: Vec<String> = found.messages.iter().map(u32::to_string).collect();
        let _ = writeln!(
            text,
            "- {}: {}. Expected: {} ({}).",
            numbers.join(", "),
            escaped(&found.seen),
            escaped(&found.expected),
            found.rule
        );
    }
    for gap in &story.gaps {
        let _ = writeln!(text, "\n> {}", escaped(gap));
    }
    text
}

/// A text of somebody else: no markup of its own, no link, no HTML.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let plain = plain(text);
    let mut rest = plain.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' => {
                shown.extend(['\\', c])
            }
            // What looks like an address becomes no link, and what looks like a name notifies nobody.
            ':' if rest.peek() != Some(&'/') => shown.push(':'),
            ':' | '@' => {
                let _ = write!(shown, "&#{};", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown
}
