//! Where each key of a TOML file stands, by key path.

use std::collections::HashMap;
use std::ops::Range;

use toml_edit::{Document, Item, TableLike, TomlError, Value};

/// Key path, such as `routes[2].psaps`, to line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    by_path: HashMap<String, usize>,
}

impl Lines {
    /// Walks the document. The error is the first mistake of syntax, with its line.
    pub(super) fn parse(text: &str) -> Result<Self, (Option<usize>, TomlError)> {
        let starts: Vec<usize> = text.match_indices('\n').map(|(offset, _)| offset).collect();
        let line_of = |offset: usize| 1 + starts.partition_point(|end| *end < offset);
        let document = Document::parse(text)
            .map_err(|error| (error.span().map(|span| line_of(span.start)), error))?;
        let mut walk = Walk { lines: Self::default(), line_of };
        walk.table("", document.as_table());
        Ok(walk.lines)
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

struct Walk<F> {
    lines: Lines,
    line_of: F,
}

impl<F: Fn(usize) -> usize> Walk<F> {
    fn note(&mut self, path: &str, span: Option<Range<usize>>) {
        if let Some(span) = span {
            self.lines.by_path.insert(path.to_owned(), (self.line_of)(span.start));
        }
    }

    fn table(&mut self, path: &str, table: &dyn TableLike) {
        for (name, item) in table.iter() {
            let path = join(path, name);
            let key = table.key(name).and_then(toml_edit::Key::span);
            self.note(&path, key);
            self.item(&path, item);
        }
    }

    fn item(&mut self, path: &str, item: &Item) {
        match item {
            Item::Table(table) => {
                // The key of `[a.b]` may first stand in an earlier `[a.b.c]`; its header is better.
                self.note(path, table.span().filter(|_| !table.is_implicit()));
                self.table(path, table);
            }
            Item::ArrayOfTables(tables) => {
                for (index, table) in tables.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.note(&path, table.span());
                    self.table(&path, table);
                }
            }
            Item::Value(value) => self.value(path, value),
            Item::None => {}
        }
    }

    fn value(&mut self, path: &str, value: &Value) {
        match value {
            Value::InlineTable(table) => self.table(path, table),
            Value::Array(array) => {
                for (index, element) in array.iter().enumerate() {
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
        let lines = Lines::parse(text).expect("valid TOML");
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

    #[test]
    fn a_mistake_of_syntax_has_a_line() {
        let (line, _) = Lines::parse("a = 1\nb = = 2\n").expect_err("two equals signs");
        assert_eq!(line, Some(2));
    }
}
