//! `tocsin runs`: a line for each run folder, the newest first.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use account::text::{instant, length, millis, or_dash, percent, table};
use campaign::utc::rfc3339;
use clap::Args;
use cli::say;
use run_folder::{RunState, ServedNetwork, Standing, names, summary_of};
use serde::Serialize;
use serde_json::{Value, json};

use crate::served;

/// Lists earlier runs and networks that were served by hand, the newest first
#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// Folder in which run folders are
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    runs: PathBuf,
    /// At most so many
    #[arg(long, value_name = "NUMBER")]
    last: Option<usize>,
    /// For programs: an array of objects
    #[arg(long)]
    json: bool,
}

pub(crate) fn runs(args: &RunsArgs) -> ExitCode {
    let names = match names(&args.runs) {
        Ok(names) => names,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    let mut lines = Vec::new();
    let mut troubles = Vec::new();
    for name in names.iter().rev() {
        if args.last.is_some_and(|last| lines.len() >= last) {
            break;
        }
        match line(&args.runs, name) {
            Ok(line) => {
                if line.verdict == Standing::Broken.as_str() {
                    let why = "it was killed before its end; tocsin report NAME tells what it had measured";
                    troubles.push((name, why.replace("NAME", name)));
                }
                lines.push(line);
            }
            Err(error) => {
                let advice = format!("tocsin report {name} may make its summary again");
                troubles.push((name, format!("{error:#}; {advice}")));
            }
        }
    }
    if args.json {
        say(format_args!("{:#}", json!(lines)));
    } else if lines.is_empty() {
        say(format_args!("there is no run in {}", args.runs.display()));
    } else {
        say(shown(&lines).trim_end());
    }
    for (name, trouble) in troubles {
        cli::complain!("! {name}: {trouble}");
    }
    ExitCode::SUCCESS
}

/// What is told of a run.
#[derive(Debug, Serialize)]
struct RunLine {
    name: String,
    campaign: String,
    /// How it stands, of one that has none.
    verdict: String,
    /// What stands in its place for people: a run without bounds has kept none.
    #[serde(skip)]
    word: Option<&'static str>,
    attempts: Option<u64>,
    asr: Option<f64>,
    pdd_p99_us: Option<u64>,
    duration_s: Option<f64>,
    started_at: Option<String>,
}

fn line(runs: &Path, name: &str) -> anyhow::Result<RunLine> {
    let folder = runs.join(name);
    if let Some(network) = ServedNetwork::load(&folder)? {
        return Ok(served_line(&folder, name, &network));
    }
    let standing = Standing::of(&folder);
    if standing != Standing::Ended {
        return Ok(unended(&folder, name, standing));
    }
    if let Some(bench) = json_of(&folder, "bench.json") {
        let verdict = bench["verdict"].as_str().unwrap_or("-").to_owned();
        return Ok(RunLine { verdict, ..unended(&folder, name, standing) });
    }
    let summary = summary_of(&folder)?;
    let verdict = summary.verdict.as_str().to_lowercase();
    let word = Some(summary.headline());
    let pdd = summary.metrics.pdd;
    Ok(RunLine {
        name: name.to_owned(),
        campaign: summary.campaign,
        verdict,
        word,
        attempts: Some(summary.ledger.offered),
        asr: summary.metrics.ratios.asr,
        pdd_p99_us: pdd.p99,
        duration_s: Some(summary.duration_s),
        started_at: Some(summary.started_at),
    })
}

/// A network that is served by hand has calls, and no verdict.
fn served_line(folder: &Path, name: &str, network: &ServedNetwork) -> RunLine {
    RunLine {
        name: name.to_owned(),
        campaign: network.network.clone(),
        verdict: Standing::of(folder).as_str().to_owned(),
        word: None,
        attempts: Some(served::count(folder)),
        asr: None,
        pdd_p99_us: None,
        duration_s: served::lasted_s(folder, network),
        started_at: Some(rfc3339(network.started_us)),
    }
}

/// What is known of a run without a summary: by the state that it kept last, or by what it was made from.
fn unended(folder: &Path, name: &str, standing: Standing) -> RunLine {
    let state = RunState::load(folder).ok().filter(|_| standing.has_begun());
    let receipt = json_of(folder, "receipt.json").unwrap_or_default();
    RunLine {
        name: name.to_owned(),
        campaign: receipt["campaign"].as_str().unwrap_or("-").to_owned(),
        verdict: standing.as_str().to_owned(),
        word: None,
        attempts: state.as_ref().map(|state| state.generators.offered),
        asr: None,
        pdd_p99_us: None,
        duration_s: state.as_ref().map(|state| state.elapsed.as_secs_f64()),
        started_at: state.map(|state| rfc3339(state.started_us)),
    }
}

fn json_of(folder: &Path, name: &str) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(folder.join(name)).ok()?).ok()
}

fn shown(lines: &[RunLine]) -> String {
    let head = ["run", "campaign", "verdict", "attempts", "ASR", "pdd p99", "duration", "started"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(lines.iter().map(|line| {
        vec![
            line.name.clone(),
            line.campaign.clone(),
            line.word.map_or_else(|| line.verdict.to_uppercase(), str::to_owned),
            or_dash(line.attempts.map(|count| count.to_string())),
            or_dash(line.asr.map(percent)),
            or_dash(line.pdd_p99_us.map(|us| millis(us as f64))),
            or_dash(line.duration_s.map(length)),
            or_dash(line.started_at.as_deref().map(instant)),
        ]
    }));
    table(&rows, &[3, 4, 5, 6])
}
