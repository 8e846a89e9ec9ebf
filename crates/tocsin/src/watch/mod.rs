//! `tocsin watch`: the calls of a capture, of a network that runs, or of a run, in the terminal; the keys are those of sngrep.
//!
//! ```text
//!   source.rs ── messages ──► desk.rs ◄── keys ── terminal
//!   file, HEP, run              │ list, ladder, message, difference
//!                               ├──► draw.rs ──► terminal
//!                               └──► save.rs ──► pcapng, CSV, text …
//! ```

mod desk;
mod draw;
mod save;
mod source;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use account::text::table;
use clap::Args;
use ladder::watch::{CallRow, Filter};
use ratatui::crossterm::event::{self, Event};
use telemetry::visible_line;

use self::desk::Desk;
use self::source::{Arrival, Origin};

/// How long a key is waited for before new messages are looked at.
const FRAME: Duration = Duration::from_millis(100);
/// Messages that are taken before the next picture.
const AT_ONCE: usize = 5_000;

/// Shows calls as they come by, with their ladders: of a capture file (pcap, pcapng), of a run, or of any network whose agents send HEP
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// A capture file; or a run: its folder, its name, a part of its name, or latest
    #[arg(required_unless_present = "hep", conflicts_with = "hep")]
    source: Option<String>,
    /// Take HEP packets (version 3) at this address over UDP
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:9060")]
    hep: Option<std::net::SocketAddr>,
    /// Only calls for which this holds, such as "site = gamma and status >= 500"
    #[arg(long, value_name = "FILTER", default_value = "")]
    filter: String,
    /// At most so many calls; the oldest are forgotten
    #[arg(long, value_name = "NUMBER", default_value_t = 50_000)]
    limit: usize,
    /// Folder in which run folders are
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    runs: PathBuf,
}

pub(crate) fn watch(args: &WatchArgs) -> ExitCode {
    match watched(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::fail(&error, cli::USAGE),
    }
}

fn watched(args: &WatchArgs) -> anyhow::Result<()> {
    let filter =
        Filter::parse(&args.filter).map_err(|error| anyhow::anyhow!("--filter: {error}"))?;
    let origin = match (&args.source, args.hep) {
        (_, Some(address)) => Origin::Hep(address),
        (Some(source), None) => Origin::of(source, &args.runs)?,
        (None, None) => anyhow::bail!("give a capture file, a run, or --hep"),
    };
    let (names, arrivals) = origin.open()?;
    let mut desk = Desk::new(names, args.limit, origin);
    desk.set_filter(&args.filter, filter);
    if io::stdout().is_terminal() {
        return Ok(on_terminal(&mut desk, &arrivals)?);
    }
    as_lines(&mut desk, &arrivals);
    Ok(())
}

/// Draws until somebody has seen enough.
fn on_terminal(desk: &mut Desk, arrivals: &Receiver<Arrival>) -> io::Result<()> {
    let mut terminal = ratatui::try_init().inspect_err(|_| ratatui::restore())?;
    let mut stale = true;
    let ended = loop {
        for _ in 0..AT_ONCE {
            match arrivals.try_recv() {
                Ok(arrival) => {
                    desk.take(arrival);
                    stale = true;
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        if stale && let Err(error) = terminal.draw(|frame| draw::draw(frame, desk)) {
            break Err(error);
        }
        stale = false;
        match event::poll(FRAME).and_then(|some| some.then(event::read).transpose()) {
            Ok(Some(Event::Key(key))) => {
                stale = true;
                if desk.press(key) {
                    break Ok(());
                }
            }
            Ok(Some(Event::Resize(..))) => stale = true,
            Ok(_) => {}
            Err(error) => break Err(error),
        }
    };
    ratatui::restore();
    ended
}

/// Tells calls where nobody looks at a picture: all of a file, and of a network that runs each when it is over.
fn as_lines(desk: &mut Desk, arrivals: &Receiver<Arrival>) {
    let mut told: HashSet<usize> = HashSet::new();
    loop {
        match arrivals.recv_timeout(Duration::from_secs(1)) {
            Ok(arrival) => {
                let number = desk.take(arrival);
                if desk.origin.is_live()
                    && let Some((number, row)) =
                        number.and_then(|it| Some((it, desk.list.row(it)?)))
                    && row.state.is_over()
                    && desk.filter.shows(row)
                    && told.insert(number)
                {
                    cli::say(cells(row).join("  "));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    for remark in &desk.remarks {
        cli::complain!("note: {remark}");
    }
    let mut lines = vec![
        ["start", "method", "from", "to", "state", "status", "messages", "boxes"]
            .map(str::to_owned)
            .to_vec(),
    ];
    lines.extend(desk.shown().filter_map(|number| desk.list.row(number)).map(cells));
    if lines.len() == 1 {
        return cli::say("no such call");
    }
    cli::say(table(&lines, &[5, 6]).trim_end());
}

/// A call as words.
fn cells(row: &CallRow) -> Vec<String> {
    let plain = |text: &str| visible_line(text).into_owned();
    vec![
        campaign::utc::rfc3339(row.start_us),
        plain(&row.method),
        plain(&row.from),
        plain(&row.to),
        row.state.to_string(),
        row.status.map_or_else(|| "-".to_owned(), |status| status.to_string()),
        row.messages.to_string(),
        plain(&row.boxes.join(" ")),
    ]
}
