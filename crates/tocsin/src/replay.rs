//! `tocsin replay`: places the calls of one caller of a run again, alone, and shows what became of the call then and now.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail};
use clap::Args;
use cli::say;
use ladder::render::{Screen, text};
use run_folder::{Folder, RunState, ServedNetwork, call_story, locate};
use rusqlite::{Connection, OptionalExtension as _};

use crate::ladder_screen::ColorArgs;

/// Places one call of a run again, alone: the same caller, number and times, from the seed of the run, with its commands and faults, and
/// without all other callers. Prints its ladder beside the old one
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The run: its folder, its name, a part of its name, or latest
    run: String,
    /// The call: the id of its attempt, a unique beginning of it, a Call-ID of it, or a unique part of one
    call: String,
    /// On real sockets and in real time, which takes as long as the run did until then; otherwise in virtual time
    #[arg(long)]
    real_time: bool,
    #[command(flatten)]
    color: ColorArgs,
    /// Folder in which run folders are
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    runs: PathBuf,
}

pub(crate) fn replay(args: &ReplayArgs) -> ExitCode {
    match again(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::fail(&error, cli::USAGE),
    }
}

/// Who made a call, and how it ended.
struct Attempt {
    id: String,
    caller: u32,
    /// Which call of that person it was, from 1.
    nth: u32,
    outcome: String,
    status: Option<u16>,
}

fn again(args: &ReplayArgs) -> anyhow::Result<()> {
    // What is the latest now is not when the call has been placed again.
    let folder = locate(&args.runs, &args.run)?.canonicalize()?;
    if ServedNetwork::load(&folder)?.is_some() {
        bail!(
            "{} is of a network that was served by hand: its callers are not ours to place again",
            folder.display()
        );
    }
    let place = Folder::open(&folder);
    let id = account::call::account_of(&place.calls()?, &place.record_files(), &args.call)?.attempt;
    let Some(then) = known(&place.calls()?, "attempt = ?1", &id)? else {
        bail!("call {id} is from outside the campaign: its caller is not ours to place again");
    };
    let new = run_again(args, &folder, then.caller)?;
    let calls = Folder::open(&new).calls()?;
    let caller = then.caller.to_string();
    let same = format!("caller = ?1 AND nth <= {} ORDER BY nth DESC LIMIT 1", then.nth);
    let Some(now) = known(&calls, &same, &caller)? else {
        bail!("caller {caller} did not call in {}", new.display());
    };
    say(format_args!("then: {}, run {}", ending(&then), folder.display()));
    let screen = args.color.screen();
    say_ladder(&folder, &then, screen);
    say(format_args!("\nagain: {}, run {}", ending(&now), new.display()));
    say_ladder(&new, &now, screen);
    say(format_args!("\n{}", comparison(&then, &now)));
    Ok(())
}

/// A row of the attempts of a run.
fn known(calls: &Connection, condition: &str, value: &str) -> anyhow::Result<Option<Attempt>> {
    let query =
        format!("SELECT attempt, caller, nth, outcome, status FROM attempts WHERE {condition}");
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Attempt {
            id: row.get(0)?,
            caller: row.get(1)?,
            nth: row.get(2)?,
            outcome: row.get(3)?,
            status: row.get(4)?,
        })
    };
    Ok(calls.query_row(&query, [value], read).optional()?)
}

/// Runs the campaign with this caller alone, in a process of its own with the settings of then, and returns its folder.
fn run_again(args: &ReplayArgs, folder: &Path, caller: u32) -> anyhow::Result<PathBuf> {
    let state = RunState::load(folder)?;
    let this = std::env::current_exe().context("cannot find this program")?;
    let mut run = Command::new(this);
    run.arg("run").arg(folder.join("campaign.toml"));
    run.args(["--quiet", "--no-screen", "--trace", "all", "--only", &caller.to_string()]);
    // The latest run stays what it is.
    run.arg("--runs").arg(args.runs.join("replays"));
    match args.real_time {
        true => run.arg("--real-time"),
        false => run.args(["--virtual-time", "--variant", account::outcome::BASE]),
    };
    let own =
        [("network", "network.toml".to_owned()), ("name", format!("replay-{}", state.campaign))];
    let own = own.map(|(key, value)| (key.to_owned(), value));
    // What the command line said of messages is said above.
    let given = state.set.into_iter().filter(|(key, _)| key != "trace.keep" && key != "name");
    for (key, value) in given.chain(state.copies).chain(own) {
        run.arg("--set").arg(format!("{key}={value}"));
    }
    run.envs(state.environment);
    let output = run.stdin(Stdio::null()).output().context("cannot start the run again")?;
    let told = String::from_utf8_lossy(&output.stdout);
    // The verdict is about a campaign, and this is one call: only a run that did not come about is a failure.
    let found = told.lines().rev().find_map(|line| line.strip_prefix("run folder: "));
    found.map(PathBuf::from).with_context(|| {
        let complaint = String::from_utf8_lossy(&output.stderr);
        format!("the call could not be placed again: {}", complaint.trim())
    })
}

fn ending(attempt: &Attempt) -> String {
    // A 200 was the answer, and no ending.
    let refusal = attempt.status.filter(|status| *status >= 300);
    let status = refusal.map_or_else(String::new, |status| format!(" with {status}"));
    let outcome = attempt.outcome.replace('_', " ");
    format!("call {} of caller {}, {outcome}{status}", attempt.nth, attempt.caller)
}

/// Of a call whose messages were not kept, why there is no ladder.
fn say_ladder(folder: &Path, attempt: &Attempt, screen: Screen) {
    match call_story(folder, &attempt.id) {
        Ok(story) if screen.has_colours => cli::say_painted(text(&story, screen).trim_end()),
        Ok(story) => say(text(&story, screen).trim_end()),
        Err(error) => say(format_args!("{error:#}")),
    }
}

fn comparison(then: &Attempt, now: &Attempt) -> String {
    if now.nth < then.nth {
        return format!(
            "alone, this person called {} times only: what made them call again has not come",
            now.nth
        );
    }
    if (&then.outcome, then.status) == (&now.outcome, now.status) {
        return "it ended the same way: the other callers were not the cause".to_owned();
    }
    "it ended otherwise: what is missing are the other callers, and what they did to the network"
        .to_owned()
}
