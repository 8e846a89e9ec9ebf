//! One table of a document, read key by key.

use std::cell::RefCell;
use std::collections::HashMap;

use config::{Value, ValueKind};

use super::document::Document;
use super::kind::{Raw, is_name};
use super::lines::join;
use super::suggestion;

/// A table that remembers which keys were asked for. A table that is absent reads as empty.
#[derive(Debug)]
pub struct Table<'d> {
    document: &'d Document,
    path: String,
    /// The path with every name and number taken out: `sites.*`, `phases[]`.
    shape: String,
    entries: Option<&'d HashMap<String, Value>>,
    known: RefCell<Vec<&'static str>>,
}

impl Document {
    /// Reads the top level with `read`, then reports its unknown keys.
    pub fn read<T>(&self, read: impl FnOnce(&Table<'_>) -> T) -> T {
        let root = Table::new(self, String::new(), String::new(), Some(&self.tree));
        let value = read(&root);
        root.report_unknown_keys();
        value
    }
}

impl<'d> Table<'d> {
    fn new(
        document: &'d Document,
        path: String,
        shape: String,
        entries: Option<&'d HashMap<String, Value>>,
    ) -> Self {
        Self { document, path, shape, entries, known: RefCell::default() }
    }

    /// The last part of this table's path: `mobile` of `trunk_groups.mobile`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    /// The document that this table is part of.
    #[must_use]
    pub fn document(&self) -> &'d Document {
        self.document
    }

