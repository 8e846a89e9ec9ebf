//! Texts from elsewhere, as a terminal may show them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with every control character but line feed and tab written out, as `\u001b`: a title, a file name or a Call-ID must
/// not move the cursor, colour the screen, or type into the shell (ECMA-48). Characters that turn the direction of writing
/// (UAX #9) and Unicode's own ends of lines are written out too. What is JSON stays JSON of the same meaning.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// The same for what must stay on one line.
#[must_use]
pub fn visible_line(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\t']) {
        return visible(&text.replace(['\n', '\t'], " ")).into_owned().into();
    }
    visible(text)
}

fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_written_out() {
        for plain in ["", "six sites\n\tà Lille — 5 %", "\u{1f4de}"] {
            assert!(matches!(visible(plain), Cow::Borrowed(same) if same == plain));
        }
        assert_eq!(
            visible("a\u{1b}]0;b\u{7}\r\u{9b}2J\u{7f}"),
            "a\\u001b]0;b\\u0007\\u000d\\u009b2J\\u007f"
        );
        assert_eq!(visible("a\u{202e}b\u{2028}"), "a\\u202eb\\u2028");
        assert_eq!(visible_line("a\nPASS\u{8}"), "a PASS\\u0008");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let json = serde_json::to_string("a\u{9b}\u{202e}b\u{1b}").expect("a text");
        let back: String = serde_json::from_str(&visible(&json)).expect("JSON");
        assert_eq!(back, "a\u{9b}\u{202e}b\u{1b}");
    }
}
