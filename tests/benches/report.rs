//! What a report costs: `make bench` prints these figures and writes `target/bench-report.json`.
//!
//! A run folder is made up, with a million attempts (or `TOCSIN_BENCH_ATTEMPTS`) as a run of the demo's network leaves
//! it: four records of each, in one file for each process. `tocsin report` then makes everything again from them, and Chromium opens
//! the page that it made.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use contract::GeneratorSnapshot;
use media::{SoundVerdict, StreamReport};
use serde_json::json;
use system_tests::built::{release, target_folder};
use system_tests::process::installed;
use telemetry::{BoxKind, CallRecord, CallerClass, LegRecord, Outcome, Party};

const SITES: [&str; 6] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];
const TRUNK_GROUPS: [&str; 3] = ["mobile", "fixe", "rtc"];
const PSAPS: [(&str, &str); 6] = [
    ("samu-59", "15"),
    ("samu-75", "15"),
    ("cta-59", "18"),
    ("codis-75", "112"),
    ("police-59", "17"),
    ("police-75", "17"),
];
const COMMUNES: [&str; 5] = ["59350", "75056", "62041", "2A004", "97105"];
const STARTED_US: u64 = 1_622_645_100_000_000;
/// Between two attempts.
const STEP_US: u64 = 3_600;

fn main() -> anyhow::Result<()> {
    let attempts = match std::env::var("TOCSIN_BENCH_ATTEMPTS") {
        Ok(text) => text.parse().context("TOCSIN_BENCH_ATTEMPTS is a number")?,
        Err(_) => 1_000_000,
    };
    let folder = tempfile::tempdir()?;
    let run = folder.path().join("runs/bench-1");
    let bytes = make_run(&run, attempts)?;
    let program = release()?;
    let start = Instant::now();
    let output =
        Command::new(program).args(["report", "bench-1"]).current_dir(folder.path()).output()?;
    let seconds = start.elapsed().as_secs_f64();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // What the demo demands of its calls is another matter.
    let is_whole =
        said.contains(&format!("offered {attempts} = ")) && said.contains("lost: balanced\n");
    ensure!(is_whole, "the report says\n{said}\n{complained}");
    let mib = complained.split_whitespace().rev().nth(1).and_then(|word| word.parse::<u64>().ok());
    let cpu =
        complained.split("with ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    let cpu: f64 = cpu.context("the report says how much CPU it took")?;
    let page = run.join("report.html");
    let mut sizes = BTreeMap::new();
    for name in ["calls.sqlite", "calls.csv", "summary.json", "report.html"] {
        sizes.insert(name, fs::metadata(run.join(name))?.len());
    }
    let figures = json!({
        "attempts": attempts,
        "record_bytes": bytes,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "page_seconds": page_seconds(&page)?,
        "peak_mib": mib.context("the report says how much memory it took")?,
        "written_bytes": sizes,
    });
    let file = target_folder()?.join("bench-report.json");
    fs::write(&file, serde_json::to_string_pretty(&figures)?)?;
    println!("{figures:#}\nwritten to {}", file.display());
    Ok(())
}

/// How long Chromium needs for a page, from its navigation to the end of its `load` event: the median of five.
fn page_seconds(page: &Path) -> anyhow::Result<f64> {
    let text = fs::read_to_string(page)?;
    // Its policy allows no script but its own.
    let (before, after) = text.split_once("<meta http-equiv").context("a policy")?;
    let after = after.split_once('>').context("its end")?.1;
    let script = "<script>addEventListener('load', () => setTimeout(() => {
        const [times] = performance.getEntriesByType('navigation');
        const left = document.createElement('pre');
        left.id = 'found';
        left.textContent = times.loadEventEnd;
        document.body.append(left);
    }))</script></body>";
    let copy = page.with_file_name("timed.html");
    fs::write(&copy, format!("{before}{after}").replace("</body>", script))?;
    let mut times = Vec::new();
    for _ in 0..5 {
        let profile = tempfile::tempdir()?;
        let output = Command::new(installed("chromium", "chromium"))
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-dev-shm-usage", "--window-size=1280,4000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("file://{}", copy.display()))
            .output()?;
        let dom = String::from_utf8_lossy(&output.stdout);
        let found = dom.split_once("<pre id=\"found\">").context("what the page measured")?.1;
        let millis: f64 = found.split('<').next().unwrap_or_default().parse()?;
        times.push(millis / 1_000.0);
    }
    times.sort_unstable_by(f64::total_cmp);
    Ok(times[2])
}

