//! What a browser may do with the page: lay it out with our style, run our script, and ask nobody for anything.
//!
//! Style and script are allowed by their hashes (CSP Level 3 §8.3), so text that got in as markup would still not run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The style of the page.
pub(crate) const STYLE: &str = include_str!("page.css");
/// Values under the pointer, and tables that can be sorted.
pub(crate) const SCRIPT: &str = include_str!("page.js");

/// The Content-Security-Policy of the page.
pub(crate) fn policy() -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}
