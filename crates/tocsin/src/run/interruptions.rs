//! Ctrl-C, and the signals and keys that mean the same.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::screen::Key;

/// Exit code after an interruption before the first call.
pub(crate) const INTERRUPTED: u8 = 130;

/// SIGINT, SIGTERM and SIGHUP: the first one drains, the second one stops.
pub(crate) struct Interruptions {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    count: u32,
}

impl Interruptions {
    pub(crate) fn catch() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            count: 0,
        })
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
        self.count += 1;
    }

    /// Takes a key on the screen as the signal that it stands for.
    pub(crate) const fn press(&mut self, key: Key) {
        self.count = match key {
            Key::Interrupt => self.count + 1,
            Key::Stop => 2,
        };
    }

    pub(crate) const fn seen(&self) -> bool {
        self.count > 0
    }

    pub(crate) const fn are_urgent(&self) -> bool {
        self.count > 1
    }
}
