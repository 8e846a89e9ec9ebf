//! What is left of a bench, in one voice: a file that cannot be written changes the verdict before anybody is told it.

use std::fs;

use account::bench::{BenchReport, report};
use run_folder::Folder;

/// Writes `report.txt` and `bench.json`. What the disk refuses is a reason more, and is not tried again.
pub(super) fn keep(folder: &Folder, bench: &mut BenchReport) {
    let mut names = vec!["report.txt", "bench.json"];
    loop {
        let write = |name: &&&str| {
            let text = match **name {
                "bench.json" => serde_json::to_string_pretty(bench).map_err(Into::into),
                _ => Ok(report(bench)),
            };
            text.and_then(|text| folder.replace(name, &text)).err()
        };
        let refused = names.iter().find_map(|name| Some((*name, write(&name)?)));
        let Some((name, error)) = refused else { return };
        let _ = fs::remove_file(folder.path().join(name));
        bench.degrade(format!("{name} could not be written: {error:#}"));
        names.retain(|one| *one != name);
    }
}
