//! Rows, made once for all who write them down. Each of these has a thread of its own and gets them in batches.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use telemetry::{Attempt, AttemptReader};

use super::cell::Cell;
use super::record_row::{self, RECORD_COLUMNS};
use super::row::{COLUMNS, RowSource};

/// Attempts of which the records of all boxes are kept too.
pub(super) const RECORDS_OF: usize = 200_000;

/// Rows that are handed over at a time, and batches that may wait for a writer.
const BATCH: usize = 128;
const WAITING: usize = 4;

/// Some rows, in the order of their attempts.
#[derive(Debug, Clone)]
pub struct Batch(Arc<PackedRows>);

#[derive(Debug, Default)]
struct PackedRows {
    rows: Vec<RowHead>,
    /// Those of each row, and then those of its records.
    cells: Vec<PackedCell>,
    texts: String,
}

#[derive(Debug)]
struct RowHead {
    due_us: u64,
    records: usize,
}

/// A cell whose text is elsewhere.
#[derive(Debug, Clone, Copy)]
enum PackedCell {
    Nothing,
    Number(i64),
    Real(f64),
    /// From, to.
    Text(u32, u32),
}

/// An attempt of the campaign, ready to be written down.
#[derive(Debug, Clone, Copy)]
pub(super) struct AttemptRow<'a> {
    pub(super) cells: Cells<'a>,
    /// What each box said of an attempt that did not go well; nothing of one that did.
    records: Cells<'a>,
    /// The intended start, Unix microseconds.
    pub(super) due_us: u64,
}

/// Cells that follow each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells<'a> {
    cells: &'a [PackedCell],
    texts: &'a str,
}

impl<'a> Cells<'a> {
    pub(super) fn iter(self) -> impl Iterator<Item = Cell<'a>> {
        self.cells.iter().map(move |cell| match *cell {
            PackedCell::Nothing => Cell::Nothing,
            PackedCell::Number(number) => Cell::Number(number),
            PackedCell::Real(real) => Cell::Real(real),
            PackedCell::Text(from, to) => Cell::Text(&self.texts[from as usize..to as usize]),
        })
    }
}

impl<'a> AttemptRow<'a> {
    /// Each record of a box.
    pub(super) fn records(&self) -> impl Iterator<Item = Cells<'a>> {
        let Cells { cells, texts } = self.records;
        cells.chunks_exact(RECORD_COLUMNS).map(move |cells| Cells { cells, texts })
    }
}

impl Batch {
    pub(super) fn iter(&self) -> impl Iterator<Item = AttemptRow<'_>> {
        let PackedRows { rows, cells, texts } = &*self.0;
        let mut rest = &cells[..];
        rows.iter().map(move |row| {
            let (cells, after) = rest.split_at(COLUMNS.len());
            let (records, after) = after.split_at(row.records * RECORD_COLUMNS);
            rest = after;
            AttemptRow {
                cells: Cells { cells, texts },
                records: Cells { cells: records, texts },
                due_us: row.due_us,
            }
        })
    }
}

impl PackedRows {
    fn put(&mut self, cell: Cell<'_>) {
        self.cells.push(match cell {
            Cell::Nothing => PackedCell::Nothing,
            Cell::Number(number) => PackedCell::Number(number),
            Cell::Real(real) => PackedCell::Real(real),
            Cell::Text(text) => {
                let from = self.texts.len();
                self.texts.push_str(text);
                PackedCell::Text(place(from), place(self.texts.len()))
            }
        });
    }
}

fn place(at: usize) -> u32 {
    u32::try_from(at).expect("the texts of a batch are shorter than 4 GiB")
}

/// Makes the row of each attempt that it reads.
#[derive(Debug)]
pub struct AttemptRows {
    campaign_start_us: u64,
    batch: PackedRows,
    /// Attempts whose records may still be kept.
    left: usize,
    writers: Vec<SyncSender<Batch>>,
}

impl AttemptRows {
    /// `campaign_start_us` is the start of the campaign.
    #[must_use]
    pub fn new(campaign_start_us: u64) -> Self {
        let (batch, writers) = (PackedRows::default(), Vec::new());
        Self { campaign_start_us, batch, left: RECORDS_OF, writers }
    }

    /// One more who writes them down.
    pub fn subscribe(&mut self) -> Receiver<Batch> {
        let (writer, rows) = sync_channel(WAITING);
        self.writers.push(writer);
        rows
    }

    /// There are no more attempts.
    pub fn finish(mut self) {
        self.hand_over();
    }

    fn hand_over(&mut self) {
        let (cells, texts) = (self.batch.cells.len(), self.batch.texts.len());
        let next = PackedRows {
            rows: Vec::with_capacity(BATCH),
            cells: Vec::with_capacity(cells),
            texts: String::with_capacity(texts),
        };
        let batch = Batch(Arc::new(std::mem::replace(&mut self.batch, next)));
        // One whose disk is full has gone.
        self.writers.retain(|writer| writer.send(batch.clone()).is_ok());
    }
}

impl AttemptReader for AttemptRows {
    fn add(&mut self, attempt: &Attempt<'_>) {
        if self.writers.is_empty() {
            return;
        }
        let Some(source) = RowSource::of(attempt, self.campaign_start_us) else { return };
        source.cells().for_each(|cell| self.batch.put(cell));
        let mut records = 0;
        if !source.is_good() && self.left > 0 {
            self.left -= 1;
            for entry in attempt.records() {
                records += 1;
                record_row::put(&entry, self.campaign_start_us, |cell| self.batch.put(cell));
            }
        }
        self.batch.rows.push(RowHead { due_us: source.due_us(), records });
        if self.batch.rows.len() == BATCH {
            self.hand_over();
        }
    }
}
