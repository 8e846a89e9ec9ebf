//! `tocsin switch` and `tocsin psap`: the programs of a network that somebody serves by hand, with a folder for its calls.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use clap::Args;
use cli::{BoxArgs, RecordSink, ToServe};
use run_folder::ServingPart;

/// Bytes of a program's record file before it begins anew; as many more are kept as its older half. Some 100,000 calls.
const HALF: u64 = 128 << 20;

/// Serves the call servers and trunk groups of a network: all, or those that are named
#[derive(Debug, Args)]
pub(crate) struct ServedSwitchArgs {
    #[command(flatten)]
    program: switch_program::SwitchArgs,
    #[command(flatten)]
    keep: KeepArgs,
}

/// Serves the answering points of a network: all, or those that are named
#[derive(Debug, Args)]
pub(crate) struct ServedPsapArgs {
    #[command(flatten)]
    program: psap_program::PsapArgs,
    #[command(flatten)]
    keep: KeepArgs,
}

/// Where the calls of a network that is served by hand are kept.
#[derive(Debug, Args)]
struct KeepArgs {
    /// Folder in which the folder of the network is made, for tocsin show and tocsin report
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    runs: PathBuf,
    /// Keep no calls, and make no folder; --records FILE makes none either
    #[arg(long)]
    no_records: bool,
}

pub(crate) fn switch(args: &ServedSwitchArgs) -> ExitCode {
    let kept = Kept::new(&args.keep, &args.program.serve);
    let code = switch_program::run_kept(&args.program, &|served| kept.open(served));
    kept.end();
    code
}

pub(crate) fn psap(args: &ServedPsapArgs) -> ExitCode {
    let kept = Kept::new(&args.keep, &args.program.serve);
    let code = psap_program::run_kept(&args.program, &|served| kept.open(served));
    kept.end();
    code
}

/// The place for the records of this program, once it is known what it serves.
struct Kept<'a> {
    keep: &'a KeepArgs,
    serve: &'a BoxArgs,
    part: OnceLock<Arc<ServingPart>>,
}

impl<'a> Kept<'a> {
    const fn new(keep: &'a KeepArgs, serve: &'a BoxArgs) -> Self {
        Self { keep, serve, part: OnceLock::new() }
    }

    fn open(&self, served: &ToServe<'_>) -> anyhow::Result<RecordSink> {
        // The records of a child of `tocsin run` stand in the folder of the run.
        let has_place = self.serve.supervised || self.serve.records.is_some();
        if has_place || self.keep.no_records {
            return self.serve.record_file();
        }
        let ToServe { program, file, topology, boxes } = served;
        let part = ServingPart::open(&self.keep.runs, program, file, topology, boxes.clone())?;
        let part = Arc::clone(self.part.get_or_init(|| Arc::new(part)));
        let folder = part.folder().display().to_string();
        RecordSink::create_limited(&part.records(), HALF, part.trace(), move || {
            part.begin();
            tracing::info!(
                "each call is written to {folder} when it is over; see tocsin show latest"
            );
        })
    }

    /// The program has ended.
    fn end(&self) {
        if let Some(part) = self.part.get() {
            part.end();
        }
    }
}
