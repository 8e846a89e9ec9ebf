//! Signals that ask a program to end.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT, SIGTERM and SIGHUP of this process, from the moment this exists.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// The terminal was closed.
    hangup: Signal,
    heed: bool,
}

impl Signals {
    /// Catches the signals. Without `heed` they are caught and ignored: Ctrl-C, `timeout` and
    /// `docker stop` may reach a whole process group, and a supervised program leaves the answer
    /// to its parent. When the parent is gone, the end of its input tells.
    pub(crate) fn catch(heed: bool) -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            heed,
        })
    }

    /// Waits for the next signal that asks to end; for ever if none is heeded. Cancel safe.
    pub(crate) async fn next(&mut self) {
        if !self.heed {
            return std::future::pending().await;
        }
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
