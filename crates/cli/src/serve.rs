//! From boxes to an exit code.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use contract::{DirectoryEntry, ProcessEnding};
use node::{
    Directory, DrainRequest, HepCollector, NodeSpec, Observation, Options, RecordWatch,
    SocketLimits,
};
use telemetry::MessageFigures;
use tokio::time::{Instant, interval};
use topology::TcpLimits;

use crate::manage::{LiveFeed, ManagedCallServer, Management, NetworkView, OwnBoxes};
use crate::trace_file::TraceFile;
use crate::{BoxArgs, RecordSink, fail};

/// Records wait at most this long in memory: what a killed process takes with it.
const FLUSH_INTERVAL: Duration = Duration::from_millis(200);

/// Exit code of a generator all of whose calls timed out: as of a run that fails.
const REACHED_NOBODY: u8 = 1;

/// Serves boxes until they are asked to end, or, with a limit, until every box shows that it is `finished` or the limit is over.
/// Says how that went: 0 after a clean drain, 4 when a drain did not end or
/// records were lost, else see [`ProcessEnding::exit_code`].
#[must_use]
pub fn serve(
    args: &BoxArgs,
    records: &RecordSink,
    specs: Vec<NodeSpec>,
    limit: Option<Duration>,
) -> ExitCode {
    serve_managed(args, records, specs, limit, SocketLimits::default(), None)
}

/// What the boxes of a network allow peers that speak TCP.
#[must_use]
pub fn socket_limits(tcp: &TcpLimits) -> SocketLimits {
    SocketLimits {
        connections: tcp.connections as usize,
        per_source: tcp.connections_per_source as usize,
        silent_per_source: tcp.silent_per_source as usize,
        arrival: tcp.message_time,
        ..SocketLimits::default()
    }
}

/// As [`serve`] with limits of the sockets, and lets operators manage the call servers that are named.
#[must_use]
pub fn serve_managed(
    args: &BoxArgs,
    records: &RecordSink,
    specs: Vec<NodeSpec>,
    limit: Option<Duration>,
    limits: SocketLimits,
    management: Option<(Management, Vec<ManagedCallServer>, NetworkView)>,
) -> ExitCode {
    let options = Options {
        supervised: args.supervised,
        drain_timeout: args.drain_timeout,
        snapshot_interval: args.snapshot_interval,
        limits,
        records: record_watch(records.clone()),
        ..Options::default()
    };
    let metrics = match args.metrics.open() {
        Ok(metrics) => metrics,
        Err(error) => return fail(&error, crate::USAGE),
    };
    let trace = match TraceFile::create(&args.trace, records.messages(), args.disk_limit) {
        Ok(trace) => trace,
        Err(error) => return fail(&error, crate::USAGE),
    };
    let hep = args.trace.hep.map(HepCollector::open).transpose();
    let hep = match hep.context("cannot send copies of messages there (--hep)") {
        Ok(hep) => hep,
        Err(error) => return fail(&error, crate::USAGE),
    };
    let hub = trace.as_ref().map(TraceFile::hub);
    let options = Options { observation: Observation { hub, hep: hep.clone() }, ..options };
    let directory = options.directory.clone();
    let ending = node::run(async {
        let managed = management.map(|(management, members, network)| {
            let (directory, console) = (options.directory.clone(), options.console.clone());
            let feed = LiveFeed::default();
            tracing::info!("managed at {}; see tocsin ctl", management.address());
            management.told().iter().for_each(|told| tracing::warn!("{told}"));
            management.serve(Arc::new(OwnBoxes::new(members, directory, console, network, feed)))
        });
        let _managed = managed.transpose()?;
        let shown = metrics.map(|metrics| {
            tracing::info!("metrics at http://{}/metrics", metrics.address());
            metrics.serve(crate::metrics::own(options.directory.clone(), records.clone()))
        });
        let _shown = shown.transpose()?;
        let flush = tokio::task::spawn_local(flush_now_and_then(records.clone()));
        let (begun, listening) = (records.clone(), options.listening.clone());
        let begin = tokio::task::spawn_local(async move {
            listening.wait().await;
            begun.begin();
        });
        let finish = limit.map(|limit| {
            let (directory, drain) = (options.directory.clone(), options.drain_request.clone());
            tokio::task::spawn_local(drain_when_finished(directory, drain, limit))
        });
        let ending = node::serve(specs, options).await;
        flush.abort();
        begin.abort();
        finish.inspect(tokio::task::JoinHandle::abort);
        anyhow::Ok(ending?)
    });
    records.flush();
    trace.into_iter().for_each(TraceFile::finish);
    if let Some(dropped) = hep.map(|hep| hep.dropped()).filter(|dropped| *dropped > 0) {
        tracing::warn!(
            "{dropped} copies of messages were not sent: nobody takes HEP there, or too slowly"
        );
    }
    tell_of_messages(&directory);
    let ending = match ending {
        Ok(ending) => ending,
        Err(error) => return fail(&error, crate::USAGE),
    };
    if let Some(trouble) = records.trouble() {
        crate::complain!("error: {trouble}");
        return ExitCode::from(ProcessEnding::DrainTimedOut.exit_code());
    }
    if limit.is_some() && !args.supervised && reached_nobody(&directory) {
        crate::complain!("error: no call got a response: is anybody there?");
        return ExitCode::from(REACHED_NOBODY);
    }
    ExitCode::from(ending.exit_code())
}

/// Lets the shell of a program see what becomes of its records.
fn record_watch(records: RecordSink) -> RecordWatch {
    RecordWatch::new(move || records.counts())
}

/// Whether there were calls, and each of them timed out without a response.
fn reached_nobody(directory: &Directory) -> bool {
    let entries = directory.entries();
    let shown = entries.values().filter_map(|entry| entry.snapshot.as_ref()?.generator());
    let sum = |(offered, silent), one: &contract::GeneratorSnapshot| {
        (offered + one.offered, silent + one.timed_out)
    };
    let (offered, silent) = shown.fold((0, 0), sum);
    offered > 0 && silent == offered
}

/// Logs one line about messages that came to nothing, if there were any.
fn tell_of_messages(directory: &Directory) {
    let mut sum = MessageFigures::default();
    for entry in directory.entries().values() {
        sum += &entry.messages();
    }
    if !sum.is_zero() {
        tracing::info!("messages that came to nothing: {sum}");
    }
}

async fn flush_now_and_then(records: RecordSink) {
    let mut ticks = interval(FLUSH_INTERVAL);
    loop {
        ticks.tick().await;
        records.flush();
    }
}

/// Begins the drain once every box shows `finished`, or at `limit` after now.
async fn drain_when_finished(directory: Directory, drain: DrainRequest, limit: Duration) {
    let end = Instant::now() + node::clock::real(limit);
    let mut ticks = interval(FLUSH_INTERVAL);
    loop {
        ticks.tick().await;
        let entries = directory.entries();
        let finished = |entry: &DirectoryEntry| {
            let shown = entry.snapshot.as_ref().and_then(|snapshot| snapshot.generator());
            shown.is_some_and(|generator| generator.finished)
        };
        if (!entries.is_empty() && entries.values().all(finished)) || Instant::now() >= end {
            drain.begin();
            return;
        }
    }
}
