//! What a document points to is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path};

use crate::repository::{assert_none, files};

/// Files that a reader makes, as the document says.
const MADE_BY_READERS: &[&str] = &["configs/campaigns/rush.toml"];

/// Every file and folder, by its path from the root.
fn places() -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    for (name, _) in files() {
        let folders =
            Path::new(&name).ancestors().map(|place| place.to_string_lossy().into_owned());
        places.extend(folders);
    }
    places
}

/// The lines of a document outside listings, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_listing = false;
    let numbered = text.lines().enumerate().map(|(number, line)| (number + 1, line));
    numbered.filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_listing ^= is_fence;
        !is_listing && !is_fence
    })
}

/// What a line has between backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Where a line links to within the repository, without the part of a page.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let texts = line.split('`').step_by(2);
    let links = texts.flat_map(|text| text.split("](").skip(1));
    let targets = links.filter_map(|link| link.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains(':'))
}

/// True if `word` looks like a path of the repository and leads nowhere. What begins with a folder of the root must be
/// there as it stands; of source files and documents the end of the path is enough.
fn is_stale(word: &str, places: &BTreeSet<String>) -> bool {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let path = word.trim_end_matches('/');
    if !word.chars().all(is_path) || MADE_BY_READERS.contains(&path) {
        return false;
    }
    let (top, is_deep) = path.split_once('/').map_or((path, false), |(top, _)| (top, true));
    if is_deep && places.contains(top) {
        return !places.contains(path);
    }
    let is_source = path.ends_with(".rs") || (is_deep && path.ends_with(".md"));
    let end = format!("/{path}");
    is_source && !places.iter().any(|place| place == path || place.ends_with(&end))
}

/// A path from the root, for a link in the document `name`.
fn from_root(name: &str, link: &str) -> String {
    let mut path = Path::new(name).parent().unwrap_or_else(|| Path::new("")).to_path_buf();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => _ = path.pop(),
            part => path.push(part),
        }
    }
    path.to_string_lossy().into_owned()
}

#[test]
fn what_a_document_points_to_is_there() {
    let places = places();
    let mut breaches = Vec::new();
    for (name, path) in files().into_iter().filter(|(name, _)| name.ends_with(".md")) {
        let text = fs::read_to_string(path).expect("a document is UTF-8");
        for (number, line) in prose(&text) {
            let broken = links(line).filter(|link| !places.contains(&from_root(&name, link)));
            let stale = quoted(line).filter(|word| is_stale(word, &places));
            breaches.extend(broken.chain(stale).map(|it| format!("{name}:{number}: {it}")));
        }
    }
    assert_none("say where it is now", breaches);
}

#[test]
fn a_path_is_known_from_other_words() {
    let places = ["crates", "crates/node", "crates/node/src/actor.rs"].map(str::to_owned).into();
    for word in ["crates/node/", "actor.rs", "src/actor.rs", "summary.json", "200/OK", "a b.rs"] {
        assert!(!is_stale(word, &places), "{word}");
    }
    for word in ["crates/nodes", "tor.rs", "crates/actor.rs", "src/actor.md"] {
        assert!(is_stale(word, &places), "{word}");
    }
    let found: Vec<&str> = links("[a](b.md#c), `[d](e)`, [f](https://g), [h](#i)").collect();
    assert_eq!(found, ["b.md"]);
    assert_eq!(from_root("docs/adr/a.md", "../b.md"), "docs/b.md");
}
