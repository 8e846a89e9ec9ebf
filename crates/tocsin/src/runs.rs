//! `tocsin runs`: a line for each run folder, the newest first.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use account::text::{millis, or_dash, percent, table};
use clap::Args;
use cli::say;
use run_folder::{names, summary_of};
use serde_json::{Value, json};

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
        say(format_args!("{:#}", Value::from(lines)));
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

fn line(runs: &Path, name: &str) -> anyhow::Result<Value> {
    let summary = summary_of(&runs.join(name))?;
    let verdict = match summary["interrupted"] == true && summary["verdict"] == "pass" {
        true => json!("interrupted"),
        false => summary["verdict"].clone(),
    };
    let metrics = &summary["metrics"];
    let has_pdd = metrics["pdd"]["count"].as_u64().is_some_and(|count| count > 0);
    Ok(json!({
        "name": name,
        "campaign": summary["campaign"],
        "verdict": verdict,
        "attempts": summary["ledger"]["offered"],
        "asr": metrics["asr"],
        "pdd_p99_us": if has_pdd { metrics["pdd"]["p99"].clone() } else { Value::Null },
        "duration_s": summary["duration_s"],
        "started_at": summary["started_at"],
    }))
}

fn shown(lines: &[Value]) -> String {
    let head = ["run", "campaign", "verdict", "attempts", "ASR", "pdd p99", "duration", "started"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(lines.iter().map(|line| {
        let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
        let number = |name: &str, show: fn(f64) -> String| or_dash(line[name].as_f64().map(show));
        vec![
            text("name"),
            text("campaign"),
            text("verdict").to_uppercase(),
            number("attempts", |it| format!("{it:.0}")),
            number("asr", percent),
            number("pdd_p99_us", millis),
            number("duration_s", |it| format!("{it:.1} s")),
            text("started_at"),
        ]
    }));
    table(&rows, &[3, 4, 5, 6])
}
