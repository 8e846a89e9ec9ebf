//! Which programs serve the network of a folder now: each holds a file of its own locked, `.serving-1`, `.serving-2` …
//!
//! The system lets go of the lock however a program ends.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// What is known of the network in a folder, and of who has served it.
pub(crate) const SERVING: &str = "serving.json";
const MARK: &str = ".serving-";
/// There once the boxes of one of them have listened.
const BEGUN: &str = ".served";

/// Whether this is the folder of a network that is served by hand.
pub(crate) fn is_served(folder: &Path) -> bool {
    folder.join(SERVING).is_file()
}

/// Whether the program with this number lives.
pub(crate) fn lives(folder: &Path, number: usize) -> bool {
    is_locked(&mark(folder, number))
}

/// Whether any of its programs lives.
pub(crate) fn any_lives(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let is_mark = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(MARK))
    };
    entries.map(|entry| entry.path()).filter(is_mark).any(|path| is_locked(&path))
}

/// Marks the program with this number as one that lives, as long as the file is kept. Best effort: on a file system without
/// locks nobody is told that it does.
pub(crate) fn set(folder: &Path, number: usize) -> Option<File> {
    let path = mark(folder, number);
    // Nobody sees it before it is locked.
    let fresh = folder.join(format!(".fresh-{number}"));
    let file = File::create(&fresh).ok()?;
    let is_set = file.try_lock().is_ok() && fs::rename(&fresh, &path).is_ok();
    if !is_set {
        let _ = fs::remove_file(&fresh);
    }
    is_set.then_some(file)
}

/// Whether boxes of one of its programs have ever listened.
pub(crate) fn has_begun(folder: &Path) -> bool {
    folder.join(BEGUN).is_file()
}

/// They do now.
pub(crate) fn begin(folder: &Path) {
    let _ = File::create(folder.join(BEGUN));
}

pub(crate) fn clear(folder: &Path, number: usize) {
    let _ = fs::remove_file(mark(folder, number));
}

fn mark(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("{MARK}{number}"))
}

fn is_locked(path: &Path) -> bool {
    File::open(path)
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
