//! What the generator costs, beside SIPp, and how much one core of it places: `make bench` prints these figures and writes
//! `target/bench-generator.json`.
//!
//! SIPp and the generator call the same SIPp as callee, in turn, each on a core that nothing else is pinned to. The highest
//! rate is found against an answering point of our own, as SIPp's callee gives up first. The callee has the other core.

use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use system_tests::built::{release, target_folder};

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
/// Calls per second at which the costs are compared: what one SIPp places without complaint.
const RATES: [u32; 2] = [500, 1_000];

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
    for rate in RATES {
        figures.insert(format!("cpu_us_per_call_at_{rate}_cps"), bench.beside_sipp(rate)?);
    }
    figures.insert("on_one_core".to_owned(), bench.highest_rate()?);
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

    /// The median of three runs of each, in turn.
    fn beside_sipp(&self, rate: u32) -> anyhow::Result<Value> {
        let port = free_port("127.0.0.2")?;
        let mut command = pinned(0, "sipp");
        command.args(["-sn", "uas", "-i", "127.0.0.2", "-p", &port.to_string(), "-nostdin"]);
        let _callee = Callee(
            command
                .current_dir(self.folder.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?,
        );
        sleep(Duration::from_millis(500));
        let target = format!("127.0.0.2:{port}");
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            theirs.push(self.sipp(&target, rate)?);
            let summary = self.run(&target, rate, 1)?;
            ensure!(summary["verdict"] == "pass", "not measured: {}", summary["reasons"]);
            ours.push(cost(&summary));
        }
        let figures = json!({ "generator": median(&mut ours), "sipp": median(&mut theirs) });
        println!("CPU per call at {rate} calls/s, µs: {figures}");
        Ok(figures)
    }

    /// Microseconds of CPU per call of a SIPp that calls. The shell knows what its children used.
    fn sipp(&self, target: &str, rate: u32) -> anyhow::Result<f64> {
        let calls = rate * SECONDS;
        let words = format!(
            "taskset -c 1 sipp -sn uac {target} -i 127.0.0.3 -r {rate} -m {calls} -d 100 -l 100000 -nostdin >/dev/null 2>&1 || exit 9; times"
        );
        let output =
            Command::new("sh").args(["-c", &words]).current_dir(self.folder.path()).output()?;
        ensure!(output.status.success(), "SIPp did not complete its {calls} calls");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let children = text.lines().nth(1).context("the times of the children")?;
        let seconds = |word: &str| {
            let (minutes, seconds) = word.trim_end_matches('s').split_once('m')?;
            Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
        };
        let sum: Option<f64> = children.split_whitespace().map(seconds).sum();
        Ok(sum.with_context(|| format!("not times: {children}"))? * 1e6 / f64::from(calls))
    }

    /// The highest rate at which the run is valid and every call is answered, and the lag at half of it.
    fn highest_rate(&self) -> anyhow::Result<Value> {
        let (_callee, target) = self.psap()?;
        let mut best = None;
        for rate in (1_000..=20_000).step_by(1_000) {
            let summary = self.run(&target, rate, 1)?;
            let ledger = &summary["ledger"];
            println!(
                "{rate} calls/s: {} of {} answered, {}, lag p99 {} µs, busiest {}",
                ledger["answered"],
                ledger["offered"],
                summary["verdict"],
                summary["generator"]["lag"]["p99"],
                summary["generator"]["busiest_cpu_share"],
            );
            if summary["verdict"] != "pass" || ledger["answered"] != ledger["offered"] {
                break;
            }
            best = Some((rate, cost(&summary)));
        }
        let (rate, cost) = best.context("not even the lowest rate was placed")?;
        let half = self.run(&target, rate / 2, 1)?;
        Ok(json!({
            "calls_per_second": rate, "cpu_us_per_call": cost.round(),
            "lag_p99_us_at_half": half["generator"]["lag"]["p99"], "lag_max_us_at_half": half["generator"]["lag"]["max"],
        }))
    }

    /// What sharing the load out costs: the CPU per call must stay the same for it to scale with the cores.
    fn shards(&self) -> anyhow::Result<Value> {
        let (_callee, target) = self.psap()?;
        let mut figures = serde_json::Map::new();
        for shards in [1, 2] {
            let mut costs = Vec::new();
            for _ in 0..3 {
                costs.push(cost(&self.run(&target, 1_000, shards)?));
            }
            figures.insert(shards.to_string(), median(&mut costs).into());
        }
        Ok(Value::Object(figures))
    }

    /// An answering point of our own that is called directly.
    fn psap(&self) -> anyhow::Result<(Callee, String)> {
        let target = format!("127.0.0.2:{}", free_port("127.0.0.2")?);
        let network = self.folder.path().join("psap.toml");
        fs::write(&network, NETWORK.replace("{psap}", &target))?;
        let mut command = pinned(0, &self.program.to_string_lossy());
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

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2].round()
}

fn pinned(core: u32, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string(), program]);
    command
}

fn free_port(host: &str) -> anyhow::Result<u16> {
    Ok(UdpSocket::bind((host, 0))?.local_addr()?.port())
}
