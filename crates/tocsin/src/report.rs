//! `tocsin report`: makes the summary and the report of a run again from its records.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use run_folder::{RebuildError, locate, rebuild};

use crate::told::tell;

/// Makes summary, report and calls again from the records in a run folder, also of a run that was killed
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run: its folder, its name, a part of its name, or latest
    run: String,
    /// Folder in which run folders are
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    runs: PathBuf,
}

/// The exit code is that of the run.
pub(crate) fn report(args: &ReportArgs) -> ExitCode {
    let folder = match locate(&args.runs, &args.run) {
        Ok(folder) => folder,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    let start = std::time::Instant::now();
    match rebuild(&folder) {
        Ok(retold) => {
            let exit_code = tell(&retold, &folder);
            let (took, usage) = (start.elapsed().as_secs_f64(), node::usage());
            let (cpu, mib) = (usage.cpu().as_secs_f64(), usage.max_rss_kib as f64 / 1024.0);
            cli::complain!("made again in {took:.1} s, with {cpu:.1} s of CPU and {mib:.0} MiB");
            ExitCode::from(exit_code)
        }
        Err(RebuildError::Broken(error)) => cli::fail(&error, cli::USAGE),
        Err(RebuildError::Inputs(problems)) => cli::refuse(&problems),
    }
}
