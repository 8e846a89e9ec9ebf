//! What the kernel tells of processes, cores and sockets, and how a program is bound to a core: for benches.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

/// What is measured has this core for itself.
pub const MEASURED: usize = 0;

/// What drives it and listens has this one, unless both are to share one.
pub const DRIVERS: usize = 1;

/// `USER_HZ`, the unit of time below /proc: 100 on every Linux.
const TICKS_PER_SECOND: u32 = 100;

/// A session of its own has a share of the core of its own (sched(7), autogroup). That and its niceness prefer the
/// program to other work of the machine, where that is allowed. It may have as many files as the machine gives, and
/// ends when this program ends.
const SCRIPT: &str = "ulimit -n \"$(ulimit -Hn)\"
    { echo -15 >/proc/self/autogroup; renice -n -15 $$; } >/dev/null 2>&1
    signal=$1; shift
    exec setpriv --pdeathsig \"$signal\" taskset -c \"$0\" \"$@\"";

/// A command that runs `program` on one core. Preference changes no figure, only how often a step must be repeated.
#[must_use]
pub fn pinned(core: usize, program: &Path) -> Command {
    pinned_until(core, "KILL", program)
}

/// The same for a program that has processes of its own, which it ends when this program ends and it is sent TERM.
#[must_use]
pub fn pinned_family(core: usize, program: &Path) -> Command {
    pinned_until(core, "TERM", program)
}

fn pinned_until(core: usize, signal: &str, program: &Path) -> Command {
    let mut command = Command::new("setsid");
    command.args(["sh", "-c", SCRIPT, &core.to_string(), signal]).arg(program);
    command
}

/// A process, its children, and theirs.
#[must_use]
pub fn family(process: u32) -> Vec<u32> {
    let mut family = vec![process];
    let mut next = 0;
    while let Some(parent) = family.get(next) {
        let threads = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
        let children = threads
            .map(|thread| fs::read_to_string(thread.path().join("children")).unwrap_or_default());
        let children: String = children.collect::<Vec<_>>().join(" ");
        family.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        next += 1;
    }
    family
}

/// For how long all threads of a process and of its family have been on a core, user and system, to the nanosecond:
/// `/proc/PID/stat` says the same in units of 10 ms, which is too coarse for a second of a cheap box.
///
/// # Errors
/// The process is gone.
pub fn core_time(process: u32) -> anyhow::Result<Duration> {
    let mut sum = Duration::ZERO;
    for member in family(process) {
        for thread in fs::read_dir(format!("/proc/{member}/task"))? {
            // A thread may end between the two looks.
            let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            let on_core = text.split_whitespace().next().and_then(|field| field.parse().ok());
            sum += Duration::from_nanos(on_core.context("a time on the core")?);
        }
    }
    Ok(sum)
}

/// How often the threads of a process and of its family have gone to sleep: as often they were woken.
///
/// # Errors
/// The process is gone.
pub fn sleeps(process: u32) -> anyhow::Result<u64> {
    let mut sum = 0;
    for member in family(process) {
        for thread in fs::read_dir(format!("/proc/{member}/task"))? {
            let text = fs::read_to_string(thread?.path().join("status")).unwrap_or_default();
            let count = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            sum += count.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or_default();
        }
    }
    Ok(sum)
}

/// User and system time of a process with all its threads.
///
/// # Errors
/// The process is gone.
pub fn cpu_time(process: u32) -> anyhow::Result<Duration> {
    let text = read(&format!("/proc/{process}/stat"))?;
    // The name of the program, in parentheses, may hold anything: proc_pid_stat(5).
    let (_, fields) = text.rsplit_once(')').context("a line of /proc/PID/stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let times = fields.get(11..13).context("utime and stime")?;
    let ticks = times.iter().map(|field| field.parse::<u32>()).sum::<Result<u32, _>>()?;
    Ok(Duration::from_secs(1) * ticks / TICKS_PER_SECOND)
}

/// For how long the threads of a process could have run and did not, because something else had their core.
///
/// # Errors
/// The kernel does not tell.
pub fn waiting_time(process: u32) -> anyhow::Result<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // Time on the core, time waiting for it, both in nanoseconds, and turns.
        let text = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        let waiting = text.split_whitespace().nth(1).and_then(|field| field.parse().ok());
        sum += Duration::from_nanos(waiting.unwrap_or_default());
    }
    Ok(sum)
}

/// Bytes of memory that a process has in use.
///
/// # Errors
/// The kernel does not tell.
pub fn resident(process: u32) -> anyhow::Result<u64> {
    let text = read(&format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}

/// Datagrams that the kernel has dropped because a UDP socket of this host did not read in time.
///
/// # Errors
/// The kernel does not tell.
pub fn drops(host: Ipv4Addr) -> anyhow::Result<u64> {
    let text = read("/proc/net/udp")?;
    // In hexadecimal, the host in the byte order of the machine: proc_pid_net(5).
    let local = format!(": {:08X}:", u32::from_ne_bytes(host.octets()));
    let own = text.lines().filter(|line| line.contains(&local));
    let last = own.filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok());
    Ok(last.sum())
}

/// Microseconds that the kernel takes to send a datagram of 172 bytes and to receive it: no relay that does this for
/// each packet is cheaper. It tells how fast this machine is at the moment.
///
/// # Errors
/// There is no socket to be had.
pub fn datagram_cost() -> anyhow::Result<f64> {
    const COUNT: u32 = 50_000;
    let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    let (sender, receiver) = (bind()?, bind()?);
    sender.connect(receiver.local_addr()?)?;
    let mut packet = [0; 172];
    let start = Instant::now();
    for _ in 0..COUNT {
        sender.send(&packet)?;
        receiver.recv(&mut packet)?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(COUNT))
}

/// There must be a core for what is measured and one for what drives it.
///
/// # Errors
/// There is only one.
pub fn check_cores() -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    ensure!(cores > DRIVERS, "this benchmark needs two cores, here is {cores}");
    Ok(())
}

fn read(file: &str) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {file}"))
}
