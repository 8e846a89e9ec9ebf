//! What stands between a caller and a callee, and the two boxes of ours that take the place of one of them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use system_tests::built::release;
use system_tests::machine;
use system_tests::process::{Process, installed};

use crate::place::{BETWEEN, CALLEE, CALLER, TRUNK_GROUP};
use crate::sipp::NUMBER;

/// As many as there are without the setting, which is what its users have.
const KAMAILIO_CHILDREN: &str = "8";

/// A site, a trunk group and an answering point; where the others are depends on who takes part.
const NETWORK: &str = r#"
name = "peers"
# Room for the calls that are held: two pairs each.
[media]
ports = "10000-65535"
[pool]
probe_interval = "1h"
[sites.one]
address = "SITE"
max_calls = 1000000
[trunk_groups.trunk]
address = "TRUNK"
circuits = 10000
calls_per_source = 0
unacknowledged_per_source = 0
peers = ["127.0.0.0/8"]
[psaps.centre]
address = "PSAP"
number = "NUMBER"
positions = 10000
queue = 100000
ring = "0s"
talk = "never"
wrap_up = "0s"
[[routes]]
numbers = ["NUMBER"]
psaps = ["centre"]
"#;

/// A way for calls, of which one or two processes are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// SIPp calls SIPp.
    Sipp,
    /// Our generator calls SIPp.
    Generator,
    /// SIPp calls our PSAP.
    Psap,
    Floor,
    Kamailio,
    CallServer,
    TrunkGroup,
    /// Trunk group and call server.
    Path,
}

/// The processes between caller and callee, and whom the caller calls.
#[derive(Debug)]
pub(crate) struct Between {
    pub(crate) processes: Vec<Process>,
    pub(crate) to: SocketAddr,
    /// They have processes of their own, which they must end.
    is_family: bool,
}

impl Drop for Between {
    fn drop(&mut self) {
        if self.is_family {
            self.processes.iter_mut().for_each(Process::terminate);
        }
    }
}

impl Between {
    fn new(processes: Vec<Process>, to: SocketAddr) -> Self {
        Self { processes, to, is_family: false }
    }
}

impl Way {
    /// In the order of a round: what is compared stands side by side.
    pub(crate) const ALL: [Self; 8] = [
        Self::Sipp,
        Self::Generator,
        Self::Psap,
        Self::Floor,
        Self::CallServer,
        Self::Kamailio,
        Self::TrunkGroup,
        Self::Path,
    ];

    /// Those between a SIPp and another one.
    pub(crate) const BETWEEN: [Self; 5] =
        [Self::Floor, Self::CallServer, Self::Kamailio, Self::TrunkGroup, Self::Path];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sipp => "sipp",
            Self::Generator => "generator",
            Self::Psap => "psap",
            Self::Floor => "floor",
            Self::Kamailio => "kamailio",
            Self::CallServer => "call_server",
            Self::TrunkGroup => "trunk_group",
            Self::Path => "whole_path",
        }
    }

    /// Starts what is between caller and callee, on one core. The files of the processes go to `folder`.
    pub(crate) fn start(self, core: usize, folder: &Path) -> anyhow::Result<Between> {
        Ok(match self {
            Self::Sipp | Self::Generator => Between::new(Vec::new(), CALLEE),
            Self::Psap => {
                let network = network(folder, BETWEEN, TRUNK_GROUP, CALLEE)?;
                let mut psap = tocsin(core, folder, "psap", &network, &[])?;
                psap.until(r#"{"ready":"#);
                Between::new(vec![psap], CALLEE)
            }
            Self::Floor => {
                let mut command = machine::pinned(core, &std::env::current_exe()?);
                let mut floor = Process::start("floor", command.arg("floor"));
                floor.until_listening(BETWEEN);
                Between::new(vec![floor], BETWEEN)
            }
            Self::Kamailio => {
                let processes = vec![kamailio(core, folder)?];
                Between { processes, to: BETWEEN, is_family: true }
            }
            Self::CallServer => {
                let network = network(folder, BETWEEN, TRUNK_GROUP, CALLEE)?;
                let site = started(core, folder, &network, &["--site", "one"])?;
                Between::new(vec![site], BETWEEN)
            }
            Self::TrunkGroup => {
                // What answers has the place of the site.
                let network = network(folder, CALLEE, TRUNK_GROUP, CALLER)?;
                let trunks = started(core, folder, &network, &["--trunks"])?;
                Between::new(vec![trunks], TRUNK_GROUP)
            }
            Self::Path => {
                let network = network(folder, BETWEEN, TRUNK_GROUP, CALLEE)?;
                let site = started(core, folder, &network, &["--site", "one"])?;
                let trunks = started(core, folder, &network, &["--trunks"])?;
                Between::new(vec![site, trunks], TRUNK_GROUP)
            }
        })
    }
}

