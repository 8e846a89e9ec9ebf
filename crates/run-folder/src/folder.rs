//! The run folder: `runs/<date>-<campaign>-<n>/`, and `runs/latest`, which points to the newest that began.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use account::archive::open_calls;
use anyhow::Context as _;
use campaign::Campaign;
use rusqlite::Connection;

use crate::standing::Mark;

/// Every attempt, to be asked anything.
pub const CALLS: &str = "calls.sqlite";
/// What a file is called until it is whole: `.summary.json.part`.
pub(crate) const PART: &str = ".part";
/// Every attempt, a line each.
pub const CALLS_CSV: &str = "calls.csv";
/// How many calls arrived where in each half hour, in the form of a usual day.
pub(crate) const ARRIVALS_CSV: &str = "arrivals.csv";

/// A folder that holds all that a run leaves behind.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Of a run whose process we are.
    mark: Option<Mark>,
}

impl Folder {
    /// Makes the next free folder for a run of `campaign`, which starts.
    pub fn create(runs: &Path, campaign: &str) -> anyhow::Result<Self> {
        let advice = "give another folder with --runs";
        fs::create_dir_all(runs)
            .with_context(|| format!("cannot create {}; {advice}", runs.display()))?;
        let path = claim(runs, campaign, advice)?;
        let mark = Mark::set(&path);
        let folder = Self { path, mark: Some(mark) };
        folder.make("records")?;
        folder.make("logs")?;
        Ok(folder)
    }

    /// The time zero of its run has come: from now on it is the latest.
    pub fn begin(&self) {
        let Some(mark) = &self.mark else { return };
        mark.begin(|| {
            if let (Some(runs), Some(name)) = (self.path.parent(), self.path.file_name()) {
                point_latest(runs, name);
            }
        });
    }

    /// The folder of a run that was.
    pub fn open(path: &Path) -> Self {
        Self { path: path.to_owned(), mark: None }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn records(&self, process: &str) -> PathBuf {
        self.path.join("records").join(format!("{process}.jsonl"))
    }

    /// The messages of the kept calls of a process.
    pub fn trace(&self, process: &str) -> PathBuf {
        self.path.join("trace").join(format!("{process}.trace"))
    }

    /// The files of messages, by name; none when the run kept no messages.
    pub fn traces(&self) -> Vec<PathBuf> {
        let mut files = self.files_in("trace");
        files.retain(|file| file.extension().is_some_and(|ending| ending == "trace"));
        files
    }

    pub fn log(&self, process: &str) -> PathBuf {
        self.path.join("logs").join(format!("{process}.log"))
    }

    /// The files of records, by name.
    pub fn record_files(&self) -> Vec<PathBuf> {
        self.files_in("records")
    }

    fn files_in(&self, folder: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path.join(folder)).into_iter().flatten();
        let mut files: Vec<PathBuf> =
            entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        files.sort();
        files
    }

    /// Opens the database of all attempts.
    pub fn calls(&self) -> anyhow::Result<Connection> {
        let path = self.path.join(CALLS);
        open_calls(&path)
            .with_context(|| format!("cannot open {}; tocsin report makes it", path.display()))
    }

    /// Copies the files that the run was made from, so that it can be repeated.
    pub fn keep_inputs(&self, file: &Path, campaign: &Campaign) -> anyhow::Result<()> {
        let copy = |from: &Path, to: &str| {
            let to = self.path.join(to);
            fs::copy(from, &to)
                .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
        };
        copy(file, "campaign.toml")?;
        copy(&campaign.network, "network.toml")?;
        for ((_, from), (_, to)) in campaign.row_paths().iter().zip(Self::copies(campaign)) {
            copy(from, &to)?;
        }
        Ok(())
    }

    /// The keys of a campaign that name CSV files, and what the copies of these are called.
    pub fn copies(campaign: &Campaign) -> Vec<(String, String)> {
        let keys = campaign.row_paths().into_iter().zip(1..);
        keys.map(|((key, _), number)| (key, format!("rows-{number}.csv"))).collect()
    }

    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Writes a file that is never seen half written.
    pub fn replace(&self, name: &str, text: &str) -> anyhow::Result<()> {
        self.stage(name, text)?;
        self.name(name)
    }

    /// Writes a file that gets its name later, by [`name`](Self::name).
    pub(crate) fn stage(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let (path, part) = (self.path.join(name), self.part(name));
        // Where the name is taken by a folder no file will get it.
        let free = if path.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(()) };
        let written = free.and_then(|()| fs::write(&part, text));
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
        written.with_context(|| format!("cannot write {}", path.display()))
    }

    /// Gives a file that was staged its name.
    pub(crate) fn name(&self, name: &str) -> anyhow::Result<()> {
        let (path, part) = (self.path.join(name), self.part(name));
        let named = fs::rename(&part, &path);
        if named.is_err() {
            let _ = fs::remove_file(&part);
        }
        named.with_context(|| format!("cannot write {}", path.display()))
    }

    fn part(&self, name: &str) -> PathBuf {
        self.path.join(format!(".{name}{PART}"))
    }

    /// Whether files can be made in it: an error of the system where they cannot.
    pub(crate) fn check_writable(&self) -> anyhow::Result<()> {
        let probe = self.part("probe");
        fs::write(&probe, "").and_then(|()| fs::remove_file(&probe)).with_context(|| {
            format!("cannot write in {}: nothing in it was changed", self.path.display())
        })
    }

    pub(crate) fn make(&self, name: &str) -> anyhow::Result<()> {
        let path = self.path.join(name);
        fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))
    }
}

/// Makes the next free folder of today for `name`.
pub(crate) fn claim(runs: &Path, name: &str, advice: &str) -> anyhow::Result<PathBuf> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let stamp = campaign::utc::rfc3339(u64::try_from(now.as_micros()).unwrap_or_default());
    let date = stamp.split('T').next().unwrap_or_default();
    for number in 1_u32.. {
        let path = runs.join(format!("{date}-{name}-{number}"));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                let context = format!("cannot create {}; {advice}", path.display());
                return Err(error).context(context);
            }
        }
    }
    unreachable!("a folder name is found long before four thousand million")
}

/// Best effort: a file system without links still gets its run.
pub(crate) fn point_latest(runs: &Path, name: &OsStr) {
    #[cfg(unix)]
    {
        let link = runs.join("latest");
        let fresh = runs.join(format!(".latest-{}", std::process::id()));
        if std::os::unix::fs::symlink(name, &fresh).is_ok() && fs::rename(&fresh, &link).is_err() {
            let _ = fs::remove_file(&fresh);
        }
    }
}
