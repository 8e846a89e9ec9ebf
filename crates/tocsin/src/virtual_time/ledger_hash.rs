//! The hash of everything that boxes have recorded: two runs that agree in it are the same run.

use sha2::{Digest as _, Sha256};
use telemetry::CallRecord;

#[derive(Debug, Default)]
pub(crate) struct LedgerHash(Sha256);

impl LedgerHash {
    pub(crate) fn add(&mut self, record: &CallRecord) {
        let mut text = |text: &str| {
            self.0.update(text.as_bytes());
            self.0.update([0]);
        };
        text(&record.attempt);
        text(&record.node);
        text(&record.number);
        text(record.site.as_deref().unwrap_or_default());
        text(record.psap.as_deref().unwrap_or_default());
        let times = [record.start_us, record.answer_us.unwrap_or_default(), record.end_us];
        times.iter().for_each(|time| self.0.update(time.to_le_bytes()));
        self.0.update([record.kind as u8, record.outcome as u8]);
        self.0.update(record.status.unwrap_or_default().to_le_bytes());
    }

    /// 64 hexadecimal digits.
    pub(crate) fn finish(self) -> String {
        use std::fmt::Write as _;
        self.0.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}
