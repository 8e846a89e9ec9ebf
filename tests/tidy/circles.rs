//! Files of a crate do not import each other in a circle: each can be read after those that it imports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use crate::imports::{Imports, Modules};
use crate::repository::{files, root};

/// Folders with a crate, from the root of the repository.
fn crates() -> BTreeSet<String> {
    let manifests = files().into_iter().map(|(name, _)| name);
    manifests.filter_map(|name| Some(name.strip_suffix("/Cargo.toml")?.to_owned())).collect()
}

/// The roots of a crate: its library and its program.
fn roots(folder: &str) -> impl Iterator<Item = PathBuf> {
    let sources = root().join(folder).join("src");
    ["lib.rs", "main.rs"].map(|name| sources.join(name)).into_iter().filter(|path| path.exists())
}

/// Sets of files each of which reaches each other one.
fn circles(imports: &Imports) -> BTreeSet<BTreeSet<String>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in imports.keys() {
        next.entry(from).or_default().insert(to);
    }
    let reached = |from: &str| -> BTreeSet<&str> {
        let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(file) = open.pop() {
            let new = next.get(file).into_iter().flatten().filter(|to| reached.insert(**to));
            open.extend(new.collect::<Vec<_>>());
        }
        reached
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        next.keys().map(|from| (*from, reached(from))).collect();
    let back = |from: &str, to: &str| reached.get(to).is_some_and(|files| files.contains(from));
    let circle = |from: &str| -> BTreeSet<String> {
        let both = reached[from].iter().filter(|to| back(from, to));
        both.map(|file| (*file).to_owned()).collect()
    };
    next.keys().map(|from| circle(from)).filter(|circle| !circle.is_empty()).collect()
}

#[test]
fn no_circle_of_files_in_any_crate() {
    let mut breaches = String::new();
    for folder in crates() {
        for root in roots(&folder) {
            let imports = Modules::read(&root).imports();
            for circle in circles(&imports) {
                breaches += &format!("  {folder}: {circle:?}\n");
                for ((from, to), names) in &imports {
                    if circle.contains(from) && circle.contains(to) {
                        let names: Vec<&str> = names.iter().map(String::as_str).collect();
                        breaches += &format!("    {from} imports {} of {to}\n", names.join(", "));
                    }
                }
            }
        }
    }
    assert!(
        breaches.is_empty(),
        "give what both files use a file of its own below them, or move a function to its data:\n{breaches}"
    );
}

/// A crate made of these files, and its circles.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let imports = Modules::read(&folder.path().join("lib.rs")).imports();
    circles(&imports).into_iter().map(|circle| circle.into_iter().collect()).collect()
}

#[test]
fn a_circle_is_seen_through_re_exports_and_in_macros() {
    let found = circles_of(&[
        ("lib.rs", "mod a; mod b; pub use a::{A, first};"),
        ("a.rs", "pub struct A; pub fn first() { println!(\"{}\", crate::b::second()); }"),
        ("b/mod.rs", "mod inner; pub use inner::*;"),
        ("b/inner.rs", "use crate::A; pub fn second() -> A { A }"),
    ]);
    assert_eq!(found, [["a.rs", "b/inner.rs"]]);
}

#[test]
fn a_parent_that_declares_and_passes_on_is_in_no_circle() {
    let lib = "mod a; #[cfg(test)] mod tests; pub use a::A; ";
    let a = ("a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::f; }");
    let tests = ("tests.rs", "use crate::A; use crate::f;");
    assert_eq!(circles_of(&[("lib.rs", lib), a, tests]), [[""; 2]; 0]);
    // It is as soon as it uses what it passes on, and the child uses what it defines.
    let lib = format!("{lib} pub fn f() -> A {{ A }}");
    let a = ("a.rs", "pub struct A; fn g() { super::f(); }");
    assert_eq!(circles_of(&[("lib.rs", &lib), a, tests]), [["a.rs", "lib.rs"]]);
}
