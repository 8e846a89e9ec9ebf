//! What a call costs: `make bench` prints these figures and writes `target/bench.json`.
//!
//! Every figure comes from whole runs of the program `tocsin`: one site, one trunk group, one PSAP, each a process of its
//! own, callers that talk for 100 ms. Only the highest rate is found on six sites, the shape of the demo. CPU figures are taken with all processes pinned to one core, because wake-ups across
//! cores cost more than the work and vary more; the median of three runs is given.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use system_tests::built::{release, target_folder};

const NETWORK: &str = r#"
name = "bench"
[sites.one]
address = "127.0.0.1:0"
max_calls = 100000
[trunk_groups.trunk]
address = "127.0.0.1:0"
circuits = 10000
[psaps.centre]
address = "127.0.0.1:0"
number = "0199000015"
positions = 10000
queue = 10000
ring = "0s"
talk = "never"
wrap_up = "0s"
[[routes]]
numbers = ["15"]
psaps = ["centre"]
"#;

const ONE_SITE: &str = "one-site.toml";
const SIX_SITES: &str = "six-sites.toml";

/// The same network with six call-server sites in place of one.
fn six_sites() -> String {
    let site = "[sites.one]\naddress = \"127.0.0.1:0\"\nmax_calls = 100000\n";
    let sites = ["one", "two", "three", "four", "five", "six"];
    let sites = sites.map(|name| site.replace("one", name)).concat();
    NETWORK.replace(site, &sites)
}

/// One run: how many calls per second, for how long, and how long each talks.
#[derive(Debug, Clone, Copy)]
struct Load {
    rate: u32,
    seconds: u32,
    talk: &'static str,
    pinned: bool,
    /// File of the network.
    network: &'static str,
}

struct Bench {
    folder: tempfile::TempDir,
    program: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let bench = Bench::new()?;
    let mut figures = serde_json::Map::new();
    for rate in [1_000, 2_000] {
        figures.insert(format!("cpu_us_per_call_at_{rate}_cps"), bench.cpu(rate)?);
    }
    figures.insert("added_delay_us_at_500_cps".to_owned(), bench.added_delay()?);
    figures.insert("memory_bytes_per_established_call".to_owned(), bench.memory()?);
    figures.insert("calls_per_second_without_a_failure_on_six_sites".to_owned(), bench.capacity()?);
    let figures = Value::Object(figures);
    let target = target_folder()?.join("bench.json");
    fs::write(&target, serde_json::to_string_pretty(&figures)?)?;
    println!("\n{}\nwritten to {}", serde_json::to_string_pretty(&figures)?, target.display());
    Ok(())
}

