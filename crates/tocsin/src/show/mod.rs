//! `tocsin show`: the report of a run, its attempts, or one call; `ladder.rs` shows the messages of one,
//! `capture.rs` writes those of many.

mod capture;
mod ladder;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use account::ServedChoice;
use account::archive::{obstacle, sql_of};
use account::call;
use account::text::{plain, table};
use anyhow::{Context as _, bail};
use clap::Args;
use cli::say;
use run_folder::{Folder, ServedNetwork, Standing, locate};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use self::ladder::{LadderArgs, Told};
use crate::served;

/// Columns that a list of attempts shows; of those, times are in milliseconds.
const SHOWN: &str = "attempt, number, site, psap, outcome, status, round(intended_us / 1e6, 1) AS at_s, \
                     round(pdd_us / 1e3, 1) AS pdd_ms, coalesce(why, contradiction) AS why";

/// Shows the report of a run or the calls of a network that is served by hand, attempts of it, or everything known of one call
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The run: its folder, its name, a part of its name, or latest
    run: String,
    /// One call: the id of its attempt, a unique beginning of it, a Call-ID of it, or a unique part of one
    #[arg(conflicts_with_all = ["failed", "slowest", "condition"])]
    call: Option<String>,
    /// The attempts that were rejected, timed out or were lost
    #[arg(long)]
    failed: bool,
    /// The attempts that waited longest for the first ring
    #[arg(long, value_name = "NUMBER")]
    slowest: Option<usize>,
    /// The attempts for which this holds, such as "site = gamma and status >= 500": the language of tocsin watch, or an SQL condition on
    /// calls.sqlite
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<String>,
    /// At most so many attempts
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    ladder: LadderArgs,
    /// Write the messages of the call, of the attempts that are asked for, or of all that were kept, as pcapng, which Wireshark reads
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ladder", "message", "diff"])]
    pcap: Option<PathBuf>,
    /// Folder in which run folders are
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    runs: PathBuf,
}

pub(crate) fn show(args: &ShowArgs) -> ExitCode {
    match locate(&args.runs, &args.run).and_then(|folder| told_of(folder, args)) {
        Ok(Told { text, is_painted: true }) => cli::say_painted(text.trim_end()),
        Ok(Told { text, is_painted: false }) => say(text.trim_end()),
        Err(error) => return cli::fail(&error, cli::USAGE),
    }
    ExitCode::SUCCESS
}

fn told_of(folder: PathBuf, args: &ShowArgs) -> anyhow::Result<Told> {
    if let Some(call) = args.call.as_deref().filter(|_| args.ladder.is_asked()) {
        return args.ladder.tell(&folder, call).map_err(told);
    }
    let text = match (ServedNetwork::load(&folder)?, &args.pcap) {
        (network, Some(file)) => captured(&folder, network.is_some(), args, file).map_err(told)?,
        (Some(network), None) => of_served(&folder, &network, args)?,
        (None, None) => of_run(folder, args)?,
    };
    Ok(Told { text, is_painted: false })
}

fn captured(
    folder: &Path,
    is_served: bool,
    args: &ShowArgs,
    file: &Path,
) -> anyhow::Result<String> {
    let is_filtered = args.failed || args.slowest.is_some() || args.condition.is_some();
    match &args.call {
        Some(call) => capture::of_call(folder, call, file),
        None if is_filtered && is_served => bail!(
            "filters ask calls.sqlite, which only runs have; without one --pcap writes all calls that were kept"
        ),
        None if is_filtered => capture::of_attempts(folder, Some(&filtered(folder, args)?), file),
        None => capture::of_attempts(folder, None, file),
    }
}

/// The attempts that are asked for.
fn filtered(folder: &Path, args: &ShowArgs) -> anyhow::Result<BTreeSet<u128>> {
    let database = Folder::open(folder).calls()?;
    let Filter { condition, order, limit } = Filter::of(args, &database)?;
    // Every one but of the slowest: a list is cut for its reader, a capture is not.
    let limit = if args.slowest.is_some() { limit } else { usize::MAX >> 1 };
    let said = |error: rusqlite::Error| misunderstood(&error, args);
    let query = format!(
        "SELECT attempt FROM attempts WHERE {condition} ORDER BY {order}, attempt LIMIT {limit}"
    );
    let mut statement = database.prepare(&query).map_err(said)?;
    let ids = statement.query_map([], |row| row.get::<_, String>(0)).map_err(said)?;
    let ids = ids.collect::<rusqlite::Result<Vec<String>>>().map_err(said)?;
    Ok(ids.iter().filter_map(|id| u128::from_str_radix(id, 16).ok()).collect())
}

/// Which attempts are asked for, in words of SQL.
struct Filter {
    condition: String,
    order: &'static str,
    limit: usize,
}

