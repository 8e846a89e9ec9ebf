//! The messages of kept calls of one process, to a file: a thread of its own writes them, so that no call waits for the disk.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use anyhow::Context as _;
use trace::{Hub, Keep, KeptCall, KeptTally, RecorderMemory, TraceWriter};

use crate::args::TraceArgs;
use crate::limited_file::{Limit, LimitedFile};

/// Parts of calls that may wait for the disk: some ten kilobytes each.
const WAITING: usize = 1_024;
/// Bytes of them that may wait with packets of media.
const WAITING_MEDIA: usize = 64 << 20;

/// Bytes that the folder of a network that is served by hand may hold with the messages of its calls.
const UNATTENDED: u64 = 1 << 30;

type Output = TraceWriter<BufWriter<LimitedFile<File>>>;

/// The file, and the hub whose recorders fill it.
#[derive(Debug)]
pub(crate) struct TraceFile {
    hub: Hub,
    calls: SyncSender<KeptCall>,
    writer: JoinHandle<()>,
}

impl TraceFile {
    /// Creates the file that the command line names, or else `usual`. With `most` its folder is in that of a run, which may hold so many
    /// bytes.
    pub(crate) fn create(
        args: &TraceArgs,
        usual: Option<&Path>,
        most: Option<u64>,
    ) -> anyhow::Result<Option<Self>> {
        let Some(path) = args.trace.as_deref().or(usual) else { return Ok(None) };
        // The programs of a network that is served by hand cannot tell each other which calls ended badly.
        let usual = if args.trace.is_some() { Keep::Failed } else { Keep::All };
        let keep = args.trace_keep.unwrap_or(usual);
        if keep == Keep::Off {
            return Ok(None);
        }
        // Nobody said what a network that is served for months may fill.
        let most = most.or_else(|| args.trace.is_none().then_some(UNATTENDED));
        let output = open(path, most)
            .with_context(|| format!("cannot create the file {} for messages", path.display()))?;
        let (calls, given) = sync_channel(WAITING);
        let into = calls.clone();
        let memory = RecorderMemory::of_mib(args.trace_memory, args.trace_media);
        let tally = KeptTally::default();
        let waiting = Arc::new(AtomicUsize::new(0));
        let (counted, bytes) = (tally.clone(), Arc::clone(&waiting));
        // What finds no room is counted.
        let hub = Hub::counting(keep, memory, tally.clone(), move |mut call: KeptCall| {
            if bytes.load(Ordering::Relaxed) > WAITING_MEDIA {
                counted.note_media_dropped(call.leave_out_media());
            }
            let own = call.bytes();
            bytes.fetch_add(own, Ordering::Relaxed);
            let is_taken = into.try_send(call).is_ok();
            if !is_taken {
                bytes.fetch_sub(own, Ordering::Relaxed);
            }
            is_taken
        });
        let path = path.to_owned();
        let writer = thread::Builder::new()
            .name("trace".to_owned())
            .spawn(move || write_all(&path, output, &given, &waiting, &tally))
            .context("cannot start a thread for messages")?;
        Ok(Some(Self { hub, calls, writer }))
    }

    pub(crate) fn hub(&self) -> Hub {
        self.hub.clone()
    }

    /// Waits until all is written. No recorder may be left.
    pub(crate) fn finish(self) {
        let counts = self.hub.counts();
        drop((self.hub, self.calls));
        if self.writer.join().is_err() {
            tracing::error!("the thread that writes messages panicked");
        }
        if counts.dropped > 0 {
            tracing::warn!("the messages of {} calls were not kept", counts.dropped);
        }
        if counts.media_dropped > 0 {
            let packets = counts.media_dropped;
            tracing::warn!(
                "of kept calls {packets} packets of media were not kept, as their ladders say"
            );
        }
    }
}

fn open(path: &Path, most: Option<u64>) -> std::io::Result<Output> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let limit = most.map(|bytes| {
        let run = folder.parent().unwrap_or_else(|| Path::new("."));
        Limit { folder: run.to_owned(), bytes }
    });
    TraceWriter::new(BufWriter::new(LimitedFile::new(File::create(path)?, limit)))
}

/// Ends early when something cannot be written: a disk that is full is no reason to end a run.
fn write_all(
    path: &Path,
    mut output: Output,
    calls: &Receiver<KeptCall>,
    bytes: &AtomicUsize,
    tally: &KeptTally,
) {
    // Taken, and not yet in the file.
    let mut waiting = 0;
    let mut write = || {
        while let Ok(call) = calls.recv() {
            bytes.fetch_sub(call.bytes(), Ordering::Relaxed);
            waiting = 1;
            output.write(&call)?;
            // A killed process takes only what came together with its last call.
            for call in calls.try_iter() {
                bytes.fetch_sub(call.bytes(), Ordering::Relaxed);
                waiting += 1;
                output.write(&call)?;
            }
            output.flush()?;
            tally.note_written(std::mem::take(&mut waiting));
        }
        output.flush()
    };
    let written = write();
    if let Err(error) = written {
        tally.note_stopped(waiting + calls.try_iter().count() as u64);
        tracing::warn!("{}: messages are kept no more, the run goes on: {error}", path.display());
    }
}
