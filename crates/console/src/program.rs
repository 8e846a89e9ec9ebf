//! The program itself, asked what the command line tells: within a time, and with a bound on what it says.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How long an answer may take.
const LONGEST: Duration = Duration::from_secs(60);

/// The longest answer.
const MOST: u64 = 4 << 20;

/// Questions at once: each is a process.
const AT_ONCE: usize = 4;

/// How the program answers.
#[derive(Debug)]
pub(crate) struct Program {
    path: PathBuf,
    places: Semaphore,
}

/// What it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its exit code; none if it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
    pub(crate) complained: String,
}

impl Program {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, places: Semaphore::const_new(AT_ONCE) }
    }

    /// A command with these words, which are no shell's.
    pub(crate) fn command(&self, words: &[String]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(words).stdin(Stdio::null()).env("NO_COLOR", "1");
        command
    }

    /// Asks, and waits for the answer; a sentence where none comes.
    pub(crate) async fn ask(&self, words: &[String]) -> Result<Answer, String> {
        let _place = self.places.acquire().await.map_err(|error| error.to_string())?;
        let mut command = self.command(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child =
            command.spawn().map_err(|error| format!("{}: {error}", self.path.display()))?;
        let (said, complained) = (child.stdout.take(), child.stderr.take());
        let answer = async {
            let (said, complained, ended) =
                tokio::join!(read(said), read(complained), child.wait());
            let code = ended.ok().and_then(|status| status.code());
            Answer { code, said, complained }
        };
        let late = |_| format!("there was no answer within {} s", LONGEST.as_secs());
        timeout(LONGEST, answer).await.map_err(late)
    }
}

async fn read(from: Option<impl AsyncRead + Unpin>) -> String {
    let mut octets = Vec::new();
    if let Some(from) = from {
        // Whatever came until it broke is the answer; a program that says more is not waited for.
        let _ = from.take(MOST).read_to_end(&mut octets).await;
    }
    String::from_utf8_lossy(&octets).into_owned()
}
