//! How many calls the generator places, on one core and on two, and what sharing the load out costs: `make bench` prints these
//! figures and writes `target/bench-generator.json`. What a call costs it beside SIPp, `make bench-peers` tells.
//!
//! It calls an answering point of our own, as SIPp's callee gives up first. That has the other core; where the generator has
//! two, it shares them.

use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use system_tests::built::{release, target_folder};
use system_tests::spread::median;

/// One PSAP, and a trunk group whose address `--target` replaces.
const NETWORK: &str = r#"
name = "bench"
[sites.one]
address = "127.0.0.1:0"
[trunk_groups.trunk]
address = "127.0.0.1:0"
[psaps.centre]
address = "{psap}"
number = "0199000015"
positions = 10000
queue = 10000
ring = "0s"
talk = "never"
[[routes]]
numbers = ["15"]
psaps = ["centre"]
"#;

const SECONDS: u32 = 8;

struct Bench {
    folder: tempfile::TempDir,
    program: PathBuf,
}

/// A callee, ended with this value.
struct Callee(Child);

impl Drop for Callee {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> anyhow::Result<()> {
    let bench = Bench::new()?;
    let mut figures = serde_json::Map::new();
    figures.insert("on_one_core".to_owned(), bench.highest_rate(1)?);
    figures.insert("on_two_cores".to_owned(), bench.highest_rate(2)?);
    figures.insert("cpu_us_per_call_by_shards_at_1000_cps".to_owned(), bench.shards()?);
    let text = serde_json::to_string_pretty(&Value::Object(figures))?;
    let target = target_folder()?.join("bench-generator.json");
    fs::write(&target, &text)?;
    println!("\n{text}\nwritten to {}", target.display());
    Ok(())
}

impl Bench {
    fn new() -> anyhow::Result<Self> {
        let program = release()?;
        Ok(Self { folder: tempfile::tempdir()?, program })
    }

    /// The highest rate at which the run is valid and every call is answered, and the lag at half of it.
    fn highest_rate(&self, shards: u32) -> anyhow::Result<Value> {
        let (_callee, target) = self.psap(shards == 1)?;
        let mut best = None;
        let mut limit = Value::Null;
        for rate in (1_000..=20_000).step_by(1_000) {
            let summary = self.run(&target, rate, shards)?;
            let ledger = &summary["ledger"];
            println!(
                "{shards} shards, {rate} calls/s: {} of {} answered, {}, lag p99 {} µs, busiest {}",
                ledger["answered"],
                ledger["offered"],
                summary["verdict"],
                summary["generator"]["lag"]["p99"],
                summary["generator"]["busiest_cpu_share"],
            );
            if summary["verdict"] != "pass" || ledger["answered"] != ledger["offered"] {
                limit = json!({ "calls_per_second": rate, "reasons": summary["reasons"] });
                break;
            }
            best = Some((rate, cost(&summary)));
        }
        let (rate, cost) = best.context("not even the lowest rate was placed")?;
        let half = self.run(&target, rate / 2, shards)?;
        Ok(json!({
            "calls_per_second": rate, "cpu_us_per_call": cost.round(),
            "too_many": limit, "lag_p99_us_at_half": half["generator"]["lag"]["p99"], "lag_max_us_at_half": half["generator"]["lag"]["max"],
        }))
    }

    /// What sharing the load out costs: the CPU per call must stay the same for it to scale with the cores.
    fn shards(&self) -> anyhow::Result<Value> {
        let (_callee, target) = self.psap(true)?;
        let mut figures = serde_json::Map::new();
        for shards in [1, 2] {
            let mut costs = Vec::new();
            for _ in 0..3 {
                costs.push(cost(&self.run(&target, 1_000, shards)?));
            }
            figures.insert(shards.to_string(), median(&costs).map(f64::round).into());
        }
        Ok(Value::Object(figures))
    }

    /// An answering point of our own that is called directly, on a core of its own or on any.
    fn psap(&self, is_pinned: bool) -> anyhow::Result<(Callee, String)> {
        let target = format!("127.0.0.2:{}", free_port("127.0.0.2")?);
        let network = self.folder.path().join("psap.toml");
        fs::write(&network, NETWORK.replace("{psap}", &target))?;
        let mut command = match is_pinned {
            true => pinned(0, &self.program.to_string_lossy()),
            false => Command::new(&self.program),
        };
        command
            .arg("psap")
            .arg(&network)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let callee = Callee(command.spawn()?);
        sleep(Duration::from_millis(500));
        Ok((callee, target))
    }

    fn run(&self, target: &str, rate: u32, shards: u32) -> anyhow::Result<Value> {
        let path = |name: &str| self.folder.path().join(name);
        fs::write(path("network.toml"), NETWORK.replace("{psap}", "127.0.0.1:0"))?;
        fs::write(
            path("bench.toml"),
            format!(
                "network = \"network.toml\"\ndrain_timeout = \"10s\"\n\
                 [[phases]]\nname = \"load\"\nduration = \"{SECONDS}s\"\n\
                 arrivals = {{ model = \"constant\", rate = {rate} }}\n\
                 [[mix]]\nnumber = \"0199000015\"\n\
                 [callers]\ntalk = \"100ms\"\npatience = \"endless\"\ncaller_hangs_up = 1.0\nmedia = 0\n\
                 [limits]\nmax_in_progress = 100000\n"
            ),
        )?;
        let mut command = match shards {
            1 => pinned(1, &self.program.to_string_lossy()),
            _ => Command::new(&self.program),
        };
        command.arg("run").arg(path("bench.toml")).args([
            "--quiet",
            "--no-probe",
            "--target",
            target,
        ]);
        command.args(["--shards", &shards.to_string()]).arg("--runs").arg(path("runs"));
        command.stdout(Stdio::null()).status().context("cannot start taskset or tocsin")?;
        Ok(serde_json::from_slice(&fs::read(path("runs/latest/summary.json"))?)?)
    }
}

/// Microseconds of CPU per call of the generator, by getrusage of its process.
fn cost(summary: &Value) -> f64 {
    let calls = summary["ledger"]["offered"].as_f64().unwrap_or(f64::NAN);
    summary["generator"]["cpu_s"].as_f64().unwrap_or(f64::NAN) * 1e6 / calls
}

fn pinned(core: u32, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string(), program]);
    command
}

fn free_port(host: &str) -> anyhow::Result<u16> {
    Ok(UdpSocket::bind((host, 0))?.local_addr()?.port())
}
