//! `tocsin run` as a tester uses it: processes on loopback, real SIP, Ctrl-C, a site killed, bad input.
//!
//! Timers are a tenth of those of RFC 3261, so that what a dead site leaves behind ends in seconds. Every port is the
//! system's choice.

mod api;
mod bench;
mod browsers;
mod cases;
mod console;
mod effects;
mod equal_runs;
mod faults;
mod history;
mod hostile_texts;
mod impairments;
mod ladders;
mod large_network;
mod limits;
mod machine;
mod manage;
mod many_seeds;
mod media;
mod metrics;
mod mistakes;
mod outcomes;
mod page;
mod replay;
mod screen;
mod serving;
mod standing;
mod targets;
mod telephones;
mod traces;
mod two_worlds;
mod usual_day;
mod verdicts;
mod words;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use system_tests::process::Process;
use system_tests::program::tocsin;
use tempfile::TempDir;

/// Two sites, two trunk groups, two PSAPs that answer at once.
const NETWORK: &str = r#"
[timers]
t1 = "50ms"
t2 = "400ms"
t4 = "500ms"

[pool]
probe_interval = "500ms"
probe_timeout = "250ms"

[sites.alpha]
address = "127.0.0.1:0"

[sites.beta]
address = "127.0.0.1:0"

[trunk_groups.mobile]
address = "127.0.0.1:0"
policy = "round-robin"
circuits = 200
next_site_after = "400ms"

[trunk_groups.fixe]
address = "127.0.0.1:0"
policy = "weighted"
circuits = 200
next_site_after = "400ms"

[psaps.samu-59]
address = "127.0.0.1:0"
number = "0353010015"
positions = 200
ring = "100ms"

[psaps.cta-59]
address = "127.0.0.1:0"
number = "0353010018"
positions = 200
ring = "100ms"

[[routes]]
numbers = ["15"]
psaps = ["samu-59"]

[[routes]]
numbers = ["18", "112", "urn:service:sos"]
psaps = ["cta-59"]
"#;

/// Forty calls a second; `{seconds}` of them, each as long as `{talk}`.
const CAMPAIGN: &str = r#"
network = "network.toml"
seed = 7
progress_interval = "200ms"

[[phases]]
name = "steady"
duration = "{seconds}s"
arrivals = { model = "poisson", rate = 40 }

[[mix]]
number = "15"
communes = ["59350"]
weight = 2

[[mix]]
number = "112"
weight = 1

[[mix]]
number = "urn:service:sos.fire"
weight = 1

[callers]
talk = "{talk}"
patience = "10s"
caller_hangs_up = 1.0

# What these tests ask is not how fast the machine is that they run on.
[validity]
lag_p99 = "1m"
cpu = 1.0
late_retransmissions = 1.0
late_rtp = 1.0
clock_step = "1m"
"#;

/// The network with an address of its own for each box, as virtual time wants it, where no system chooses.
fn placed(network: &str) -> String {
    let mut pieces = network.split("127.0.0.1:0");
    let first = pieces.next().unwrap_or_default().to_owned();
    (1_u32..)
        .zip(pieces)
        .fold(first, |text, (number, piece)| format!("{text}127.0.1.{number}:5060{piece}"))
}

/// A folder with a network and a campaign, and the run folders that come out of it.
struct CampaignFolder {
    folder: TempDir,
}

impl CampaignFolder {
    fn new(seconds: u32, talk: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let campaign = CAMPAIGN.replace("{seconds}", &seconds.to_string()).replace("{talk}", talk);
        let workspace = Self { folder };
        workspace.write("network.toml", NETWORK);
        workspace.write("campaign.toml", &campaign);
        workspace
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file in the folder of the test");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts `tocsin run campaign.toml` with further options.
    fn run(&self, options: &[&str]) -> Process {
        let mut command = Command::new(tocsin());
        command.current_dir(self.folder.path()).args(["run", "campaign.toml"]).args(options);
        Process::start("tocsin run", &mut command)
    }

    fn summary(&self) -> Value {
        let path = self.path("runs/latest/summary.json");
        let text = fs::read_to_string(&path).expect("a summary");
        serde_json::from_str(&text).expect("JSON in the summary")
    }
}

/// The ledger of a run: it balances, and its sum is what was offered.
fn balanced(summary: &Value) -> u64 {
    let ledger = &summary["ledger"];
    assert_eq!(ledger["balanced"], true, "{ledger:#}");
    let of = |name: &str| ledger[name].as_u64().expect("a count");
    let sum: u64 =
        ["answered", "rejected", "abandoned", "timed_out", "lost"].into_iter().map(of).sum();
    assert_eq!(of("offered"), sum, "{ledger:#}");
    assert!(sum > 0, "no call was made");
    sum
}