/// Writes a run folder, and returns how many bytes of records it has.
fn make_run(run: &Path, attempts: u64) -> anyhow::Result<u64> {
    fs::create_dir_all(run.join("records"))?;
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
    for (from, to) in
        [("campaigns/demo.toml", "campaign.toml"), ("networks/six-sites.toml", "network.toml")]
    {
        fs::copy(configs.join(from), run.join(to))?;
    }
    let mut files = Files::new(run);
    for number in 0..attempts {
        write_attempt(&mut files, number)?;
    }
    let names: Vec<PathBuf> = files.names();
    files.finish()?;
    let mut generators =
        GeneratorSnapshot { offered: attempts, finished: true, ..GeneratorSnapshot::default() };
    (0..attempts).for_each(|number| generators.lag.record_us(100 + number % 900));
    let state = json!({
        "world": "real",
        "ended": true,
        "campaign": "bench",
        "network": "six-sites",
        "started_us": STARTED_US,
        "elapsed": {"secs": attempts * STEP_US / 1_000_000 + 1, "nanos": 0},
        "generators": generators,
        "record_files": names,
    });
    fs::write(run.join("state.json"), state.to_string())?;
    let mut bytes = 0;
    for name in &names {
        bytes += fs::metadata(run.join(name))?.len();
    }
    Ok(bytes)
}

/// A file for each process.
struct Files {
    folder: PathBuf,
    open: BTreeMap<String, BufWriter<File>>,
}

impl Files {
    fn new(run: &Path) -> Self {
        Self { folder: run.join("records"), open: BTreeMap::new() }
    }

    fn write(&mut self, process: &str, record: &CallRecord) -> anyhow::Result<()> {
        if !self.open.contains_key(process) {
            let file = File::create(self.folder.join(format!("{process}.jsonl")))?;
            self.open.insert(process.to_owned(), BufWriter::with_capacity(1 << 20, file));
        }
        let file = self.open.get_mut(process).context("it was opened above")?;
        serde_json::to_writer(&mut *file, record)?;
        Ok(file.write_all(b"\n")?)
    }

    fn names(&self) -> Vec<PathBuf> {
        self.open
            .keys()
            .map(|process| Path::new("records").join(format!("{process}.jsonl")))
            .collect()
    }

    fn finish(self) -> anyhow::Result<()> {
        for mut file in self.open.into_values() {
            file.flush()?;
        }
        Ok(())
    }
}

/// One made-up attempt. Ids are drawn at random in a run: these are spread alike, and the same in every bench.
struct Attempt {
    number: u64,
    id: u128,
    outcome: Outcome,
}

fn write_attempt(files: &mut Files, number: u64) -> anyhow::Result<()> {
    let id = u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    // Of a hundred attempts, 94 are answered, 3 given up, 2 rejected and one times out.
    let outcome = match (id >> 64) as u64 % 100 {
        0..94 => Outcome::Answered,
        94..97 => Outcome::Abandoned,
        97..99 => Outcome::Rejected,
        _ => Outcome::TimedOut,
    };
    let attempt = Attempt { number, id, outcome };
    let server = attempt.call_server();
    let (site, psap) = (server.node.clone(), server.psap.clone().unwrap_or_default());
    files.write("load", &attempt.generator())?;
    files.write("trunks", &attempt.trunk_group())?;
    files.write(&format!("site-{site}"), &server)?;
    files.write(&format!("psap-{psap}"), &attempt.psap())
}

impl Attempt {
    fn pick(&self, from: u64) -> u64 {
        (self.id >> 64) as u64 % from
    }

    fn generator(&self) -> CallRecord {
        let base = self.trunk_group();
        CallRecord {
            kind: BoxKind::Generator,
            node: "load-1".to_owned(),
            site: None,
            tried: Vec::new(),
            intended_us: Some(base.start_us - 190 - self.pick(700)),
            start_us: base.start_us - 150,
            ring_us: base.ring_us.map(|at| at + 150),
            answer_us: base.answer_us.map(|at| at + 150),
            bye_us: base.answer_us.map(|_| base.end_us - 400),
            end_us: base.end_us - 150,
            caller: Some(self.number),
            attempt_of_caller: Some(1),
            class: Some(CallerClass::Emergency),
            media: self.media(&[None]),
            ..base
        }
    }

