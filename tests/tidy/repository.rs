//! The files of the repository, for rules that read them.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_path_buf()
}

/// Every file of the repository by its path from the root, without what builds and runs leave
/// behind.
pub(crate) fn files() -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    collect(&root(), &root(), &mut found);
    found.sort();
    assert!(found.len() > 100, "the repository was not found");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).expect("a folder that can be read") {
        let path = entry.expect("an entry that can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            let is_left_behind = name == "target" || (folder == root && name == "runs");
            if !is_left_behind && name != ".git" {
                collect(root, &path, found);
            }
        } else if let Ok(relative) = path.strip_prefix(root) {
            found.push((relative.to_string_lossy().into_owned(), path));
        }
    }
}

/// Every source file with its text.
pub(crate) fn sources() -> impl Iterator<Item = (String, String)> {
    let rust = files().into_iter().filter(|(name, _)| name.ends_with(".rs"));
    rust.map(|(name, path)| (name, fs::read_to_string(path).expect("source is UTF-8")))
}

/// A file of tests as a whole: in a folder of tests, or called so.
pub(crate) fn is_test(name: &str) -> bool {
    name.split('/').any(|part| part == "tests" || part == "tests.rs" || part == "benches")
}

/// A source file up to the tests at its end.
pub(crate) fn without_tests(source: &str) -> &str {
    source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

/// Fails with every breach at once.
pub(crate) fn assert_none(rule: &str, breaches: Vec<String>) {
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}
