//! Runs that were started here: which process each is, and what it complained of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::oneshot;

/// Complaints that are kept of a run, in octets.
const MOST: usize = 16 * 1024;

/// Runs that are remembered.
const REMEMBERED: usize = 100;

/// Runs that were started here, by name.
#[derive(Debug, Default)]
pub(crate) struct Started(Mutex<BTreeMap<String, StartedRun>>);

/// A run that was started here.
#[derive(Debug)]
struct StartedRun {
    complaints: Complaints,
    /// Sent to have its process killed.
    kill: Option<oneshot::Sender<()>>,
}

/// What a process complains of: the beginning of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Complaints(Arc<Mutex<String>>);

impl Complaints {
    /// Reads to the end, and keeps the beginning.
    pub(crate) async fn read(self, mut from: impl AsyncRead + Unpin) {
        let mut piece = [0; 4096];
        while let Ok(length) = from.read(&mut piece).await
            && length > 0
        {
            let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if text.len() < MOST {
                text.push_str(&String::from_utf8_lossy(&piece[..length]));
            }
        }
    }

    /// What was said so far.
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Started {
    /// A run has begun.
    pub(crate) fn add(&self, name: &str, complaints: Complaints, kill: oneshot::Sender<()>) {
        let mut runs = self.runs();
        runs.insert(name.to_owned(), StartedRun { complaints, kill: Some(kill) });
        if runs.len() > REMEMBERED {
            runs.pop_first();
        }
    }

    /// What the run complained of, if it was started here.
    pub(crate) fn complained(&self, name: &str) -> Option<String> {
        self.runs().get(name).map(|run| run.complaints.text())
    }

    /// Kills the process of a run; false if it was not started here, or is told already.
    pub(crate) fn kill(&self, name: &str) -> bool {
        let kill = self.runs().get_mut(name).and_then(|run| run.kill.take());
        kill.is_some_and(|kill| kill.send(()).is_ok())
    }

    fn runs(&self) -> MutexGuard<'_, BTreeMap<String, StartedRun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
