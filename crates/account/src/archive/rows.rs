//! Rows, made once for all who write them down. Each of these has a thread of its own and gets them in batches.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use telemetry::{Attempt, AttemptReader};

use super::record_row::{self, RecordRow};
use super::row::AttemptRow;

/// Attempts of which the records of all boxes are kept too.
pub(super) const RECORDS_OF: usize = 200_000;

/// Rows that are handed over at a time, and batches that may wait for a writer.
const BATCH: usize = 128;
const WAITING: usize = 4;

/// Some rows, in the order of their attempts.
#[derive(Debug, Clone)]
pub struct Batch<'a>(Arc<Vec<(AttemptRow<'a>, Records<'a>)>>);

impl<'a> Batch<'a> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &(AttemptRow<'a>, Records<'a>)> {
        self.0.iter()
    }
}

/// What each box said of an attempt that did not go well; nothing of one that did.
pub(super) type Records<'a> = Vec<RecordRow<'a>>;

/// Makes the row of each attempt that it reads.
#[derive(Debug)]
pub struct AttemptRows<'a> {
    campaign_start_us: u64,
    batch: Vec<(AttemptRow<'a>, Records<'a>)>,
    /// Attempts whose records may still be kept.
    left: usize,
    writers: Vec<SyncSender<Batch<'a>>>,
}

impl<'a> AttemptRows<'a> {
    /// `campaign_start_us` is the start of the campaign.
    #[must_use]
    pub const fn new(campaign_start_us: u64) -> Self {
        Self { campaign_start_us, batch: Vec::new(), left: RECORDS_OF, writers: Vec::new() }
    }

    /// One more who writes them down.
    pub fn subscribe(&mut self) -> Receiver<Batch<'a>> {
        let (writer, rows) = sync_channel(WAITING);
        self.writers.push(writer);
        rows
    }

    /// There are no more attempts.
    pub fn finish(mut self) {
        self.hand_over();
    }

    fn hand_over(&mut self) {
        let batch = Batch(Arc::new(std::mem::take(&mut self.batch)));
        // One whose disk is full has gone.
        self.writers.retain(|writer| writer.send(batch.clone()).is_ok());
    }
}

impl<'a> AttemptReader<'a> for AttemptRows<'a> {
    fn add(&mut self, attempt: &Attempt<'a>) {
        if self.writers.is_empty() {
            return;
        }
        let Some(row) = AttemptRow::of(attempt, self.campaign_start_us) else { return };
        let mut records = Vec::new();
        if !row.is_good && self.left > 0 {
            self.left -= 1;
            records.extend(
                attempt.records().map(|entry| record_row::of(entry, self.campaign_start_us)),
            );
        }
        self.batch.push((row, records));
        if self.batch.len() == BATCH {
            self.hand_over();
        }
    }
}
