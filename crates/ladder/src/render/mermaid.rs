//! For documents that draw Mermaid's sequence diagrams.

use std::fmt::Write as _;

use crate::render::phrases::{label, plain, remark, seconds, title};
use crate::story::{Fate, Story, What};

/// The ladder as `sequenceDiagram`.
#[must_use]
pub fn mermaid(story: &Story) -> String {
    let mut text = format!("---\ntitle: \"{}\"\n---\nsequenceDiagram\n", escaped(&title(story)));
    for (place, column) in story.columns.iter().enumerate() {
        let _ = writeln!(text, "    participant p{place} as {}", escaped(&column.name));
    }
    let last = story.columns.len().saturating_sub(1);
    for line in &story.lines {
        let at = seconds(line.at_us);
        let _ = match &line.what {
            What::Message(arrow) => {
                let way = match arrow.fate {
                    Fate::Lost => "-x",
                    // An open tip.
                    Fate::SentOnly => "-)",
                    Fate::Arrived | Fate::Doubled | Fate::ReceivedOnly | Fate::OnWire => "->>",
                };
                let remark = remark(story, arrow);
                let remark =
                    remark.map_or_else(String::new, |it| format!("<br/>{}", escaped(&it.0)));
                writeln!(
                    text,
                    "    p{}{way}p{}: {} {at} s {}{remark}",
                    arrow.from,
                    arrow.to,
                    arrow.number,
                    escaped(&label(arrow))
                )
            }
            What::Note { column, text: note } => {
                writeln!(text, "    Note over p{column}: {at} s {}", escaped(note))
            }
            What::Event { column, kind, text: event } => {
                let over = column.map_or_else(|| format!("p0,p{last}"), |it| format!("p{it}"));
                writeln!(text, "    Note over {over}: {at} s {}: {}", escaped(kind), escaped(event))
            }
            What::Media { from, to, text: heard, .. }
            | What::Report { from, to, text: heard, .. } => {
                writeln!(text, "    p{from}-->>p{to}: {at} s {}", escaped(heard))
            }
        };
    }
    for gap in story.cause.lines().chain(story.gaps.iter().map(String::as_str)) {
        let _ = writeln!(text, "    Note over p0,p{last}: {}", escaped(gap));
    }
    text
}

/// A text of somebody else: Mermaid takes a semicolon for the end of a line and writes characters as `#59;`.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '#' | ';' | '<' | '>' | '"' | '&' | '%' | '\\' | '{' | '}' | '`' => {
                let _ = write!(shown, "#{};", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown
}
