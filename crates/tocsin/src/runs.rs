//! `tocsin runs`: a line for each run folder, the newest first.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use account::text::{instant, length, millis, or_dash, percent, table};
use clap::Args;
use cli::say;
use run_folder::{names, summary_of};
use serde::Serialize;
use serde_json::json;

/// Lists earlier runs, the newest first
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
    let mut broken = Vec::new();
    for name in names.iter().rev() {
        if args.last.is_some_and(|last| lines.len() >= last) {
            break;
        }
        match line(&args.runs, name) {
            Ok(line) => lines.push(line),
            Err(error) => broken.push((name, error)),
        }
    }
    if args.json {
        say(format_args!("{:#}", json!(lines)));
    } else if lines.is_empty() {
        say(format_args!("there is no run in {}", args.runs.display()));
    } else {
        say(shown(&lines).trim_end());
    }
    for (name, error) in broken {
        cli::complain!("! {name}: {error:#}; tocsin report {name} may make its summary again");
    }
    ExitCode::SUCCESS
}

/// What is told of a run.
#[derive(Debug, Serialize)]
struct RunLine {
    name: String,
    campaign: String,
    verdict: String,
    attempts: u64,
    asr: Option<f64>,
    pdd_p99_us: Option<u64>,
    duration_s: f64,
    started_at: String,
}

fn line(runs: &Path, name: &str) -> anyhow::Result<RunLine> {
    let summary = summary_of(&runs.join(name))?;
    let verdict = summary.verdict.as_str().to_lowercase();
    let pdd = summary.metrics.pdd;
    Ok(RunLine {
        name: name.to_owned(),
        campaign: summary.campaign,
        verdict,
        attempts: summary.ledger.offered,
        asr: summary.metrics.ratios.asr,
        pdd_p99_us: pdd.p99,
        duration_s: summary.duration_s,
        started_at: summary.started_at,
    })
}

fn shown(lines: &[RunLine]) -> String {
    let head = ["run", "campaign", "verdict", "attempts", "ASR", "pdd p99", "duration", "started"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(lines.iter().map(|line| {
        vec![
            line.name.clone(),
            line.campaign.clone(),
            line.verdict.to_uppercase(),
            line.attempts.to_string(),
            or_dash(line.asr.map(percent)),
            or_dash(line.pdd_p99_us.map(|us| millis(us as f64))),
            length(line.duration_s),
            instant(&line.started_at),
        ]
    }));
    table(&rows, &[3, 4, 5, 6])
}