impl Bench {
    fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join(ONE_SITE), NETWORK)?;
        fs::write(folder.path().join(SIX_SITES), six_sites())?;
        let program = release()?;
        Ok(Self { folder, program })
    }

    /// Microseconds of CPU per call of each program, by getrusage of each process.
    fn cpu(&self, rate: u32) -> anyhow::Result<Value> {
        let load = Load { rate, seconds: 10, talk: "100ms", pinned: true, network: ONE_SITE };
        let mut runs: Vec<[f64; 4]> = Vec::new();
        for _ in 0..3 {
            let summary = self.run(load)?;
            let calls = summary["ledger"]["offered"].as_f64().unwrap_or(f64::NAN);
            let cost = |name: &str| cpu_of(&summary, name) * 1e6 / calls;
            runs.push([cost("site-one"), cost("trunks"), cost("psap-centre"), cost("load")]);
        }
        let median = |index: usize| {
            let mut one: Vec<f64> = runs.iter().map(|run| run[index]).collect();
            one.sort_by(f64::total_cmp);
            one[1].round()
        };
        let (site, trunks) = (median(0), median(1));
        let figures = json!({
            "switch": site + trunks, "call_server": site, "trunk_group": trunks,
            "psap": median(2), "generator": median(3),
        });
        println!("CPU per call at {rate} calls/s, one core for everything, µs: {figures}");
        Ok(figures)
    }

    /// From the caller's INVITE to its 200, less what the PSAP took of it.
    fn added_delay(&self) -> anyhow::Result<Value> {
        let load = Load { rate: 500, seconds: 10, talk: "100ms", pinned: false, network: ONE_SITE };
        self.run(load)?;
        let taken = |name: &str| self.setup_times(name);
        let (callers, psaps) = (taken("load")?, taken("psap-centre")?);
        let added =
            |(attempt, caller): (&String, &u64)| Some(caller.saturating_sub(*psaps.get(attempt)?));
        let mut added: Vec<u64> = callers.iter().filter_map(added).collect();
        added.sort_unstable();
        ensure!(!added.is_empty(), "no call was answered");
        let at = |share: f64| added[((added.len() - 1) as f64 * share) as usize];
        let figures = json!({ "p50": at(0.5), "p99": at(0.99), "calls": added.len() });
        println!("INVITE to 200, added by trunk group and call server, µs: {figures}");
        Ok(figures)
    }

    /// Peak memory with 10,000 calls held, less that of an idle network, per call.
    fn memory(&self) -> anyhow::Result<Value> {
        let idle =
            self.run(Load { rate: 1, seconds: 2, talk: "1s", pinned: false, network: ONE_SITE })?;
        let held = self.run(Load {
            rate: 1_000,
            seconds: 10,
            talk: "20s",
            pinned: false,
            network: ONE_SITE,
        })?;
        let calls = held["ledger"]["answered"].as_f64().unwrap_or(f64::NAN);
        let bytes =
            |name: &str| ((rss_of(&held, name) - rss_of(&idle, name)) * 1024.0 / calls).round();
        let (site, trunks) = (bytes("site-one"), bytes("trunks"));
        let figures = json!({
            "calls_held": calls, "switch": site + trunks, "call_server": site, "trunk_group": trunks,
            "psap": bytes("psap-centre"), "generator": bytes("load"),
        });
        println!("memory per established call, bytes: {figures}");
        Ok(figures)
    }

    /// The highest rate, in steps of 500, at which every call of a 10 s run over six sites is answered and the run is
    /// valid. A rate may fail once: other work of the machine is no limit of the program.
    fn capacity(&self) -> anyhow::Result<Value> {
        let mut best = 0;
        for rate in (500..=20_000).step_by(500) {
            if !self.carries(rate)? && !self.carries(rate)? {
                break;
            }
            best = rate;
        }
        Ok(json!(best))
    }

    /// Whether six sites answer every call at this rate.
    fn carries(&self, rate: u32) -> anyhow::Result<bool> {
        let network = SIX_SITES;
        let summary =
            self.run(Load { rate, seconds: 10, talk: "100ms", pinned: false, network })?;
        let ledger = &summary["ledger"];
        println!(
            "six sites, {rate} calls/s: {} of {} answered, {}",
            ledger["answered"], ledger["offered"], summary["verdict"]
        );
        Ok(ledger["offered"] == ledger["answered"] && summary["verdict"] == "pass")
    }

    fn run(&self, load: Load) -> anyhow::Result<Value> {
        let campaign = self.folder.path().join("bench.toml");
        let Load { rate, seconds, talk, network, .. } = load;
        fs::write(
            &campaign,
            format!(
                "network = \"{network}\"\nseed = 1\ndrain_timeout = \"40s\"\n\
                 [[phases]]\nname = \"load\"\nduration = \"{seconds}s\"\n\
                 arrivals = {{ model = \"constant\", rate = {rate} }}\n\
                 [[mix]]\nnumber = \"15\"\nweight = 1\n\
                 [callers]\ntalk = \"{talk}\"\npatience = \"endless\"\ncaller_hangs_up = 1.0\nmedia = 0\n\
                 [limits]\nmax_in_progress = 100000\n"
            ),
        )?;
        let mut command =
            if load.pinned { Command::new("taskset") } else { Command::new(&self.program) };
        if load.pinned {
            command.args(["-c", "0"]).arg(&self.program);
        }
        command.arg("run").arg(&campaign).arg("--quiet").arg("--runs").arg(self.runs());
        // The verdict is in the summary; a run that failed is a figure too.
        command.stdout(Stdio::null()).status().context("cannot start taskset or tocsin")?;
        let summary = self.runs().join("latest/summary.json");
        Ok(serde_json::from_slice(&fs::read(summary)?)?)
    }

    /// Answer less start of each call, by attempt, as one process recorded it.
    fn setup_times(&self, process: &str) -> anyhow::Result<HashMap<String, u64>> {
        let records = self.runs().join(format!("latest/records/{process}.jsonl"));
        let mut times = HashMap::new();
        for line in fs::read_to_string(records)?.lines() {
            let record: Value = serde_json::from_str(line)?;
            if let (Some(attempt), Some(start), Some(answer)) = (
                record["attempt"].as_str(),
                record["start_us"].as_u64(),
                record["answer_us"].as_u64(),
            ) {
                times.insert(attempt.to_owned(), answer.saturating_sub(start));
            }
        }
        Ok(times)
    }

    fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }
}

fn process<'a>(summary: &'a Value, name: &str) -> Option<&'a Value> {
    summary["processes"].as_array()?.iter().find(|process| process["name"] == name)
}

fn cpu_of(summary: &Value, name: &str) -> f64 {
    let seconds =
        |process: &Value| Some(process["user_s"].as_f64()? + process["system_s"].as_f64()?);
    process(summary, name).and_then(seconds).unwrap_or(f64::NAN)
}

fn rss_of(summary: &Value, name: &str) -> f64 {
    process(summary, name).and_then(|process| process["max_rss_kib"].as_f64()).unwrap_or(f64::NAN)
}
