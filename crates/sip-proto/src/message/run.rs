//! Lines that go from one message into another.

use std::ops::Range;

use super::append::push;
use super::header_lines::Field;
use super::{Message, Name};

/// Lines that cross unchanged and stand one after the other, so that they are copied at once.
#[derive(Default)]
pub(super) struct Run {
    start: usize,
    end: usize,
}

impl Run {
    /// Adds a line; what is not next to the lines before it begins anew.
    pub(super) fn add(&mut self, out: &mut Vec<u8>, message: &Message, line: Range<usize>) {
        // Between them stands CR LF, as it is to be written.
        if self.end == 0 || line.start != self.end + 2 {
            self.end(out, message);
            self.start = line.start;
        }
        self.end = line.end;
    }

    /// Adds a line with its name as this stack spells it, and one space before its value.
    pub(super) fn add_spelled(&mut self, out: &mut Vec<u8>, message: &Message, field: &Field) {
        if is_spelled(message, field) {
            self.add(out, message, field.line.range());
        } else {
            self.end(out, message);
            push(out, &[field.name.as_str(), ": ", message.text(field.value), "\r\n"]);
        }
    }

    /// Adds and writes such a line, but for its end.
    pub(super) fn add_open(&mut self, out: &mut Vec<u8>, message: &Message, field: &Field) {
        if is_spelled(message, field) {
            self.add(out, message, field.line.range());
            self.end_open(out, message);
        } else {
            self.end(out, message);
            push(out, &[field.name.as_str(), ": ", message.text(field.value)]);
        }
    }

    /// Writes the lines.
    pub(super) fn end(&mut self, out: &mut Vec<u8>, message: &Message) {
        if self.end > 0 {
            self.end_open(out, message);
            push(out, &["\r\n"]);
        }
    }

    /// Writes the lines, but for the end of the last one.
    fn end_open(&mut self, out: &mut Vec<u8>, message: &Message) {
        out.extend_from_slice(
            message.head.as_bytes().get(self.start..self.end).unwrap_or_default(),
        );
        *self = Self::default();
    }
}

/// True if a line is written as this stack writes it.
fn is_spelled(message: &Message, field: &Field) -> bool {
    let (line, value) = (field.line.range(), field.value.range());
    let name = message.head.as_bytes().get(line.start..value.start).unwrap_or_default();
    let spelled: &[u8] = match field.name {
        Name::Via => b"Via: ",
        Name::RecordRoute => b"Record-Route: ",
        Name::From => b"From: ",
        Name::To => b"To: ",
        Name::CallId => b"Call-ID: ",
        Name::CSeq => b"CSeq: ",
        _ => return false,
    };
    name == spelled && line.end == value.end
}
