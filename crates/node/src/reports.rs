//! Reports on their way to the parent: written by a thread of their own, so that no box waits for a parent that does not read.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use contract::{PipeMessage as _, ProcessReport};

/// Reports that may wait when a snapshot comes: the next one will tell what it would have told.
const MOST_WAITING: usize = 16;

/// The pipe to the parent.
pub(crate) struct Reports {
    /// `None` once there is nothing more to tell.
    waiting: Option<Sender<ProcessReport>>,
    count: Arc<AtomicUsize>,
    writer: Option<JoinHandle<()>>,
    dropped: u64,
}

impl Reports {
    pub(crate) fn to(output: Box<dyn Write + Send>) -> Self {
        let (waiting, given) = channel();
        let count = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&count);
        let writer = thread::spawn(move || write_all(output, &given, &left));
        Self { waiting: Some(waiting), count, writer: Some(writer), dropped: 0 }
    }

    /// Tells it as soon as the parent has read what comes before. A snapshot that finds too many of them is dropped.
    pub(crate) fn tell(&mut self, report: ProcessReport) {
        let is_snapshot = matches!(report, ProcessReport::Snapshot { .. });
        if is_snapshot && self.count.load(Ordering::Relaxed) >= MOST_WAITING {
            self.dropped += 1;
            return;
        }
        if let Some(waiting) = &self.waiting {
            self.count.fetch_add(1, Ordering::Relaxed);
            // A parent that is gone needs no reports; the end of input tells the rest.
            let _ = waiting.send(report);
        }
    }

    /// Snapshots that were dropped because the parent does not read.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Drop for Reports {
    /// The last words must be out before the process ends.
    fn drop(&mut self) {
        self.waiting = None;
        if let Some(writer) = self.writer.take() {
            // It never panics.
            let _ = writer.join();
        }
    }
}

fn write_all(mut output: impl Write, given: &Receiver<ProcessReport>, left: &AtomicUsize) {
    for report in given {
        let written = report.to_line().map_err(std::io::Error::from).and_then(|line| {
            output.write_all(&line)?;
            output.flush()
        });
        left.fetch_sub(1, Ordering::Relaxed);
        if let Err(error) = written {
            tracing::warn!(%error, "cannot report to the parent");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{BufRead as _, BufReader, pipe};

    use contract::Usage;

    use super::*;

    fn snapshot(at_us: u64) -> ProcessReport {
        ProcessReport::Snapshot { at_us, usage: Usage::default(), boxes: BTreeMap::new() }
    }

    // A parent that stands still keeps no box from its calls, and costs no memory that grows.
    #[test]
    fn snapshots_for_a_parent_that_does_not_read_are_dropped_and_counted_and_nothing_else_is() {
        let (from_child, to_parent) = pipe().expect("a pipe");
        let mut reports = Reports::to(Box::new(to_parent));
        let total = 100_000;
        for at_us in 0..total {
            reports.tell(snapshot(at_us));
        }
        let dropped = reports.dropped();
        assert!(dropped > total / 2, "{dropped} of {total} were dropped");
        reports.tell(ProcessReport::Drained { complete: true });
        let reader = thread::spawn(move || {
            let lines = BufReader::new(from_child).lines();
            let read = |line: std::io::Result<String>| {
                ProcessReport::from_line(&line.expect("text")).expect("a report").expect("a line")
            };
            lines.map(read).collect::<Vec<_>>()
        });
        // Ends once all is written.
        drop(reports);
        let heard = reader.join().expect("the reader ends");
        assert_eq!(heard.len() as u64, total - dropped + 1);
        assert_eq!(heard.last(), Some(&ProcessReport::Drained { complete: true }));
    }

    #[test]
    fn a_parent_that_is_gone_ends_it() {
        let (from_child, to_parent) = pipe().expect("a pipe");
        drop(from_child);
        let mut reports = Reports::to(Box::new(to_parent));
        for at_us in 0..1_000 {
            reports.tell(snapshot(at_us));
        }
        drop(reports);
    }
}
