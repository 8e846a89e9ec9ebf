//! What `tocsin show`, `tocsin report` and `tocsin runs` tell of a network that is, or was, served by hand.

use std::path::Path;

use account::text::{instant, length};
use account::{ServedChoice, call, served_calls, served_counts, served_table, write_served_csv};
use anyhow::Context as _;
use campaign::utc::rfc3339;
use run_folder::{CALLS_CSV, Folder, ServedNetwork, Standing};
use telemetry::visible;

/// The list of its calls.
pub(crate) fn list(
    folder: &Path,
    network: &ServedNetwork,
    choice: ServedChoice,
    limit: usize,
) -> String {
    let calls = served_calls(&Folder::open(folder).record_files());
    let table = served_table(&calls, choice, limit);
    visible(&format!("{}{}\n\n{table}", head(folder, network), served_counts(&calls))).into_owned()
}

/// Everything known of one of its calls.
pub(crate) fn one(folder: &Path, network: &ServedNetwork, word: &str) -> anyhow::Result<String> {
    call::tell_served(network.started_us, &Folder::open(folder).record_files(), word)
}

/// Writes the list of all its calls, as text and as CSV, into its folder.
pub(crate) fn write(folder: &Path, network: &ServedNetwork) -> anyhow::Result<String> {
    let place = Folder::open(folder);
    let text = list(folder, network, ServedChoice::All, usize::MAX);
    place.replace("report.txt", &text)?;
    let mut csv = Vec::new();
    write_served_csv(&mut csv, &served_calls(&place.record_files()))?;
    let csv = String::from_utf8(csv).context("calls in CSV are text")?;
    place.replace(CALLS_CSV, &csv)?;
    Ok(text)
}

/// Calls that are over.
pub(crate) fn count(folder: &Path) -> u64 {
    served_calls(&Folder::open(folder).record_files()).len() as u64
}

/// From the first start to the last end; `None` while it is served, or where a program was killed.
pub(crate) fn lasted_s(folder: &Path, network: &ServedNetwork) -> Option<f64> {
    let ends: Option<Vec<u64>> = network.programs.iter().map(|program| program.ended_us).collect();
    let last = ends?.into_iter().max().filter(|_| Standing::of(folder) == Standing::Served)?;
    Some(last.saturating_sub(network.started_us) as f64 / 1e6)
}

fn head(folder: &Path, network: &ServedNetwork) -> String {
    let since = instant(&rfc3339(network.started_us));
    let state = match Standing::of(folder) {
        Standing::Serving => "is served".to_owned(),
        Standing::Starting => "starts".to_owned(),
        _ => match lasted_s(folder, network) {
            Some(seconds) => format!("was served for {}", length(seconds)),
            None => "was served until its programs were killed".to_owned(),
        },
    };
    let programs: Vec<String> = network
        .programs
        .iter()
        .map(|one| format!("  tocsin {}: {}\n", one.program, one.boxes.join(", ")))
        .collect();
    format!("network {} {state}, since {since}\n{}", network.network, programs.concat())
}
