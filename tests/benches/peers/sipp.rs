//! SIPp, which calls and answers.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use system_tests::machine;
use system_tests::process::{Process, installed};
use system_tests::sipp_statistics::SippCounts;

use crate::place::CALLEE;

/// Whom all call: the route of the network knows this number, and the PSAP has it.
pub(crate) const NUMBER: &str = "0199000015";

/// For calls that should have ended, and for the statistics of each second.
const PATIENCE: Duration = Duration::from_secs(4);

/// Calls to place: how many a second, how many in all, and how long each is held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calls {
    pub(crate) rate: u32,
    pub(crate) count: u32,
    pub(crate) held_ms: u32,
}

/// A SIPp that calls.
#[derive(Debug)]
pub(crate) struct Caller {
    process: Process,
    statistics: PathBuf,
}

/// Starts a SIPp that answers at once.
pub(crate) fn callee(core: usize, folder: &Path) -> Process {
    let mut command = machine::pinned(core, &installed("sipp", "sip-tester"));
    command.current_dir(folder).env("TERM", "dumb");
    // -aa: it answers the OPTIONS of a trunk group too.
    command.args(["-sf", &scenario("callee.xml"), "-nostdin", "-aa"]);
    command.args(["-i", &CALLEE.ip().to_string(), "-mi", &CALLEE.ip().to_string()]);
    command.args(["-p", &CALLEE.port().to_string()]);
    let mut process = Process::start("SIPp as callee", &mut command);
    process.until_listening(CALLEE);
    process
}

impl Caller {
    /// Starts a SIPp at `from` that calls `to`.
    pub(crate) fn start(
        core: usize,
        folder: &Path,
        from: SocketAddr,
        to: SocketAddr,
        calls: Calls,
    ) -> Self {
        let statistics = folder.join(format!("caller-{}.csv", from.ip()));
        // What an earlier run left would be added to.
        let _ = fs::remove_file(&statistics);
        let Calls { rate, count, held_ms } = calls;
        let mut command = machine::pinned(core, &installed("sipp", "sip-tester"));
        command.current_dir(folder).env("TERM", "dumb");
        command.args(["-sf", &scenario("caller.xml"), &to.to_string(), "-nostdin"]);
        command.args(["-i", &from.ip().to_string(), "-mi", &from.ip().to_string()]);
        command.args(["-p", &from.port().to_string(), "-l", "1000000", "-s", NUMBER]);
        command.args(["-r", &rate.to_string(), "-m", &count.to_string()]);
        command.args(["-d", &held_ms.to_string(), "-trace_stat", "-fd", "1", "-stf"]);
        command.arg(&statistics);
        let process = Process::start("SIPp as caller", &mut command);
        Self { process, statistics }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Calls that it holds now, or held a second ago.
    pub(crate) fn holds(&self) -> Option<u64> {
        SippCounts::read(&fs::read_to_string(&self.statistics).ok()?).map(|counts| counts.current)
    }

    /// Waits for its end, but no longer than [`PATIENCE`], and returns what it counted. Calls in which something was lost
    /// may go on for a minute.
    pub(crate) fn finish(mut self) -> anyhow::Result<SippCounts> {
        let end = Instant::now() + PATIENCE;
        while !self.process.has_ended() && Instant::now() < end {
            sleep(Duration::from_millis(20));
        }
        let text = fs::read_to_string(&self.statistics).context("the statistics of SIPp")?;
        SippCounts::read(&text).with_context(|| format!("no counts of SIPp: {text}"))
    }
}

fn scenario(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
    folder.join(name).to_string_lossy().into_owned()
}