    fn trunk_group(&self) -> CallRecord {
        let text = |text: &str| Some(text.to_owned());
        let start = STARTED_US + self.number * STEP_US + 190 + self.pick(700);
        let ring = start + 1_700 + self.pick(4_000);
        let answer = ring + 900_000 + self.pick(600_000);
        let answer_us = (self.outcome == Outcome::Answered).then_some(answer);
        let (site, group) = (SITES[self.pick(6) as usize], TRUNK_GROUPS[self.pick(3) as usize]);
        let (status, cause, ended_by, reason) = match self.outcome {
            Outcome::Answered => (Some(200), Some(16), Party::Caller, None),
            Outcome::Rejected => (Some(503), Some(34), Party::Network, text("no circuit is free")),
            Outcome::Abandoned => (Some(487), None, Party::Caller, None),
            _ => (Some(408), None, Party::Network, text("no final response")),
        };
        CallRecord {
            call_id: format!("{:016x}-{}@127.0.0.100", self.id as u64, self.number),
            number: PSAPS[self.pick(6) as usize].1.to_owned(),
            commune: text(COMMUNES[self.pick(5) as usize]),
            site: text(site),
            trunk_group: text(group),
            tried: vec![site.to_owned()],
            ring_us: Some(ring),
            answer_us,
            end_us: answer_us.unwrap_or(ring) + 3_000_000 + self.pick(20_000_000),
            outcome: self.outcome,
            status,
            cause,
            ended_by: Some(ended_by),
            reason,
            ..CallRecord::open(BoxKind::TrunkGroup, group, format!("{:032x}", self.id), start)
        }
    }

    fn call_server(&self) -> CallRecord {
        let psap = PSAPS[self.pick(6) as usize].0;
        let base = self.trunk_group();
        CallRecord {
            kind: BoxKind::CallServer,
            node: SITES[self.pick(6) as usize].to_owned(),
            psap: Some(psap.to_owned()),
            tried: vec![psap.to_owned()],
            legs: vec![LegRecord {
                call_id: self.psap_call_id(),
                start_us: base.start_us,
                end_us: Some(base.end_us),
                status: base.status.filter(|_| self.outcome != Outcome::TimedOut),
            }],
            ack_us: base.answer_us.map(|at| at + 300),
            media: self.media(&[Some("caller"), Some("psap")]),
            ..base
        }
    }

    fn psap_call_id(&self) -> String {
        format!("{:032x}", self.id.rotate_left(64))
    }

    fn psap(&self) -> CallRecord {
        let psap = PSAPS[self.pick(6) as usize].0;
        let base = self.trunk_group();
        CallRecord {
            kind: BoxKind::Psap,
            node: psap.to_owned(),
            psap: Some(psap.to_owned()),
            site: None,
            trunk_group: None,
            tried: Vec::new(),
            call_id: self.psap_call_id(),
            ack_us: base.answer_us.map(|at| at + 300),
            media: self.media(&[None]),
            ..base
        }
    }

    /// A relay names whom its streams come from, and does not listen to them.
    fn media(&self, from: &[Option<&str>]) -> Vec<StreamReport> {
        if self.outcome != Outcome::Answered {
            return Vec::new();
        }
        let stream = |from: &Option<&str>| StreamReport {
            from: from.map(str::to_owned),
            verdict: from.is_none().then_some(SoundVerdict::Heard),
            received: 400 + self.pick(900),
            expected: 401 + self.pick(900),
            lost: u64::from(self.pick(30) == 0),
            sent: 410 + self.pick(900),
            burst_ratio: 1.0,
            mean_jitter_us: 200 + self.pick(500),
            max_jitter_us: 900 + self.pick(5_000),
            longest_gap_us: 21_000 + self.pick(9_000),
            round_trip_us: Some(300 + self.pick(200)),
            r: Some(91.2),
            mos: Some(4.37),
            ..StreamReport::default()
        };
        from.iter().map(stream).collect()
    }
}
