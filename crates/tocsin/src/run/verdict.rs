//! After the run: records to ledger to summary to exit code.

use std::time::Duration;

use load_gen::report;
use load_gen::summary::{Run, Summary};

use super::Prepared;
use super::fleet::Fleet;
use super::folder::Folder;
use super::live::Interruptions;

/// Writes `summary.json` and `report.txt`, prints the report, and returns the exit code.
pub(crate) fn conclude(
    prepared: &Prepared,
    folder: &Folder,
    fleet: &Fleet,
    interruptions: &Interruptions,
    started_us: u64,
    duration: Duration,
) -> anyhow::Result<u8> {
    let processes = fleet.usage();
    let load = processes.iter().filter(|process| process.name == "load");
    let generator_cpu_s = load.map(|process| process.user_s + process.system_s).sum();
    let messages = fleet.messages();
    let mut degraded = fleet.losses();
    if interruptions.are_urgent() {
        degraded.push("a second interruption cut off the calls in progress".to_owned());
    }
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
            generator_messages: messages.get("load").cloned().unwrap_or_default(),
            processes,
            messages,
            refused_without_port: fleet.refused_without_port(),
            ledger_hash: None,
            interrupted: interruptions.seen(),
            rules: prepared.campaign.rules(),
            lost: fleet.lost_boxes(),
            degraded,
        },
        &fleet.record_files(folder),
    );
    let text = report(&summary);
    folder.write("summary.json", &serde_json::to_string_pretty(&summary)?)?;
    folder.write("report.txt", &text)?;
    println!("\n{text}\nrun folder: {}", folder.path().display());
    Ok(summary.exit_code())
}
