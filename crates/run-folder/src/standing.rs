//! How a run stands, whoever asks: it goes on, it has ended, it was killed, or it never began.
//!
//! ```text
//!  .running   locked  empty: it starts    `begun`: it goes on
//!             free    empty: not started  `begun`: broken
//!             gone    with a result: it has ended
//! ```
//!
//! The folder of a network that is served by hand says so itself (`served_marks.rs`).
//!
//! The process of a run holds the file locked. The system lets go of the lock however that process ends, and nobody gets it
//! with a process number that is used again.

use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Once;

use crate::served_marks;
use crate::summary_file::summary_path;

/// The file in the run folder; there while the run is, and after it was killed.
pub(crate) const MARK: &str = ".running";
/// What stands in it from time zero on.
const BEGUN: &str = "begun\n";
/// What a run knows of itself, which it keeps from its start on.
pub(crate) const STATE: &str = "state.json";

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its network starts.
    Starting,
    /// It goes on.
    Running,
    /// It has come to its end and told its result.
    Ended,
    /// It began, and its process died before it told a result.
    Broken,
    /// It never came to its time zero.
    NotStarted,
    /// A network that is served by hand.
    Serving,
    /// A network that was.
    Served,
}

impl Standing {
    /// How the run in `folder` stands.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        if served_marks::is_served(folder) {
            return Self::of_served(folder);
        }
        if has_result(folder) {
            return Self::Ended;
        }
        let mark = folder.join(MARK);
        let Ok(file) = File::open(&mark) else {
            // A run of an earlier version, or one that could not tell its result.
            let began = folder.join(STATE).is_file();
            return if began { Self::Broken } else { Self::NotStarted };
        };
        let begun = fs::read(&mark).is_ok_and(|text| text.starts_with(BEGUN.as_bytes()));
        match (file.try_lock_shared(), begun) {
            (Err(TryLockError::WouldBlock), false) => Self::Starting,
            (Err(TryLockError::WouldBlock), true) => Self::Running,
            // It may have ended while we looked.
            (_, true) if has_result(folder) => Self::Ended,
            (_, true) => Self::Broken,
            (_, false) => Self::NotStarted,
        }
    }

    fn of_served(folder: &Path) -> Self {
        match (served_marks::any_lives(folder), served_marks::has_begun(folder)) {
            (true, true) => Self::Serving,
            (true, false) => Self::Starting,
            (false, true) => Self::Served,
            (false, false) => Self::NotStarted,
        }
    }

    /// As it stands in the place of a verdict.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Ended | Self::Served => "ended",
            Self::Serving => "serving",
            Self::Broken => "broken",
            Self::NotStarted => "not started",
        }
    }

    /// Whether it came to its time zero.
    #[must_use]
    pub const fn has_begun(self) -> bool {
        matches!(self, Self::Running | Self::Ended | Self::Broken | Self::Serving | Self::Served)
    }

    /// Whether its process lives and has not told its result.
    #[must_use]
    pub const fn goes_on(self) -> bool {
        matches!(self, Self::Starting | Self::Running)
    }
}

fn has_result(folder: &Path) -> bool {
    summary_path(folder).is_file() || folder.join("bench.json").is_file()
}

/// The mark of a run whose process we are.
#[derive(Debug)]
pub(crate) struct Mark {
    folder: PathBuf,
    /// Locked as long as it is open; none on a file system without locks.
    file: Option<File>,
    begun: Once,
}

impl Mark {
    /// Marks `folder` as that of a run that starts. Best effort: a file system without locks still gets its run, and nobody is
    /// told that it goes on.
    pub(crate) fn set(folder: &Path) -> Self {
        // Nobody sees it before it is locked.
        let fresh = folder.join(".running.part");
        let locked = || {
            let file = File::create(&fresh).ok()?;
            file.try_lock().ok()?;
            fs::rename(&fresh, folder.join(MARK)).ok()?;
            Some(file)
        };
        let file = locked();
        if file.is_none() {
            let _ = fs::remove_file(&fresh);
        }
        Self { folder: folder.to_owned(), file, begun: Once::new() }
    }

    /// Says, once, that its time zero has come, and does what else is due then.
    pub(crate) fn begin(&self, due: impl FnOnce()) {
        self.begun.call_once(|| {
            if let Some(mut file) = self.file.as_ref() {
                let _ = file.write_all(BEGUN.as_bytes());
            }
            due();
        });
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        // What began and told no result is broken, however its process ends.
        if !self.begun.is_completed() || has_result(&self.folder) {
            let _ = fs::remove_file(self.folder.join(MARK));
        }
    }
}
