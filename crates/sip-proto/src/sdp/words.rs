//! Words that stand in nearly every description.

use std::borrow::Cow;

/// Spares the allocation for the usual words.
pub(super) fn known(word: &str, usual: &[&'static str]) -> Cow<'static, str> {
    let found = usual.iter().find(|usual| **usual == word);
    found.map_or_else(|| Cow::Owned(word.to_owned()), |usual| Cow::Borrowed(*usual))
}
