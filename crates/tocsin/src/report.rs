//! `tocsin report`: makes the summary and the report of a run again from its records.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cli::say;
use run_folder::{RebuildError, ServedNetwork, locate, rebuild};

use crate::served;
use crate::told::tell;

/// Makes summary, report and calls again from the records in a run folder, also of a run that was killed; lists the calls of a
/// network that is served by hand
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run: its folder, its name, a part of its name, or latest
    run: String,
    /// Folder in which run folders are
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    runs: PathBuf,
}

/// The exit code is that of the run; 0 for a network of which nothing was demanded.
pub(crate) fn report(args: &ReportArgs) -> ExitCode {
    let folder = match locate(&args.runs, &args.run) {
        Ok(folder) => folder,
        Err(error) => return cli::fail(&error, cli::USAGE),
    };
    match ServedNetwork::load(&folder) {
        Ok(None) => {}
        Ok(Some(network)) => {
            return match served::write(&folder, &network) {
                Ok(text) => {
                    say(format_args!("{}\nfolder: {}", text.trim_end(), folder.display()));
                    ExitCode::SUCCESS
                }
                Err(error) => cli::fail(&error, cli::USAGE),
            };
        }
        Err(error) => return cli::fail(&error, cli::USAGE),
    }
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
