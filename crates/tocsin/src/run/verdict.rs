//! After the run: records to ledger to summary to exit code.

use std::time::Duration;

use load_gen::report;
use load_gen::summary::{Run, Summary};
use telemetry::Rules;

use super::Prepared;
use super::fleet::Fleet;
use super::folder::Folder;

/// Writes `summary.json` and `report.txt`, prints the report, and returns the verdict's exit code.
pub(crate) fn conclude(
    prepared: &Prepared,
    folder: &Folder,
    fleet: &Fleet,
    started_us: u64,
    duration: Duration,
) -> anyhow::Result<u8> {
    let processes = fleet.usage();
    let load = processes.iter().filter(|process| process.name == "load");
    let generator_cpu_s = load.map(|process| process.user_s + process.system_s).sum();
    let psaps = &prepared.topology.psaps;
    let summary = Summary::of(
        Run {
            campaign: &prepared.campaign,
            network: &prepared.topology.name,
            service_levels: psaps
                .iter()
                .map(|psap| (psap.name.clone(), psap.service_level))
                .collect(),
            started_us,
            duration,
            generators: fleet.generators(),
            generator_cpu_s,
            processes,
            rules: Rules::default(),
            lost: fleet.lost_boxes(),
            degraded: fleet.losses(),
        },
        &fleet.record_files(folder),
    );
    let text = report(&summary);
    folder.write("summary.json", &serde_json::to_string_pretty(&summary)?)?;
    folder.write("report.txt", &text)?;
    println!("\n{text}\nrun folder: {}", folder.path().display());
    Ok(summary.verdict.exit_code())
}
