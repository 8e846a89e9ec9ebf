//! What befalls the process of a machine: it loses power, or it does nothing for a while.

use std::io;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// What a process suffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// It ends at once and says no farewell (SIGKILL).
    Cut,
    /// It does nothing until it is [`Restored`](Self::Restored) (SIGSTOP).
    Frozen,
    /// It goes on (SIGCONT).
    Restored,
}

impl Power {
    /// Does it to the process `pid`, a child of this one that has not been waited for.
    ///
    /// # Errors
    /// When there is no such process, or it is not ours.
    pub fn strike(self, pid: u32) -> io::Result<()> {
        let signal = match self {
            Self::Cut => Signal::SIGKILL,
            Self::Frozen => Signal::SIGSTOP,
            Self::Restored => Signal::SIGCONT,
        };
        let pid = i32::try_from(pid).map_err(io::Error::other)?;
        Ok(kill(Pid::from_raw(pid), signal)?)
    }
}
