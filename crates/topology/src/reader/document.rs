//! A file as it was written, and the mistakes found in it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use config::{Value, ValueKind};

use super::layers::{Layers, Origin};
use super::lines::{Lines, join};
use super::written::Written;
use crate::problem::{MOST_TOLD, Problem, Problems};

/// Mistakes that are noted, so that those are told that stand first in the file.
const MOST_NOTED: usize = 3 * MOST_TOLD;

/// A file with its layers applied, and the mistakes found in it so far.
#[derive(Debug)]
pub struct Document {
    file: String,
    pub(super) tree: HashMap<String, Value>,
    origins: BTreeMap<String, Origin>,
    pub(super) lines: Lines,
    problems: RefCell<Vec<Problem>>,
    /// Those of files to which this one leads.
    elsewhere: RefCell<Vec<Problem>>,
    /// Mistakes of this file beyond those: a file that is nothing but mistakes has thousands.
    untold: Cell<usize>,
    /// Tables were left unread, as there were too many mistakes to be told already.
    has_given_up: Cell<bool>,
    /// Every key that was asked for, whether or not it is there, by the shape of its table.
    known: RefCell<BTreeMap<String, BTreeSet<&'static str>>>,
    /// The last of those: tables of one shape come in rows, and are asked for the same keys.
    noted_last: RefCell<(String, Vec<&'static str>)>,
}

impl Document {
    /// Reads the file at `path`. Fails at once only if there is nothing to decode.
    pub fn load(path: &Path, layers: &Layers) -> Result<Self, Problems> {
        let text =
            std::fs::read_to_string(path).map_err(|error| Problems::unreadable(path, &error))?;
        Self::parse(&path.display().to_string(), &text, layers)
    }

    /// Reads `text`; `file` names it in messages.
    pub fn parse(file: &str, text: &str, layers: &Layers) -> Result<Self, Problems> {
        let problem = |line, message| Problem::new(file.to_owned(), line, String::new(), message);
        let (written, lines) = Written::parse(text).map_err(|(line, error)| {
            Problems(vec![problem(line, format!("not valid TOML: {error}"))])
        })?;
        // `config` takes a top-level key for a path, so a quoted one could mean another key.
        if let Some((line, key)) = lines.quoted_root() {
            let message = format!("unknown key {key}; keys here need no quotes");
            return Err(Problems(vec![problem(Some(line), message)]));
        }
        let merged = layers.apply(file, written, &lines).map_err(Problems)?;
        Ok(Self {
            file: file.to_owned(),
            tree: merged.tree,
            origins: merged.origins,
            lines,
            problems: RefCell::default(),
            elsewhere: RefCell::default(),
            untold: Cell::new(0),
            has_given_up: Cell::new(false),
            known: RefCell::default(),
            noted_last: RefCell::default(),
        })
    }

    /// Reports a mistake at the key path `key`, such as `routes[2].psaps`.
    pub fn report(&self, key: &str, message: impl Into<String>) {
        self.report_at(key, key, message.into());
    }

    /// The same, where the sentence takes long to be found and is not wanted any more when there are many already.
    pub(crate) fn report_with(&self, key: &str, message: impl FnOnce() -> String) {
        if self.has_room() {
            self.note_problem(key, key, message());
        }
    }

    /// Adds a mistake that was found in another file, to which this one leads. Whoever reads that knows how many to tell.
    pub fn add(&self, problem: Problem) {
        self.elsewhere.borrow_mut().push(problem);
    }

    /// Every key path that has been asked for, with names and numbers taken out: `sites.*.address`,
    /// `phases[].arrivals.rate`. A key inside a table is asked for only once the file has that table, so a file in
    /// which nothing is left out knows all of them.
    #[must_use]
    pub fn known_keys(&self) -> BTreeSet<String> {
        let known = self.known.borrow();
        known.iter().flat_map(|(shape, keys)| keys.iter().map(|key| join(shape, key))).collect()
    }

    /// A table of this shape was asked for these keys.
    pub(super) fn note(&self, shape: &str, keys: &[&'static str]) {
        let mut last = self.noted_last.borrow_mut();
        if last.0 == shape && last.1 == keys {
            return;
        }
        *last = (shape.to_owned(), keys.to_vec());
        let mut known = self.known.borrow_mut();
        match known.get_mut(shape) {
            Some(have) => have.extend(keys),
            None => drop(known.insert(shape.to_owned(), keys.iter().copied().collect())),
        }
    }

    /// The outcome: `value` if there is no mistake, else every mistake in the order of the file.
    pub fn finish<T>(self, value: T) -> Result<T, Problems> {
        let (mut problems, elsewhere) = (self.problems.into_inner(), self.elsewhere.into_inner());
        if problems.is_empty() && elsewhere.is_empty() {
            return Ok(value);
        }
        problems.sort();
        problems.dedup();
        let untold = self.untold.get() + problems.len().saturating_sub(MOST_TOLD);
        problems.truncate(MOST_TOLD);
        problems.extend(elsewhere);
        problems.sort();
        problems.dedup();
        if untold > 0 {
            let least = if self.has_given_up.get() { "at least " } else { "" };
            let message = format!("and {least}{untold} more mistakes");
            problems.push(Problem::new(self.file, None, String::new(), message));
        }
        Err(Problems(problems))
    }

    /// Whether the file itself, without its layers, holds the key path `key`.
    #[must_use]
    pub fn holds(&self, key: &str) -> bool {
        self.lines.contains(key)
    }

    /// Whether the top level has `key`, from the file or a layer.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.tree.contains_key(key)
    }

