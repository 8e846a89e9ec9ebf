//! Files are short and names say what a thing is.

use std::path::Path;

use crate::repository::{assert_none, is_test, sources, without_tests};

/// Lines of a source file without its tests, and of a test file, beyond which it must be split.
const LONGEST_SOURCE: usize = 500;
const LONGEST_TEST: usize = 700;

/// Files that may be longer, and why.
const LONGER: &[(&str, &str)] = &[];

/// Words that say nothing of what a thing is.
const EMPTY_WORDS: &[&str] = &[
    "manager",
    "handler",
    "helper",
    "util",
    "utils",
    "common",
    "core",
    "engine",
    "orchestrator",
    "coordinator",
    "service",
    "processor",
    "wrapper",
    "info",
    "data",
    "context",
    "misc",
];

/// Names that end in such a word and may, and why.
const NAMED_ANYWAY: &[(&str, &str)] = &[];

#[test]
fn files_are_short_enough_to_be_read() {
    let too_long = sources().filter_map(|(name, source)| {
        let (lines, limit) = match is_test(&name) {
            true => (source.lines().count(), LONGEST_TEST),
            false => (without_tests(&source).lines().count(), LONGEST_SOURCE),
        };
        let allowed = LONGER.iter().any(|(longer, _)| *longer == name);
        (lines > limit && !allowed).then(|| format!("{name}: {lines} lines, at most {limit}"))
    });
    assert_none("split a file along an RFC section or a state machine", too_long.collect());
}

/// The last word of a name in snake_case, kebab-case or CamelCase, in lower case.
fn last_word(name: &str) -> String {
    let name = name.rsplit(['_', '-']).next().unwrap_or_default();
    let start = name.rfind(char::is_uppercase).unwrap_or_default();
    name[start..].to_lowercase()
}

#[test]
fn names_say_what_a_thing_is() {
    let mut breaches = Vec::new();
    let is_empty = |name: &str| {
        EMPTY_WORDS.contains(&last_word(name).as_str())
            && !NAMED_ANYWAY.iter().any(|(allowed, _)| *allowed == name)
    };
    for (name, source) in sources() {
        let stem = Path::new(&name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if is_empty(&stem) {
            breaches.push(name.clone());
        }
        for line in source.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
            let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            let declared =
                words.windows(2).filter(|pair| ["struct", "enum", "trait"].contains(&pair[0]));
            let empty = declared.map(|pair| pair[1]).filter(|declared| is_empty(declared));
            breaches.extend(empty.map(|declared| format!("{name}: {declared}")));
        }
    }
    assert_none("use the word of the standard, see docs/glossary.md", breaches);
}

#[test]
fn last_words_are_found_in_every_spelling() {
    for (name, last) in [
        ("SipManager", "manager"),
        ("call_data", "data"),
        ("core", "core"),
        ("ServiceLevel", "level"),
    ] {
        assert_eq!(last_word(name), last);
    }
}
