//! The words of a filter: names, values, signs, and what stands in quotation marks.

use super::error::FilterError;

#[derive(Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) is_quoted: bool,
}

impl Word {
    pub(super) fn is(&self, wanted: &str) -> bool {
        !self.is_quoted && self.text.eq_ignore_ascii_case(wanted)
    }

    pub(super) fn is_sign(&self) -> bool {
        const SIGNS: [&str; 8] = ["=", "==", "!=", "<", "<=", ">", ">=", "~"];
        !self.is_quoted && SIGNS.contains(&&self.text[..])
    }
}

/// Takes a text apart. Inside quotation marks these are doubled, as in SQL.
pub(super) fn words(text: &str) -> Result<Vec<Word>, FilterError> {
    let mut words = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let text = match c {
            ' ' | '\t' | '\n' => continue,
            '(' | ')' | '~' => c.to_string(),
            '=' | '!' | '<' | '>' => match rest.next_if(|next| *next == '=') {
                Some(_) => format!("{c}="),
                None => c.to_string(),
            },
            '"' | '\'' => {
                let mut text = String::new();
                loop {
                    match rest.next() {
                        None => return Err(FilterError::Open),
                        Some(end) if end == c => match rest.next_if(|next| *next == c) {
                            Some(mark) => text.push(mark),
                            None => break,
                        },
                        Some(inside) => text.push(inside),
                    }
                }
                words.push(Word { text, is_quoted: true });
                continue;
            }
            _ => {
                let mut text = c.to_string();
                while let Some(more) =
                    rest.next_if(|next| !next.is_whitespace() && !"()=!<>~\"'".contains(*next))
                {
                    text.push(more);
                }
                text
            }
        };
        words.push(Word { text, is_quoted: false });
    }
    Ok(words)
}