    /// The value of `key`, which may call elements of lists by their names, as a layer would give it; `None` where neither the
    /// file nor a layer gives it one.
    ///
    /// # Errors
    /// A sentence about a name that no element has, or a value that is none of a single key.
    pub fn written(&self, key: &str) -> Result<Option<String>, String> {
        let path = self.lines.numbered(key)?;
        let mut found: Option<&ValueKind> = None;
        for part in path.split('.') {
            let (name, places) = part.find('[').map_or((part, ""), |at| part.split_at(at));
            let table = match found {
                None => Some(&self.tree),
                Some(ValueKind::Table(table)) => Some(table),
                Some(_) => None,
            };
            let Some(value) = table.and_then(|table| table.get(name)) else { return Ok(None) };
            let mut kind = &value.kind;
            for place in places.split('[').filter(|place| !place.is_empty()) {
                let place = place.trim_end_matches(']').parse::<usize>().ok();
                let ValueKind::Array(elements) = kind else { return Ok(None) };
                let Some(element) = place.and_then(|place| elements.get(place)) else {
                    return Ok(None);
                };
                kind = &element.kind;
            }
            found = Some(kind);
        }
        match found {
            Some(ValueKind::Table(_)) => Err(format!("{key} is a table, not a value")),
            Some(ValueKind::Array(_)) => Err(format!("{key} is a list, not a value")),
            Some(value) => Ok(Some(value.to_string())),
            None => Ok(None),
        }
    }

    /// Whether a further mistake can be told; if not, it is counted.
    pub(super) fn has_room(&self) -> bool {
        let has_room = self.problems.borrow().len() < MOST_NOTED;
        self.untold.set(self.untold.get() + usize::from(!has_room));
        has_room
    }

    /// Whether there are more mistakes than will be told: whoever reads a row of tables need not read on. A file that is
    /// nothing but mistakes is refused as fast as one that has a few.
    pub(super) fn gives_up(&self) -> bool {
        let gives_up = self.problems.borrow().len() >= MOST_NOTED;
        if gives_up {
            self.has_given_up.set(true);
        }
        gives_up
    }

    /// A mistake that stands at `place` but is told of `key`.
    pub(super) fn report_at(&self, place: &str, key: &str, message: String) {
        if self.has_room() {
            self.note_problem(place, key, message);
        }
    }

    /// The same once it is known that there is room.
    pub(super) fn note_problem(&self, place: &str, key: &str, message: String) {
        let (file, line, key) = match self.origin_of(place) {
            Some((path, origin)) => (origin.layer.to_owned(), None, origin.told(path, key)),
            None => (self.file.clone(), self.lines.nearest(place), key.to_owned()),
        };
        self.problems.borrow_mut().push(Problem::new(file, line, key, message));
    }

    /// Whether any layer set anything.
    pub(super) fn has_layers(&self) -> bool {
        !self.origins.is_empty()
    }

    /// Whether a layer set `key`, a value around it, or all that is in it.
    pub(super) fn is_layered(&self, key: &str) -> bool {
        self.origin_of(key).is_some()
    }

    fn origin_of(&self, key: &str) -> Option<(&str, &Origin)> {
        if !self.has_layers() {
            return None;
        }
        let mut around = Some(key);
        while let Some(path) = around {
            if let Some((path, origin)) = self.origins.get_key_value(path) {
                return Some((path, origin));
            }
            around = path.rfind(['.', '[']).map(|end| &path[..end]);
        }
        if self.holds(key) {
            return None;
        }
        let inside = self.origins.iter().find(|(path, _)| {
            path.strip_prefix(key).is_some_and(|rest| rest.starts_with(['.', '[']))
        });
        inside.map(|(path, origin)| (&path[..], origin))
    }
}

impl Origin {
    /// `key` in the words of whoever set the value at `path`.
    fn told(&self, path: &str, key: &str) -> String {
        key.strip_prefix(path)
            .map_or_else(|| key.to_owned(), |rest| format!("{}{rest}", self.typed))
    }
}
