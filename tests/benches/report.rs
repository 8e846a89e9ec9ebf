//! What a report costs: `make bench` prints these figures and writes `target/bench-report.json`.
//!
//! A run folder is made up, with a million attempts (or `TOCSIN_BENCH_ATTEMPTS`) as a run of the demo's network leaves
//! it: four records of each, in one file for each process. `tocsin report` then makes everything again from them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use load_gen::Snapshot;
use media::{StreamReport, Verdict};
use serde_json::json;
use telemetry::{BoxKind, CallRecord, CallerClass, Outcome, Party};

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
    let program = system_tests::program::tocsin();
    let start = Instant::now();
    let output =
        Command::new(program).args(["report", "bench-1"]).current_dir(folder.path()).output()?;
    let seconds = start.elapsed().as_secs_f64();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // What the demo demands of its calls is another matter.
    let is_whole =
        said.contains(&format!("offered {attempts} = ")) && said.contains("lost: balanced");
    ensure!(is_whole, "the report says\n{said}\n{complained}");
    let mib = complained.split_whitespace().rev().nth(1).and_then(|word| word.parse::<u64>().ok());
    let mut sizes = BTreeMap::new();
    for name in ["calls.sqlite", "calls.csv", "summary.json"] {
        sizes.insert(name, fs::metadata(run.join(name))?.len());
    }
    let figures = json!({
        "attempts": attempts,
        "record_bytes": bytes,
        "seconds": seconds,
        "peak_mib": mib.context("the report says how much memory it took")?,
        "written_bytes": sizes,
    });
    let target = program.parent().and_then(Path::parent).context("the target folder")?;
    let file = target.join("bench-report.json");
    fs::write(&file, serde_json::to_string_pretty(&figures)?)?;
    println!("{figures:#}\nwritten to {}", file.display());
    Ok(())
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
    let mut generators = Snapshot { offered: attempts, finished: true, ..Snapshot::default() };
    (0..attempts).for_each(|number| generators.lag.record_us(100 + number % 900));
    let state = json!({
        "world": "real",
        "ended": true,
        "campaign": "bench",
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

/// Of a hundred attempts, 94 are answered, 3 given up, 2 rejected and one times out.
fn write_attempt(files: &mut Files, number: u64) -> anyhow::Result<()> {
    // Ids are drawn at random: spread alike, and the same in every run.
    let id = u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let pick = |from: u64| (id >> 64) as u64 % from;
    let outcome = match pick(100) {
        0..94 => Outcome::Answered,
        94..97 => Outcome::Abandoned,
        97..99 => Outcome::Rejected,
        _ => Outcome::TimedOut,
    };
    let due = STARTED_US + number * STEP_US;
    let start = due + 40 + pick(700);
    let ring = start + 2_000 + pick(4_000);
    let (psap, dialled) = PSAPS[pick(6) as usize];
    let (site, group) = (SITES[pick(6) as usize], TRUNK_GROUPS[pick(3) as usize]);
    let answer = (outcome == Outcome::Answered).then(|| ring + 900_000 + pick(600_000));
    let end = answer.unwrap_or(ring) + 3_000_000 + pick(20_000_000);
    let text = |text: &str| Some(text.to_owned());
    let stream = |from: Option<&str>, verdict: Option<Verdict>| StreamReport {
        from: from.map(str::to_owned),
        verdict,
        received: 400 + pick(900),
        expected: 401 + pick(900),
        lost: u64::from(pick(30) == 0),
        sent: 410 + pick(900),
        burst_ratio: 1.0,
        mean_jitter_us: 200 + pick(500),
        max_jitter_us: 900 + pick(5_000),
        longest_gap_us: 21_000 + pick(9_000),
        round_trip_us: Some(300 + pick(200)),
        r: Some(91.2),
        mos: Some(4.37),
        ..StreamReport::default()
    };
    let media = |streams: Vec<StreamReport>| match outcome {
        Outcome::Answered => streams,
        _ => Vec::new(),
    };
    let (status, cause, ended_by, reason) = match outcome {
        Outcome::Answered => (Some(200), Some(16), Party::Caller, None),
        Outcome::Rejected => (Some(503), Some(34), Party::Network, text("no circuit is free")),
        Outcome::Abandoned => (Some(487), None, Party::Caller, None),
        _ => (Some(408), None, Party::Network, text("no final response")),
    };
    let base = CallRecord {
        attempt: format!("{id:032x}"),
        kind: BoxKind::TrunkGroup,
        node: group.to_owned(),
        call_id: format!("{:016x}-{}@127.0.0.100", id as u64, number),
        number: dialled.to_owned(),
        commune: text(COMMUNES[pick(5) as usize]),
        site: text(site),
        psap: None,
        trunk_group: text(group),
        tried: vec![site.to_owned()],
        intended_us: None,
        start_us: start + 150,
        ring_us: Some(ring - 150),
        answer_us: answer.map(|at| at - 150),
        end_us: end + 150,
        outcome,
        status,
        cause,
        ended_by: Some(ended_by),
        reason,
        media: Vec::new(),
        caller: None,
        attempt_of_caller: None,
        class: None,
    };
    let load = CallRecord {
        kind: BoxKind::Generator,
        node: "load-1".to_owned(),
        site: None,
        tried: Vec::new(),
        intended_us: Some(due),
        start_us: start,
        ring_us: Some(ring),
        answer_us: answer,
        end_us: end,
        caller: Some(number),
        attempt_of_caller: Some(1),
        class: Some(CallerClass::Emergency),
        media: media(vec![stream(None, Some(Verdict::Heard))]),
        ..base.clone()
    };
    let server = CallRecord {
        kind: BoxKind::CallServer,
        node: site.to_owned(),
        psap: text(psap),
        tried: vec![psap.to_owned()],
        media: media(vec![stream(Some("caller"), None), stream(Some("psap"), None)]),
        ..base.clone()
    };
    let centre = CallRecord {
        kind: BoxKind::Psap,
        node: psap.to_owned(),
        psap: text(psap),
        site: None,
        trunk_group: None,
        tried: Vec::new(),
        call_id: format!("{:016x}@127.0.0.1{site}", (id >> 64) as u64),
        media: media(vec![stream(None, Some(Verdict::Heard))]),
        ..base.clone()
    };
    files.write("load", &load)?;
    files.write("trunks", &base)?;
    files.write(&format!("site-{site}"), &server)?;
    files.write(&format!("psap-{psap}"), &centre)
}
