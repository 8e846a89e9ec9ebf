//! Where each key of a TOML file stands, by key path.

use std::collections::HashMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Key path, such as `routes[2].psaps`, to line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    by_path: HashMap<String, usize>,
}

impl Lines {
    /// Walks `table`, which was read from `text`.
    pub(super) fn of(text: &str, table: &DeTable<'_>) -> Self {
        let lines = Ends::of(text);
        let mut walk = Walk { lines: Self::default(), line_of: |offset| lines.line_of(offset) };
        walk.table("", table);
        walk.lines
    }

    /// Whether the file itself holds `path`.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.by_path.contains_key(path)
    }

    /// A top-level key that must be quoted, if any, with its line.
    pub(super) fn quoted_root(&self) -> Option<(usize, &str)> {
        let quoted = self.by_path.iter().filter(|(path, _)| path.starts_with('"'));
        quoted.map(|(path, line)| (*line, path.as_str())).min()
    }

    /// The line of `path`, or of the nearest table around it.
    pub(super) fn nearest(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.by_path.get(path) {
                return Some(*line);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }
}

/// The path of `key` within the table at `path`. A key with unusual characters is quoted.
pub(super) fn join(path: &str, key: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let key = match !key.is_empty() && key.bytes().all(bare) {
        true => key.to_owned(),
        false => format!("{key:?}"),
    };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// Where the lines of a text end.
pub(super) struct Ends(Vec<usize>);

impl Ends {
    pub(super) fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(offset, _)| offset).collect())
    }

    /// Counted from 1.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|end| *end < offset)
    }
}

struct Walk<F> {
    lines: Lines,
    line_of: F,
}

impl<F: Fn(usize) -> usize> Walk<F> {
    fn note(&mut self, path: &str, span: Range<usize>) {
        self.lines.by_path.insert(path.to_owned(), (self.line_of)(span.start));
    }

    fn table(&mut self, path: &str, table: &DeTable<'_>) {
        for (name, value) in table.iter() {
            let path = join(path, name.get_ref());
            self.note(&path, name.span());
            // The key of `[a.b]` may first stand in an earlier `[a.b.c]`; its header is better.
            if value.get_ref().is_table() {
                self.note(&path, value.span());
            }
            self.value(&path, value);
        }
    }

    fn value(&mut self, path: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(path, table),
            DeValue::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.note(&path, element.span());
                    self.value(&path, element);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_headers_and_elements_have_lines() {
        let text = "a = 1\n[b.c]\nd = [\n  5,\n  6 ]\n\n[[e]]\nf = { g = 2 }\n[[e]]\n";
        let lines = Lines::of(text, DeTable::parse(text).expect("valid TOML").get_ref());
        for (path, line) in [
            ("a", 1),
            ("b.c", 2),
            ("b.c.d[1]", 5),
            ("e[0].f.g", 8),
            ("e[1]", 9),
            ("e[1].missing", 9),
        ] {
            assert_eq!(lines.nearest(path), Some(line), "{path}");
        }
        assert_eq!(lines.nearest("z"), None);
    }
}
