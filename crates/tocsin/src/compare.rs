//! `tocsin compare`: two runs side by side, and whether the second is worse than it may be.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use account::archive::{obstacle, open_calls};
use account::comparison::{
    self, ComparedRun, ComparedSide, Comparison, ComparisonLimits, figure_names, obstacles,
};
use anyhow::bail;
use clap::Args;
use cli::say;
use run_folder::{CALLS, Receipt, locate, read_summary, summary_of};
use rusqlite::Connection;
use serde_json::json;

/// A limit was crossed.
const REGRESSION: u8 = 1;

/// Compares two runs; exit code 1 when the second is worse than a limit allows
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The run to compare with, and the run that is judged; with --baseline only the latter. Several runs of different seeds
    /// stand for one, with commas between them
    #[arg(required = true, num_args = 1..=2, value_name = "RUN")]
    pair: Vec<String>,
    /// Compare with this summary.json, kept from an earlier run
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// How much worse any figure may be: shares in percentage points, delays in percent, for example 5%
    #[arg(long, value_name = "PERCENT", value_parser = percentage)]
    max_regression: Option<f64>,
    /// The same for one figure, for example pdd_p99=10%
    #[arg(long = "limit", value_name = "FIGURE=PERCENT", value_parser = limit)]
    limits: Vec<(String, f64)>,
    /// Compare also what cannot be compared: other campaigns, runs that are invalid or were interrupted
    #[arg(long)]
    force: bool,
    /// For programs: an object
    #[arg(long)]
    json: bool,
    /// Folder in which run folders are
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    runs: PathBuf,
}

pub(crate) fn compare(args: &CompareArgs) -> ExitCode {
    match judged(args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => cli::fail(&error, cli::USAGE),
    }
}

fn judged(args: &CompareArgs) -> anyhow::Result<u8> {
    let (before, after) = match (&args.pair[..], &args.baseline) {
        ([after], Some(file)) => {
            (ComparedSide::new(vec![of_file(file)?]), of_runs(&args.runs, after)?)
        }
        ([before, after], None) => (of_runs(&args.runs, before)?, of_runs(&args.runs, after)?),
        ([_], None) => bail!("one run cannot be compared: name another one, or --baseline FILE"),
        _ => bail!("--baseline takes the place of the first run: name only the one that is judged"),
    };
    for (name, _) in &args.limits {
        if !figure_names().any(|known| known == name) {
            let names: Vec<&str> = figure_names().collect();
            bail!("--limit {name}: no such figure; there are {}", names.join(", "));
        }
    }
    let obstacles = obstacles(&before, &after);
    if !obstacles.is_empty() && !args.force {
        bail!(
            "these runs cannot be compared:\n  {}\n--force compares them all the same",
            obstacles.join("\n  ")
        );
    }
    let limits = ComparisonLimits { any: args.max_regression, named: args.limits.clone() };
    let Comparison { table, figures, breaches } = comparison::compare(&before, &after, &limits);
    if args.json {
        let runs = [&before, &after].map(ComparedSide::name);
        let told = json!({
            "runs": runs, "figures": figures, "breaches": breaches, "obstacles": obstacles,
        });
        say(format_args!("{told:#}"));
    } else {
        let marked = |sentences: &[String]| {
            sentences.iter().map(|sentence| format!("! {sentence}\n")).collect::<String>()
        };
        say([marked(&obstacles), table, marked(&breaches)].concat().trim_end());
    }
    Ok(if breaches.is_empty() { 0 } else { REGRESSION })
}

/// One run, or several with commas between them.
fn of_runs(runs: &Path, words: &str) -> anyhow::Result<ComparedSide> {
    let found = if locate(runs, words).is_ok() || Path::new(words).exists() {
        vec![of_run(runs, words)?]
    } else {
        words.split(',').map(|word| of_run(runs, word.trim())).collect::<Result<_, _>>()?
    };
    Ok(ComparedSide::new(found))
}

fn of_run(runs: &Path, word: &str) -> anyhow::Result<ComparedRun> {
    if Path::new(word).extension().is_some_and(|it| it == "json") && Path::new(word).is_file() {
        return of_file(Path::new(word));
    }
    let folder = locate(runs, word)?;
    let name = folder.canonicalize().unwrap_or_else(|_| folder.clone());
    let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (inputs, calls) = beside(&folder, &name);
    Ok(ComparedRun { name, summary: summary_of(&folder)?, inputs, calls })
}

/// A summary alone. Where it lies beside the rest of its run, that is used too.
fn of_file(file: &Path) -> anyhow::Result<ComparedRun> {
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    let summary = read_summary(file)?;
    let is_its_own = read_summary(&folder.join("summary.json")).is_ok_and(|own| own == summary);
    let name = file.display().to_string();
    let (inputs, calls) = if is_its_own { beside(folder, &name) } else { (None, None) };
    Ok(ComparedRun { name, summary, inputs, calls })
}

/// The hash over what a run was made from, and its calls, where its folder has them and they can be read.
fn beside(folder: &Path, name: &str) -> (Option<String>, Option<Connection>) {
    let calls = folder.join(CALLS);
    let calls = calls.is_file().then(|| readable(&calls)).and_then(|calls| {
        let pass_over = |error: &rusqlite::Error| {
            let why = obstacle(error).unwrap_or_else(|| format!("{CALLS}: {error}"));
            cli::complain!("! {name}: {why}; it is compared by its summary alone");
        };
        calls.inspect_err(pass_over).ok()
    });
    (Receipt::inputs_hash(folder), calls)
}

/// A database is opened whether or not it can be read; the first question shows it.
fn readable(path: &Path) -> rusqlite::Result<Connection> {
    let calls = open_calls(path)?;
    calls.query_row("SELECT 1 FROM attempts LIMIT 1", [], |_| Ok(())).or_else(
        |error| match error {
            rusqlite::Error::QueryReturnedNoRows => Ok(()),
            other => Err(other),
        },
    )?;
    Ok(calls)
}

fn percentage(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').ok_or("must be a percentage, such as 5%")?;
    let value: f64 = number.trim().parse().map_err(|_| format!("{number:?} is no number"))?;
    if (0.0..=10_000.0).contains(&value) {
        Ok(value / 100.0)
    } else {
        Err("must be 0% to 10000%".to_owned())
    }
}

fn limit(text: &str) -> Result<(String, f64), String> {
    let (name, value) =
        text.split_once('=').ok_or("must be FIGURE=PERCENT, such as pdd_p99=10%")?;
    Ok((name.trim().to_owned(), percentage(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_percentage_is_refused() {
        assert_eq!(percentage("5%"), Ok(0.05));
        for bad in ["5", "x%", "-1%", "nan%", ""] {
            assert!(percentage(bad).is_err(), "{bad}");
        }
        assert_eq!(limit("pdd_p99=10%"), Ok(("pdd_p99".to_owned(), 0.1)));
        assert!(limit("pdd_p99").is_err());
    }
}
