//! Signals that ask a program to end.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM of this process, from the moment this exists.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    heed_interrupt: bool,
}

impl Signals {
    /// Catches the signals. Without `heed_interrupt`, SIGINT is caught and ignored: Ctrl-C reaches
    /// the whole process group of a terminal, and a supervised program leaves the answer to its
    /// parent.
    pub(crate) fn catch(heed_interrupt: bool) -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            heed_interrupt,
        })
    }

    /// Waits for the next signal that asks to end. Cancel safe.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv(), if self.heed_interrupt => {}
            _ = self.terminate.recv() => {}
        }
    }
}
