//! What the operating system allows this process, and what the process has used.

use std::io;

use contract::Usage;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::TimeValLike;

/// Allows as many open files as the hard limit permits, and returns how many that is.
///
/// The usual soft limit of 1,024 is less than the sockets of a few hundred calls.
///
/// # Errors
/// The system refused to read or to change the limit.
pub fn raise_fd_limit() -> io::Result<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}

/// How many files this process may open at once: its limit now, and up to which it may raise it.
///
/// # Errors
/// The system refused to read the limit.
pub fn fd_limits() -> io::Result<(u64, u64)> {
    Ok(getrlimit(Resource::RLIMIT_NOFILE)?)
}

/// Keeps memory of this process in small pages.
///
/// The first touch of a huge page takes as long as the kernel needs to find and clear 2 MiB: up to 10 ms on a virtual machine,
/// in the middle of a call. Small pages cost a little more in all, and nothing that anybody notices at once.
///
/// # Errors
/// The system refused.
pub(crate) fn forbid_huge_pages() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_thp_disable(true)?;
    Ok(())
}

/// Reads what this process has used; zero where the system does not tell.
#[must_use]
pub fn usage() -> Usage {
    let Ok(used) = getrusage(UsageWho::RUSAGE_SELF) else {
        return Usage::default();
    };
    let max_rss = u64::try_from(used.max_rss()).unwrap_or(0);
    Usage {
        user_us: u64::try_from(used.user_time().num_microseconds()).unwrap_or(0),
        system_us: u64::try_from(used.system_time().num_microseconds()).unwrap_or(0),
        // macOS counts in bytes.
        max_rss_kib: if cfg!(target_os = "macos") { max_rss / 1024 } else { max_rss },
        ..Usage::default()
    }
}
