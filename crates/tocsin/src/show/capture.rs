//! `tocsin show RUN … --pcap FILE`: the messages of one call, of the calls of a filter, or of all that were kept, as a capture.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use account::text::counted;
use anyhow::{Context as _, bail};
use ladder::{Story, Told, join};
use run_folder::{Captured, call_story, kept_calls, named_addresses, what_is_kept, write_capture};
use trace::KeptCall;

/// Writes the messages of one call.
pub(super) fn of_call(folder: &Path, call: &str, file: &Path) -> anyhow::Result<String> {
    write(folder, &[call_story(folder, call)?], file)
}

/// Writes the messages of these attempts, or, with `None`, of all that were kept.
pub(super) fn of_attempts(
    folder: &Path,
    attempts: Option<&BTreeSet<u128>>,
    file: &Path,
) -> anyhow::Result<String> {
    let wanted = |attempt| attempts.is_none_or(|attempts| attempts.contains(&attempt));
    let mut calls: BTreeMap<u128, Vec<KeptCall>> = BTreeMap::new();
    for part in kept_calls(folder, wanted)? {
        calls.entry(part.attempt).or_default().push(part);
    }
    if calls.is_empty() {
        let which = if attempts.is_some() { "of these calls" } else { "in this run" };
        bail!("{which} no message was kept: {}", what_is_kept(folder));
    }
    let told = Told { names: named_addresses(folder), ..Told::default() };
    let stories: Vec<Story> = calls.values().map(|parts| join(parts, &told)).collect();
    let mut said = write(folder, &stories, file)?;
    if let Some(attempts) = attempts
        && stories.len() < attempts.len()
    {
        said +=
            &format!("\nof {} no message was kept", counted_calls(attempts.len() - stories.len()));
    }
    Ok(said)
}

fn write(folder: &Path, stories: &[Story], file: &Path) -> anyhow::Result<String> {
    let failed = || format!("cannot write {}", file.display());
    let output = BufWriter::new(File::create(file).with_context(failed)?);
    let Captured { messages, media } =
        write_capture(folder, stories, output).with_context(failed)?;
    let mut said = format!(
        "{} of {} in {}",
        counted(messages as u64, "message", "messages"),
        counted_calls(stories.len()),
        file.display()
    );
    if media > 0 {
        let packets = counted(media as u64, "packet", "packets");
        said += &format!(", with {packets} of RTP and RTCP");
    }
    Ok(said)
}

fn counted_calls(calls: usize) -> String {
    counted(calls as u64, "call", "calls")
}