impl Filter {
    fn of(args: &ShowArgs, database: &Connection) -> anyhow::Result<Self> {
        let mut conditions = Vec::new();
        if args.failed {
            conditions.push("outcome IN ('rejected', 'timed_out', 'lost')".to_owned());
        }
        if let Some(condition) = &args.condition {
            conditions.push(condition_of(condition, database)?);
        }
        let (order, limit) = match args.slowest {
            Some(slowest) => {
                conditions.push("pdd_us IS NOT NULL".to_owned());
                ("pdd_us DESC", slowest)
            }
            None => ("intended_us", args.limit),
        };
        Ok(Self { condition: conditions.join(" AND "), order, limit })
    }
}

/// A filter in words of SQL; what is none may be SQL itself, as it was before there were filters.
fn condition_of(text: &str, database: &Connection) -> anyhow::Result<String> {
    let error = match sql_of(text) {
        Ok(condition) => return Ok(condition),
        Err(error) => error,
    };
    let condition = format!("({text}\n)");
    match database.prepare(&format!("SELECT 1 FROM attempts WHERE {condition}")) {
        Ok(_) => Ok(condition),
        Err(sqlite) => match obstacle(&sqlite) {
            Some(sentence) => bail!(sentence),
            None => bail!("--where: {error}; and as SQL: {sqlite}"),
        },
    }
}

/// Why the database did not answer.
fn misunderstood(error: &rusqlite::Error, args: &ShowArgs) -> anyhow::Error {
    match (obstacle(error), &args.condition) {
        (Some(sentence), _) => anyhow::anyhow!(sentence),
        (None, None) => anyhow::anyhow!("calls.sqlite is of another kind: {error}"),
        (None, Some(_)) => anyhow::anyhow!("--where: {error}"),
    }
}

fn of_served(folder: &Path, network: &ServedNetwork, args: &ShowArgs) -> anyhow::Result<String> {
    if let Some(call) = &args.call {
        return served::one(folder, network, call);
    }
    if args.condition.is_some() {
        bail!(
            "--where asks calls.sqlite, which only runs have; tocsin report {} makes calls.csv of a network that is served \
             by hand",
            args.run
        );
    }
    let (choice, limit) = match args.slowest {
        Some(slowest) => (ServedChoice::Slowest, slowest),
        None if args.failed => (ServedChoice::Failed, args.limit),
        None => (ServedChoice::All, args.limit),
    };
    Ok(served::list(folder, network, choice, limit))
}

fn of_run(folder: PathBuf, args: &ShowArgs) -> anyhow::Result<String> {
    match &args.call {
        Some(call) => {
            let folder = Folder::open(&folder);
            call::tell(&folder.calls()?, &folder.record_files(), call).map_err(told)
        }
        None if args.failed || args.slowest.is_some() || args.condition.is_some() => {
            attempts(&folder, args)
        }
        None => report(&folder),
    }
}

/// An error of the database in words, where there are some.
fn told(error: anyhow::Error) -> anyhow::Error {
    let sentence = error.downcast_ref().and_then(obstacle);
    sentence.map_or(error, |sentence| anyhow::anyhow!(sentence))
}

fn report(folder: &Path) -> anyhow::Result<String> {
    match Standing::of(folder) {
        Standing::Starting | Standing::Running => {
            bail!("the run in {} goes on: its report comes at its end", folder.display())
        }
        Standing::NotStarted => {
            bail!("the run in {} never began, and has no report", folder.display())
        }
        Standing::Ended | Standing::Broken | Standing::Serving | Standing::Served => {}
    }
    let path = folder.join("report.txt");
    std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}; tocsin report makes it", path.display()))
}

fn attempts(folder: &Path, args: &ShowArgs) -> anyhow::Result<String> {
    let database = Folder::open(folder).calls()?;
    let Filter { condition, order, limit } = Filter::of(args, &database)?;
    let said = |error: rusqlite::Error| misunderstood(&error, args);
    let count = format!("SELECT count(*) FROM attempts WHERE {condition}");
    let count: i64 = database.query_row(&count, [], |row| row.get(0)).map_err(said)?;
    let query = format!(
        "SELECT {SHOWN} FROM attempts WHERE {condition} ORDER BY {order}, attempt LIMIT {limit}"
    );
    let mut statement = database.prepare(&query).map_err(said)?;
    let head: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let columns = head.len();
    let mut lines = vec![head];
    let mut rows = statement.query([]).map_err(said)?;
    while let Some(row) = rows.next().map_err(said)? {
        let cells = (0..columns).map(|column| row.get_ref(column).map(cell));
        lines.push(cells.collect::<rusqlite::Result<_>>().map_err(said)?);
    }
    let shown = lines.len() - 1;
    let mut text =
        if shown == 0 { "no such attempt\n".to_owned() } else { table(&lines, &[5, 6, 7]) };
    if (shown as i64) < count && args.slowest.is_none() {
        text += &format!("… {shown} of {count}; --limit shows more\n");
    }
    Ok(text)
}

fn cell(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "-".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(real) => format!("{real:.1}"),
        ValueRef::Text(text) => plain(&String::from_utf8_lossy(text)),
        ValueRef::Blob(_) => "(bytes)".to_owned(),
    }
}
