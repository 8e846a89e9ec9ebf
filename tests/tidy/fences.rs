//! A library that may be replaced is known in one place.

use crate::repository::{assert_none, sources};

/// True when `line` has a path that begins with the crate `library`: `unix::` is none of `nix`.
fn has_path(line: &str, library: &str) -> bool {
    let part_of_word = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    line.match_indices(&format!("{library}::")).any(|(at, _)| !part_of_word(&line[..at]))
}

#[test]
fn rsip_is_known_by_one_file() {
    let places = ["crates/sip-proto/src/digest.rs", "tests/tidy/fences.rs"];
    let names_it = |source: &str| {
        let mut code = source.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
        code.any(|line| line.starts_with("use rsip") || has_path(line, "rsip"))
    };
    let others = sources().filter(|(name, _)| !places.contains(&&**name));
    let breaches = others.filter(|(_, source)| names_it(source)).map(|(name, _)| name);
    assert_none("a library that may be replaced is known in one place", breaches.collect());
}
