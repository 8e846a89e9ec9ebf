//! What a build left behind, for benches: they stand in the same target folder.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

/// The target folder that this program stands in.
///
/// # Errors
/// It stands elsewhere.
pub fn target_folder() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().find(|folder| folder.join("release").is_dir());
    target.map(Path::to_owned).context("this program does not stand in a target folder")
}

/// The release build of `tocsin`.
///
/// # Errors
/// There is none.
pub fn release() -> anyhow::Result<PathBuf> {
    let program = target_folder()?.join("release/tocsin");
    let shown = program.display();
    ensure!(program.exists(), "{shown} is missing: run `cargo build --release` first");
    Ok(program)
}
