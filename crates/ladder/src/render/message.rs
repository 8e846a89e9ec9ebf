//! One message, as on the wire.

use std::fmt::Write as _;

use crate::render::phrases::{label, plain, remark, seconds};
use crate::story::{Arrow, Column, Story};

/// The message with its way, its instants and what became of it in front. What a terminal must not see is written out.
#[must_use]
pub fn message(story: &Story, arrow: &Arrow) -> String {
    let end = |column: usize| {
        let named = |it: &Column| match it.name == it.address.to_string() {
            true => it.name.clone(),
            false => format!("{} ({})", plain(&it.name), it.address),
        };
        story.columns.get(column).map_or_else(|| "?".to_owned(), named)
    };
    let mut text = format!("message {}: {}\n", arrow.number, label(arrow));
    let _ = writeln!(
        text,
        "from {} to {} over {}, {} bytes",
        end(arrow.from),
        end(arrow.to),
        arrow.transport.token(),
        arrow.bytes.len()
    );
    let instant = |at: Option<i64>, name: &str| {
        at.map_or_else(
            || format!("not seen where it was {name}"),
            |at| format!("{name} at {} s", seconds(at)),
        )
    };
    let _ = writeln!(
        text,
        "{}, {}",
        instant(arrow.sent_us, "sent"),
        instant(arrow.received_us, "received")
    );
    if let Some((remark, _)) = remark(story, arrow) {
        let _ = writeln!(text, "{remark}");
    }
    format!("{text}\n{}", wire_text(&arrow.bytes))
}

/// A message as lines of text: ends of lines are the terminal's, all else that is hidden is written out, and so is what is no
/// UTF-8.
pub(crate) fn wire_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text += &chunk.valid().replace("\r\n", "\n");
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    let mut text = telemetry::visible(&text).into_owned();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
