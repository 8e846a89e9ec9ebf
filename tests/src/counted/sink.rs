//! What takes the records of counted boxes: they are written as a program writes them, but to no file.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use telemetry::RecordWriter;
use world::{BoxNotice, NoticeListener};

/// Writes records to nowhere.
#[derive(Debug)]
pub(crate) struct RecordSink(RecordWriter<io::Sink>);

impl RecordSink {
    pub(crate) fn new() -> Self {
        Self(RecordWriter::new(io::sink()))
    }

    /// Writes the notice down, if it is a record.
    pub(crate) fn take(&mut self, notice: &BoxNotice) {
        if let BoxNotice::Record(record) = notice {
            self.0.write(record);
        }
    }

    /// Records so far.
    pub(crate) fn written(&self) -> u64 {
        self.0.written()
    }
}

impl NoticeListener for RecordSink {
    fn hear(&mut self, _elapsed: Duration, _from: SocketAddr, notice: BoxNotice) {
        self.take(&notice);
    }
}