/// `tocsin switch`, when it listens.
fn started(core: usize, folder: &Path, network: &Path, which: &[&str]) -> anyhow::Result<Process> {
    let mut process = tocsin(core, folder, "switch", network, which)?;
    process.until(r#"{"ready":"#);
    Ok(process)
}

fn tocsin(
    core: usize,
    folder: &Path,
    program: &str,
    network: &Path,
    which: &[&str],
) -> anyhow::Result<Process> {
    let records = folder.join(format!("{program}{}.jsonl", which.concat()));
    let mut command = machine::pinned(core, &release()?);
    command.current_dir(folder).arg(program).arg(network).args(which);
    command.args(["--supervised", "--log-filter", "warn", "--records"]).arg(records);
    Ok(Process::start(&format!("tocsin {program}"), &mut command))
}

/// Starts our generator, which calls `to`. It waits for nothing, and ends with its calls.
pub(crate) fn generator(
    core: usize,
    folder: &Path,
    to: SocketAddr,
    rate: u32,
    length: Duration,
    talk: Duration,
) -> anyhow::Result<Process> {
    network(folder, BETWEEN, TRUNK_GROUP, CALLEE)?;
    let campaign = folder.join("campaign.toml");
    let (seconds, talk) = (length.as_millis(), talk.as_millis());
    let text = format!(
        "network = \"network.toml\"\nseed = 1\ndrain_timeout = \"10s\"\n\
         [[phases]]\nname = \"load\"\nduration = \"{seconds}ms\"\n\
         arrivals = {{ model = \"constant\", rate = {rate} }}\n\
         [[mix]]\nnumber = \"{NUMBER}\"\nweight = 1\n\
         [callers]\ntalk = \"{talk}ms\"\npatience = \"endless\"\ncaller_hangs_up = 1.0\nmedia = 0\n\
         [limits]\nmax_in_progress = 1000000\n"
    );
    fs::write(&campaign, text)?;
    let records = records_of_generator(folder);
    let mut command = machine::pinned(core, &release()?);
    command.current_dir(folder).arg("load").arg(&campaign);
    command.args(["--target", &to.to_string(), "--no-probe", "--log-filter", "warn"]);
    command.args(["--address", &CALLER.to_string(), "--records"]).arg(records);
    Ok(Process::start("tocsin load", &mut command))
}

/// Where our generator writes down what became of its calls.
pub(crate) fn records_of_generator(folder: &Path) -> PathBuf {
    folder.join("load.jsonl")
}

/// The file of the network.
fn network(
    folder: &Path,
    site: SocketAddr,
    trunk: SocketAddr,
    psap: SocketAddr,
) -> anyhow::Result<PathBuf> {
    let file = folder.join("network.toml");
    let text = NETWORK.replace("NUMBER", NUMBER).replace("SITE", &site.to_string());
    let text = text.replace("TRUNK", &trunk.to_string()).replace("PSAP", &psap.to_string());
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// Its log goes nowhere and it has no configuration but ours.
fn kamailio(core: usize, folder: &Path) -> anyhow::Result<Process> {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/kamailio.cfg");
    let targets = folder.join("targets.list");
    fs::write(&targets, format!("1 sip:{CALLEE}\n"))?;
    let mut command = machine::pinned_family(core, &installed("kamailio", "kamailio"));
    command.arg("-f").arg(config).args(["-DD", "-m", "1024", "-M", "16"]);
    command.args(["-A", &format!("LISTEN=udp:{BETWEEN}")]);
    command.args(["-A", &format!("CHILDREN={KAMAILIO_CHILDREN}")]);
    command.args(["-A", &format!("TARGETS=\"{}\"", targets.display())]);
    command.arg("-w").arg(folder).arg("-Y").arg(folder);
    let mut process = Process::start("Kamailio", &mut command);
    process.until_listening(BETWEEN);
    Ok(process)
}
