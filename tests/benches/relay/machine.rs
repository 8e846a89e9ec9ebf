//! What the kernel tells of processes, cores and sockets, and how a program is bound to a core.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::session::{PHONE_A, PHONE_B};

/// The relay under test has this core for itself.
pub(crate) const RELAY: usize = 0;

/// The phones have this one.
pub(crate) const PHONES: usize = 1;

/// `USER_HZ`, the unit of time below /proc: 100 on every Linux.
const TICKS_PER_SECOND: u32 = 100;

/// A session of its own has a share of the core of its own (sched(7), autogroup). That and its niceness prefer the
/// program to other work of the machine, where that is allowed. It may have as many files as the machine gives, and
/// ends when this program ends.
const SCRIPT: &str = "ulimit -n \"$(ulimit -Hn)\"
    { echo -15 >/proc/self/autogroup; renice -n -15 $$; } >/dev/null 2>&1
    exec setpriv --pdeathsig KILL taskset -c \"$0\" \"$@\"";

/// A command that runs `program` on one core. Preference changes no figure, only how often a step must be repeated.
pub(crate) fn pinned(core: usize, program: &Path) -> Command {
    let mut command = Command::new("setsid");
    command.args(["sh", "-c", SCRIPT, &core.to_string()]).arg(program);
    command
}

/// User and system time of a process with all its threads.
pub(crate) fn cpu_time(process: u32) -> anyhow::Result<Duration> {
    let text = read(&format!("/proc/{process}/stat"))?;
    // The name of the program, in parentheses, may hold anything: proc_pid_stat(5).
    let (_, fields) = text.rsplit_once(')').context("a line of /proc/PID/stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let times = fields.get(11..13).context("utime and stime")?;
    let ticks = times.iter().map(|field| field.parse::<u32>()).sum::<Result<u32, _>>()?;
    Ok(Duration::from_secs(1) * ticks / TICKS_PER_SECOND)
}

/// For how long the threads of a process could have run and did not, because something else had their core.
pub(crate) fn waiting_time(process: u32) -> anyhow::Result<Duration> {
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
pub(crate) fn resident(process: u32) -> anyhow::Result<u64> {
    let text = read(&format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}

/// Datagrams that the kernel has dropped because a UDP socket of this host did not read in time.
pub(crate) fn drops(host: Ipv4Addr) -> anyhow::Result<u64> {
    let text = read("/proc/net/udp")?;
    // In hexadecimal, the host in the byte order of the machine: proc_pid_net(5).
    let local = format!(": {:08X}:", u32::from_ne_bytes(host.octets()));
    let own = text.lines().filter(|line| line.contains(&local));
    let last = own.filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok());
    Ok(last.sum())
}

/// Microseconds that the kernel takes to send a datagram of 172 bytes and to receive it: no relay that does this for
/// each packet is cheaper. It tells how fast this machine is at the moment.
pub(crate) fn datagram_cost() -> anyhow::Result<f64> {
    const COUNT: u32 = 50_000;
    let (sender, receiver) = (UdpSocket::bind((PHONE_A, 0))?, UdpSocket::bind((PHONE_B, 0))?);
    sender.connect(receiver.local_addr()?)?;
    let mut packet = [0; 172];
    let start = Instant::now();
    for _ in 0..COUNT {
        sender.send(&packet)?;
        receiver.recv(&mut packet)?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(COUNT))
}

/// There must be a core for the relay and one for the phones.
pub(crate) fn check_cores() -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    ensure!(cores > PHONES, "this benchmark needs two cores, here is {cores}");
    Ok(())
}

fn read(file: &str) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {file}"))
}
