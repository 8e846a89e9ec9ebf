//! After the run: records to ledger to summary to exit code.

use std::time::Duration;

use load_gen::report;
use load_gen::summary::{Run, Summary};

use super::Prepared;
use super::fleet::Fleet;
use super::folder::Folder;
use super::live::{Interruptions, Watched};
use crate::outcome::{Evidence, Goodput, Outcome, chronicle, pictures, story, table};
use crate::say::say;

/// Writes `summary.json` and `report.txt`, prints the report, and returns the exit code.
pub(crate) fn conclude(
    prepared: &Prepared,
    folder: &Folder,
    fleet: &Fleet,
    interruptions: &Interruptions,
    started_us: u64,
    duration: Duration,
    watched: Watched,
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
    let mut summary = Summary::of(
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
            compression: prepared.campaign.compression,
            rules: prepared.campaign.rules(),
            lost: fleet.lost_boxes(),
            degraded,
        },
        &fleet.record_files(folder),
    );
    if let Some(elsewhere) = &prepared.elsewhere {
        elsewhere.annotate(&mut summary);
    }
    let outcome = outcome(prepared, folder, fleet, summary, watched, (started_us, duration));
    let Outcome { summary, .. } = &outcome;
    let mut text = report(summary);
    let campaign = &prepared.campaign;
    if !campaign.operations.operations.is_empty() || campaign.operations.supervision.is_some() {
        let zero = Duration::from_micros(started_us);
        folder
            .write("chronicle.json", &serde_json::to_string_pretty(&chronicle(&outcome, zero))?)?;
        text += &format!("\n{}", story(&outcome, campaign.begins));
    }
    let outcomes = std::slice::from_ref(&outcome);
    let table = table(campaign, outcomes);
    if !table.is_empty() {
        text += &format!("\n{table}");
    }
    for (name, svg) in pictures(campaign, outcomes) {
        folder.write(name, &svg)?;
    }
    folder.write("summary.json", &serde_json::to_string_pretty(summary)?)?;
    folder.write("report.txt", &text)?;
    say(format_args!("\n{text}\nrun folder: {}", folder.path().display()));
    Ok(summary.exit_code())
}

/// What the run came to, for the figures and the story: callers by their own records, the rest by those who watched.
fn outcome(
    prepared: &Prepared,
    folder: &Folder,
    fleet: &Fleet,
    summary: Summary,
    watched: Watched,
    (started_us, duration): (u64, Duration),
) -> Outcome {
    let campaign = &prepared.campaign;
    let mut evidence = Evidence::new(&campaign.figures, started_us, campaign.duration());
    let mut goodput = Goodput::new(campaign.levels(), started_us);
    for file in fleet.record_files(folder) {
        // What cannot be read stands among the reasons of the verdict already.
        let records = telemetry::read_records(&file).into_iter().flatten();
        for record in records.filter_map(Result::ok) {
            if record.kind == telemetry::BoxKind::Generator {
                evidence.add(&record);
                goodput.add(&record);
            }
        }
    }
    let detection = prepared.topology.pool.detection();
    let why = || "restarted; its log says why".to_owned();
    let restarts = watched.room.restarts().iter();
    Outcome {
        name: "run".to_owned(),
        title: "on real sockets".to_owned(),
        restarts: restarts.map(|(at, site)| (*at, site.clone(), why())).collect(),
        summary,
        room: watched.room,
        evidence,
        goodput,
        detections: watched.detections,
        predicted: (*detection.start(), *detection.end()),
        took: duration,
    }
}
