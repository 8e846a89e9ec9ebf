//! Where each key of a TOML file stands, by key path.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::suggestion::nearest;

/// Key path, such as `routes[2].psaps`, to line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    by_path: HashMap<String, usize>,
    /// The same of the elements of each list that holds no table and no list: there may be thousands of them.
    elements: HashMap<String, Vec<usize>>,
    /// Key path of each list of tables, and what its elements are called.
    lists: HashMap<String, Vec<Option<String>>>,
}

/// Keys that name an element of a list of tables: the first one that an element has is its name.
const NAMES: [&str; 3] = ["name", "number", "metric"];

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
        self.line_of(path).is_some()
    }

    /// The line of what stands at `path` itself.
    fn line_of(&self, path: &str) -> Option<usize> {
        let element = || {
            let (list, place) = path.strip_suffix(']')?.rsplit_once('[')?;
            self.elements.get(list)?.get(place.parse::<usize>().ok()?).copied()
        };
        self.by_path.get(path).copied().or_else(element)
    }

    /// The path of `key` with numbers in place of names: `phases.steady.duration` is `phases[1].duration` where the second
    /// phase is called so.
    ///
    /// # Errors
    /// A sentence about a name that no element has, or several.
    pub(super) fn numbered(&self, key: &str) -> Result<String, String> {
        let mut path = String::new();
        for part in key.split('.') {
            let Some(names) = self.lists.get(&path) else {
                path = if path.is_empty() { part.to_owned() } else { format!("{path}.{part}") };
                continue;
            };
            // What follows the name may have a number of its own.
            let (name, rest) = part.find('[').map_or((part, ""), |at| part.split_at(at));
            let is_meant = |(_, one): &(usize, &Option<String>)| one.as_deref() == Some(name);
            let mut meant = names.iter().enumerate().filter(is_meant);
            path = match (meant.next(), meant.next()) {
                (Some((index, _)), None) => format!("{path}[{index}]{rest}"),
                (Some(_), Some(_)) => {
                    return Err(format!(
                        "several elements of {path} are called {name:?}; say which by its number: {path}[0] is the first"
                    ));
                }
                _ => return Err(nobody(&path, name, names)),
            };
        }
        Ok(path)
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
            if let Some(line) = self.line_of(path) {
                return Some(line);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }
}

/// No element of the list at `path` is called `name`.
fn nobody(path: &str, name: &str, names: &[Option<String>]) -> String {
    let known: Vec<&str> = names.iter().flatten().map(String::as_str).collect();
    match (nearest(name, known.iter().copied()), &known[..]) {
        (Some(near), _) => {
            format!("no element of {path} is called {name:?}; did you mean {near:?}?")
        }
        (None, []) => format!(
            "elements of {path} have no names; say which by its number: {path}[0] is the first"
        ),
        (None, known) => {
            format!("no element of {path} is called {name:?}; they are called {}", known.join(", "))
        }
    }
}

/// The path of `key` within the table at `path`. A key with unusual characters is quoted.
pub(super) fn join(path: &str, key: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let key = match !key.is_empty() && key.bytes().all(bare) {
        true => Cow::Borrowed(key),
        false => Cow::Owned(format!("{key:?}")),
    };
    match path {
        "" => key.into_owned(),
        path => [path, &key].join("."),
    }
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
    fn note(&mut self, path: String, span: Range<usize>) {
        self.lines.by_path.insert(path, (self.line_of)(span.start));
    }

    fn table(&mut self, path: &str, table: &DeTable<'_>) {
        self.lines.by_path.reserve(table.len());
        for (name, value) in table.iter() {
            let path = join(path, name.get_ref());
            self.value(&path, value);
            // The key of `[a.b]` may first stand in an earlier `[a.b.c]`; its header is better.
            let is_table = value.get_ref().is_table();
            self.note(path, if is_table { value.span() } else { name.span() });
        }
    }

    /// Notes what the elements of a list of tables are called.
    fn list(&mut self, path: &str, elements: &[Spanned<DeValue<'_>>]) {
        let tables: Option<Vec<_>> = elements.iter().map(|it| it.get_ref().as_table()).collect();
        let Some(tables) = tables.filter(|tables| !tables.is_empty()) else { return };
        let name = |table: &&DeTable<'_>| {
            let value = NAMES.iter().find_map(|key| table.get(*key)?.get_ref().as_str());
            value.map(str::to_owned)
        };
        self.lines.lists.insert(path.to_owned(), tables.iter().map(name).collect());
    }

    fn value(&mut self, path: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(path, table),
            DeValue::Array(elements) => {
                self.list(path, elements);
                if !elements.iter().any(|it| it.get_ref().is_table() || it.get_ref().is_array()) {
                    let lines = elements.iter().map(|it| (self.line_of)(it.span().start)).collect();
                    self.lines.elements.insert(path.to_owned(), lines);
                    return;
                }
                for (index, element) in elements.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.value(&path, element);
                    self.note(path, element.span());
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
            ("b.c.d[0]", 4),
            ("b.c.d[1]", 5),
            ("b.c.d[2]", 3),
            ("e[0].f.g", 8),
            ("e[1]", 9),
            ("e[1].missing", 9),
        ] {
            assert_eq!(lines.nearest(path), Some(line), "{path}");
        }
        assert_eq!(lines.nearest("z"), None);
        assert!(lines.contains("b.c.d[1]") && !lines.contains("b.c.d[2]"));
    }

    #[test]
    fn elements_of_lists_are_found_by_their_names() {
        let text = "[[phases]]\nname = \"low\"\n[[phases]]\nname = \"high\"\n[[mix]]\nnumber = \"15\"\n\
                    [[mix]]\nnumber = \"15\"\n[[routes]]\na = 1\n[[deep]]\nname = \"x\"\n\
                    [[deep.inner]]\nname = \"y\"\n";
        let lines = Lines::of(text, DeTable::parse(text).expect("valid TOML").get_ref());
        for (key, path) in [
            ("phases.high.arrivals.rate", "phases[1].arrivals.rate"),
            ("phases[0].duration", "phases[0].duration"),
            ("sites.alpha.max_calls", "sites.alpha.max_calls"),
            ("deep.x.inner.y.z", "deep[0].inner[0].z"),
            ("seed", "seed"),
        ] {
            assert_eq!(lines.numbered(key).as_deref(), Ok(path));
        }
        for (key, sentence) in [
            ("phases.hih.duration", "did you mean \"high\"?"),
            ("phases.noon.duration", "they are called low, high"),
            ("mix.15.weight", "several elements of mix are called \"15\""),
            ("routes.alpha.psaps", "elements of routes have no names"),
        ] {
            let refusal = lines.numbered(key).expect_err(key);
            assert!(refusal.contains(sentence), "{refusal}");
        }
    }
}
