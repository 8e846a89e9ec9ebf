//! Recordings to files: a thread of its own writes them, so that no call waits for the disk.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context as _;
use media::recordings::file_name;
use media::wav;
use psap_mock::Recorded;

/// Recordings that may wait for the disk: some megabytes each.
const WAITING: usize = 32;

/// Where recordings go: `PSAP-ATTEMPT.wav` in one folder, the caller left and the call taker right.
#[derive(Debug)]
pub(crate) struct Recordings {
    sender: SyncSender<Recorded>,
    writer: JoinHandle<()>,
}

/// Takes recordings of one box.
#[derive(Debug, Clone)]
pub(crate) struct RecordingSink(SyncSender<Recorded>);

impl Recordings {
    /// Creates the folder and starts the thread.
    pub(crate) fn create(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
        let (sender, receiver) = sync_channel(WAITING);
        let folder = folder.to_owned();
        let writer = std::thread::Builder::new()
            .name("recordings".to_owned())
            .spawn(move || write_all(&folder, &receiver))
            .context("cannot start a thread for recordings")?;
        Ok(Self { sender, writer })
    }

    pub(crate) fn sink(&self) -> RecordingSink {
        RecordingSink(self.sender.clone())
    }

    /// Waits until all are written. Every sink must be gone.
    pub(crate) fn finish(self) {
        drop(self.sender);
        if self.writer.join().is_err() {
            tracing::error!("the thread that writes recordings panicked");
        }
    }
}

impl RecordingSink {
    /// Hands a recording over; never waits.
    pub(crate) fn take(&self, recorded: Recorded) {
        match self.0.try_send(recorded) {
            Ok(()) => {}
            Err(TrySendError::Full(lost) | TrySendError::Disconnected(lost)) => {
                tracing::error!(
                    attempt = lost.attempt,
                    "a recording is lost: the disk is too slow"
                );
            }
        }
    }
}

fn write_all(folder: &Path, recordings: &Receiver<Recorded>) {
    for recorded in recordings {
        let file = free_name(folder, &recorded);
        if let Err(error) = write(&file, &recorded) {
            tracing::error!("a recording is lost: {error:#}");
        }
    }
}

fn free_name(folder: &Path, recorded: &Recorded) -> PathBuf {
    let name = |nth| folder.join(file_name(&recorded.psap, &recorded.attempt, nth));
    (1..).map(name).find(|file| !file.exists()).unwrap_or_else(|| name(1))
}

fn write(file: &PathBuf, recorded: &Recorded) -> anyhow::Result<()> {
    let place = || format!("cannot write {}", file.display());
    let out = BufWriter::new(File::create(file).with_context(place)?);
    let (heard, said) = (&recorded.recording.heard, &recorded.recording.said);
    wav::write_stereo(out, heard, said).with_context(place)
}
