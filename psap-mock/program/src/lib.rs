//! The program `psap-mock`: serves the answering points of a network.

mod recordings;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cli::{BoxArgs, FileArgs, RecordKeeper, RecordSink, ToServe};
use contract::{BoxOrder, NodeKind};
use media::Clips;
use node::clock::WallStart;
use node::{Label, NodeSpec};
use sip_proto::timer::Timers;
use sip_proto::wall_clock::WallClock;
use topology::Topology;

use psap_mock::{Command, Output, Psap};
use recordings::{RecordingSink, Recordings};

/// Serves the answering points of a network: all, or those that are named
#[derive(Debug, Args)]
pub struct PsapArgs {
    #[command(flatten)]
    pub network: FileArgs,
    /// Serve only this answering point; may be given several times
    #[arg(long, value_name = "NAME")]
    pub psap: Vec<String>,
    /// Write recorded calls (psaps.NAME.record) to this folder, as stereo WAV files
    #[arg(long, value_name = "FOLDER")]
    pub recordings: Option<PathBuf>,
    #[command(flatten)]
    pub serve: BoxArgs,
}

/// Runs the program to its end; its records go where the command line says.
#[must_use]
pub fn run(args: &PsapArgs) -> ExitCode {
    run_kept(args, &|_| args.serve.record_file())
}

/// Runs the program to its end; its records go to `keeper`.
#[must_use]
pub fn run_kept(args: &PsapArgs, keeper: RecordKeeper<'_>) -> ExitCode {
    let topology = match Topology::load(&args.network.file, &args.network.network_layers()) {
        Ok(topology) => topology,
        Err(problems) => return cli::refuse(&problems),
    };
    if let Some(unknown) = args.psap.iter().find(|name| topology.psap(name).is_none()) {
        let names: Vec<_> = topology.psaps.iter().map(|psap| psap.name.as_str()).collect();
        cli::complain!("error: --psap {unknown}: no such PSAP; the PSAPs are {}", names.join(", "));
        return ExitCode::from(cli::USAGE);
    }
    args.serve.set_clock();
    if let Err(error) = args.serve.log.init() {
        return cli::fail(&error, cli::USAGE);
    }
    let wanted = |psap: &&topology::Psap| args.psap.is_empty() || args.psap.contains(&psap.name);
    let boxes = topology.psaps.iter().filter(wanted).map(|psap| psap.name.clone()).collect();
    let file = &args.network.file;
    let records = match keeper(&ToServe { program: "psap", file, topology: &topology, boxes }) {
        Ok(records) => records,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    let recorded = topology.psaps.iter().filter(wanted).find(|psap| psap.record > 0.0);
    let recordings = match (&args.recordings, recorded) {
        (Some(folder), Some(_)) => match Recordings::create(folder) {
            Ok(recordings) => Some(recordings),
            Err(error) => return cli::fail(&error, cli::USAGE),
        },
        (None, Some(psap)) => {
            let name = &psap.name;
            tracing::warn!("psaps.{name}.record is set; nothing is recorded without --recordings");
            None
        }
        (_, None) => None,
    };
    let clips = match cli::load_clips(&topology.media) {
        Ok(clips) => clips,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    let seed = args.serve.seed();
    let timers = topology.timers;
    let timers = Timers { t1: timers.t1, t2: timers.t2, t4: timers.t4 };
    let sink = || recordings.as_ref().map(Recordings::sink);
    let spec = |psap| psap_spec(psap, timers, seed, clips.clone(), records.clone(), sink());
    let specs = topology.psaps.iter().filter(wanted).map(spec).collect();
    let limits = cli::socket_limits(&topology.tcp);
    let code = cli::serve_managed(&args.serve, &records, specs, None, limits, None);
    recordings.into_iter().for_each(Recordings::finish);
    code
}

/// An answering point as a box to run.
fn psap_spec(
    settings: &topology::Psap,
    timers: Timers,
    seed: u64,
    clips: Clips,
    records: RecordSink,
    recordings: Option<RecordingSink>,
) -> NodeSpec {
    let label = Label {
        name: settings.name.clone(),
        kind: NodeKind::Psap,
        address: settings.address,
        setting: format!("psaps.{}.address", settings.name),
    };
    let record = if recordings.is_some() { settings.record } else { 0.0 };
    let settings = topology::Psap { record, ..settings.clone() };
    let seed = BoxArgs::seed_of(seed, &settings.name);
    let build = move |address, start: WallStart| {
        let settings = topology::Psap { address, ..settings };
        Psap::new(settings, timers, WallClock::new(start.now, start.unix), seed).with_clips(clips)
    };
    NodeSpec::new(label, build, accept, move |output| match output {
        Output::Record(record) => records.write(&record),
        Output::Recording(recorded) => {
            if let Some(sink) = &recordings {
                sink.take(*recorded);
            }
        }
    })
}

fn accept(order: BoxOrder) -> Result<Command, String> {
    match order {
        BoxOrder::SetPositions(number) => Ok(Command::SetPositions(number)),
        _ => Err("a PSAP takes only the number of its positions".to_owned()),
    }
}