    /// The key path of `key` in this table.
    #[must_use]
    pub fn path(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Whether `key` is present, with any value.
    #[must_use]
    pub fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// Reports a mistake at `key` of this table.
    pub fn report(&self, key: &str, message: impl Into<String>) {
        self.document.report(&self.path(key), message);
    }

    /// Reports a mistake of this table as a whole.
    pub fn report_here(&self, message: impl Into<String>) {
        self.document.report(&self.path, message);
    }

    /// The value at `key`; absent is a mistake. A mistake is reported and `placeholder` returned.
    pub fn required<T>(
        &self,
        key: &'static str,
        kind: impl Fn(Raw<'_>) -> Result<T, String>,
        placeholder: T,
    ) -> T {
        if !self.has(key) {
            self.document.report(&self.path, format!("needs the key {key:?}"));
            return placeholder;
        }
        self.or(key, kind, placeholder)
    }

    /// The value at `key`, or `default` when it is absent.
    pub fn or<T>(
        &self,
        key: &'static str,
        kind: impl Fn(Raw<'_>) -> Result<T, String>,
        default: T,
    ) -> T {
        self.optional(key, kind).unwrap_or(default)
    }

    /// The value at `key`, if present and right.
    pub fn optional<T>(
        &self,
        key: &'static str,
        kind: impl Fn(Raw<'_>) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.value(key)?;
        self.decode(|| self.path(key), &value.kind, &kind)
    }

    /// The right elements of the list at `key`; none when it is absent.
    ///
    /// In a layer, where every value is text, a list is written `a,b`.
    pub fn list<T>(
        &self,
        key: &'static str,
        kind: impl Fn(Raw<'_>) -> Result<T, String>,
    ) -> Vec<T> {
        let path = self.path(key);
        match self.value(key).map(|value| &value.kind) {
            None => Vec::new(),
            Some(ValueKind::Array(elements)) => elements
                .iter()
                .enumerate()
                .filter_map(|(i, element)| {
                    self.decode(|| format!("{path}[{i}]"), &element.kind, &kind)
                })
                .collect(),
            Some(ValueKind::String(text)) if self.document.is_layered(&path) => text
                .split(',')
                .map(|element| ValueKind::String(element.trim().to_owned()))
                .filter_map(|element| self.decode(|| path.clone(), &element, &kind))
                .collect(),
            Some(other) => {
                let raw = Raw { kind: other, from_layer: false };
                self.report(key, format!("must be a list, such as [\"a\", \"b\"], got {raw}"));
                Vec::new()
            }
        }
    }

    /// As [`list`](Self::list), but absent or empty is a mistake.
    pub fn required_list<T>(
        &self,
        key: &'static str,
        kind: impl Fn(Raw<'_>) -> Result<T, String>,
    ) -> Vec<T> {
        match self.value(key).map(|value| &value.kind) {
            None => self.document.report(&self.path, format!("needs the key {key:?}")),
            Some(ValueKind::Array(elements)) if elements.is_empty() => {
                self.report(key, "must not be empty");
            }
            Some(_) => {}
        }
        self.list(key, kind)
    }

    /// The list at `key`, which must have exactly `N` elements; absent is a mistake. A mistake is reported and
    /// `placeholder` returned.
    pub fn array<T, const N: usize>(
        &self,
        key: &'static str,
        kind: impl Fn(Raw<'_>) -> Result<T, String>,
        placeholder: [T; N],
    ) -> [T; N] {
        let count = match self.value(key).map(|value| &value.kind) {
            Some(ValueKind::Array(elements)) => elements.len(),
            // Of a layer, where a list is written `a,b`.
            Some(ValueKind::String(text)) => text.split(',').count(),
            _ => N,
        };
        if count != N {
            self.report(key, format!("must have {N} elements, got {count}"));
            return placeholder;
        }
        // With fewer than `N`, those that are missing were refused with a message of their own.
        self.required_list(key, kind).try_into().unwrap_or(placeholder)
    }

    /// Reads the table at `key`.
    pub fn section<T>(&self, key: &'static str, read: impl FnOnce(&Self) -> T) -> T {
        let path = self.path(key);
        let entries = self.value(key).and_then(|value| self.entries_of(&path, value));
        self.sub_table(path, join(&self.shape, key), entries, read)
    }

    /// Reads each `[key.NAME]` table, in the order of the file.
    pub fn named<T>(&self, key: &'static str, mut read: impl FnMut(&Self) -> T) -> Vec<T> {
        let path = self.path(key);
        let Some(entries) = self.value(key).and_then(|value| self.entries_of(&path, value)) else {
            return Vec::new();
        };
        let mut tables: Vec<_> =
            entries.iter().map(|(name, value)| (join(&path, name), name, value)).collect();
        tables.sort_by_cached_key(|(path, ..)| (self.document.lines.nearest(path), path.clone()));
        let shape = format!("{}.*", join(&self.shape, key));
        let mut read_all = Vec::new();
        for (path, name, value) in tables {
            if self.document.gives_up() {
                break;
            }
            if !self.document.holds(&path) {
                self.document.report(&path, "is not in the file; only the file can add it");
            } else if !is_name(name) {
                let message =
                    "must be named with at most 32 lower-case letters, digits and hyphens";
                self.document.report(&path, message);
            } else if let Some(entries) = self.entries_of(&path, value) {
                read_all.push(self.sub_table(path, shape.clone(), Some(entries), &mut read));
            }
        }
        read_all
    }

    /// Reads each `[[key]]` table, in the order of the file.
    pub fn tables<T>(&self, key: &'static str, mut read: impl FnMut(&Self) -> T) -> Vec<T> {
        let path = self.path(key);
        match self.value(key).map(|value| &value.kind) {
            None => Vec::new(),
            Some(ValueKind::Array(elements)) => elements
                .iter()
                .enumerate()
                .take_while(|_| !self.document.gives_up())
                .filter_map(|(index, element)| {
                    let path = format!("{path}[{index}]");
                    let entries = self.entries_of(&path, element)?;
                    let shape = format!("{}[]", join(&self.shape, key));
                    Some(self.sub_table(path, shape, Some(entries), &mut read))
                })
                .collect(),
            Some(_) => {
                self.report(key, format!("must be a list of tables; begin each with [[{path}]]"));
                Vec::new()
            }
        }
    }

    /// Reports every key that nothing asked for, with the known key it resembles.
    fn report_unknown_keys(&self) {
        let known = self.known.borrow();
        self.document.note(&self.shape, &known);
        let keys = self.entries.into_iter().flat_map(HashMap::keys);
        let mut unknown: Vec<&String> = keys.filter(|key| !known.contains(&key.as_str())).collect();
        // If there is not room for all, it is the same ones each time.
        unknown.sort_unstable();
        for key in unknown {
            if !self.document.has_room() {
                continue;
            }
            let hint = match suggestion::nearest(key, known.iter().copied()) {
                Some(meant) => format!("did you mean {meant:?}?"),
                None => format!("the keys here are {}", known.join(", ")),
            };
            let message = format!("unknown key {key:?}; {hint}");
            self.document.note_problem(&self.path(key), &self.path, message);
        }
    }

    fn value(&self, key: &'static str) -> Option<&'d Value> {
        let mut known = self.known.borrow_mut();
        if !known.contains(&key) {
            known.push(key);
        }
        self.entries?.get(key)
    }

    fn sub_table<T>(
        &self,
        path: String,
        shape: String,
        entries: Option<&'d HashMap<String, Value>>,
        read: impl FnOnce(&Self) -> T,
    ) -> T {
        let table = Self::new(self.document, path, shape, entries);
        let value = read(&table);
        table.report_unknown_keys();
        value
    }

    fn entries_of(&self, path: &str, value: &'d Value) -> Option<&'d HashMap<String, Value>> {
        match &value.kind {
            ValueKind::Table(entries) => Some(entries),
            other => {
                let raw = Raw { kind: other, from_layer: false };
                self.document.report(path, format!("must be a table, got {raw}"));
                None
            }
        }
    }

    fn decode<T>(
        &self,
        path: impl Fn() -> String,
        value: &ValueKind,
        kind: &impl Fn(Raw<'_>) -> Result<T, String>,
    ) -> Option<T> {
        let from_layer = self.document.has_layers() && self.document.is_layered(&path());
        match kind(Raw { kind: value, from_layer }) {
            Ok(value) => Some(value),
            Err(refusal) => {
                self.document.report(&path(), refusal);
                None
            }
        }
    }
}
