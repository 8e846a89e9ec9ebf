//! What boxes tell during a run in virtual time: records, restarts, and whom they find down.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use account::summary::RecordIntake;
use contract::MemberState;
use switch::pool::Change;
use telemetry::{CallRecord, Rules};
use world::{BoxNotice, NoticeListener};

use super::ledger_hash::LedgerHash;

/// Takes what boxes tell.
#[derive(Debug)]
pub(super) struct BoxListener {
    pub(super) intake: RecordIntake,
    pub(super) hash: LedgerHash,
    /// When a call server began to restart, which, and why.
    pub(super) restarts: Vec<(Duration, SocketAddr, String)>,
    /// When the software of a call server began to hang, which, and why.
    pub(super) hangs: Vec<(Duration, SocketAddr, String)>,
    /// Call servers that trunk groups found down.
    pub(super) falls: Vec<Change>,
    /// Where records are kept, if they are.
    pub(super) file: Option<BufWriter<File>>,
}

impl NoticeListener for BoxListener {
    fn hear(&mut self, elapsed: Duration, from: SocketAddr, notice: BoxNotice) {
        match notice {
            BoxNotice::Record(record) => self.take(&record),
            BoxNotice::Restarting { why } => self.restarts.push((elapsed, from, why)),
            BoxNotice::Change(change) if change.to == MemberState::Down => self.falls.push(change),
            BoxNotice::Hanging { why } => self.hangs.push((elapsed, from, why)),
            BoxNotice::Change(_) | BoxNotice::InService | BoxNotice::Recording(_) => {}
        }
    }
}

impl BoxListener {
    /// Takes records by `rules`, and writes them to `file` if there is one.
    pub(super) fn new(rules: Rules, file: Option<BufWriter<File>>) -> Self {
        Self {
            intake: RecordIntake::open(rules),
            hash: LedgerHash::default(),
            restarts: Vec::new(),
            hangs: Vec::new(),
            falls: Vec::new(),
            file,
        }
    }

    fn take(&mut self, record: &CallRecord) {
        self.intake.add(record);
        self.hash.add(record);
        if let Some(file) = &mut self.file
            && serde_json::to_writer(&mut *file, record).is_ok()
        {
            let _ = file.write_all(b"\n");
        }
    }
}
