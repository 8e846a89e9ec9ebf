//! Faults of a process: it is killed, frozen and thawed as the machine that it stands for.

use std::io;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use operations::FaultAction;

/// Does it to the process `pid`, a child of this one that has not been waited for: SIGKILL, SIGSTOP or SIGCONT.
///
/// # Errors
/// When there is no such process, or it is not ours.
pub fn inject(pid: u32, action: FaultAction) -> io::Result<()> {
    let signal = match action {
        FaultAction::Kill => Signal::SIGKILL,
        FaultAction::Freeze => Signal::SIGSTOP,
        FaultAction::Thaw => Signal::SIGCONT,
        // No signal does that: another process starts, or the sockets are told.
        FaultAction::Restart | FaultAction::Impair | FaultAction::Heal => return Ok(()),
    };
    let pid = i32::try_from(pid).map_err(io::Error::other)?;
    Ok(kill(Pid::from_raw(pid), signal)?)
}
