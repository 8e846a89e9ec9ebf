//! What is shown, as a file. The ending of its name says in which form.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::net::IpAddr;
use std::path::Path;

use account::text::counted;
use anyhow::{Context as _, bail};
use ladder::Story;
use ladder::capture::{CapturedPacket, packets, write_pcapng};
use ladder::render::{Screen, html, json, markdown, mermaid, svg, text};
use ladder::watch::{CallRow, csv};

/// A ladder in a file may be as wide as this.
const WIDTH: usize = 160;

/// Saves the ladder that is open.
pub(super) fn ladder(story: &Story, name: &str) -> anyhow::Result<String> {
    let form = match ending(name) {
        "txt" => text(story, Screen { width: WIDTH, has_colours: false }),
        "md" => markdown(story),
        "mmd" => mermaid(story),
        "svg" => svg(story),
        "html" => html(story),
        "json" => json(story),
        "pcapng" => return capture(std::slice::from_ref(story), name),
        _ => bail!("write a name that ends in .txt, .md, .mmd, .svg, .html, .json or .pcapng"),
    };
    write(name, &form)?;
    Ok(format!("the ladder is in {name}"))
}

/// Saves these calls: as a list, or as what `stories` gives of them.
pub(super) fn calls(
    rows: &[&CallRow],
    stories: impl FnOnce() -> anyhow::Result<Vec<Story>>,
    name: &str,
) -> anyhow::Result<String> {
    if rows.is_empty() {
        bail!("there is no call to save");
    }
    match ending(name) {
        "csv" => {
            write(name, &csv(rows.iter().copied()))?;
            Ok(format!("{} in {name}", counted(rows.len() as u64, "call", "calls")))
        }
        "pcapng" => capture(&stories()?, name),
        _ => bail!("write a name that ends in .pcapng or .csv"),
    }
}

fn capture(stories: &[Story], name: &str) -> anyhow::Result<String> {
    let mut all: Vec<CapturedPacket> = stories.iter().flat_map(packets).collect();
    let columns = stories.iter().flat_map(|story| &story.columns).filter(|it| it.kind.is_some());
    let names: Vec<(IpAddr, String)> =
        columns.map(|column| (column.address.ip(), column.name.clone())).collect();
    let file = BufWriter::new(create(name)?);
    write_pcapng(file, &mut all, &names).with_context(|| format!("cannot write {name}"))?;
    Ok(format!("{} in {name}", counted(all.len() as u64, "message", "messages")))
}

fn ending(name: &str) -> &str {
    Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default()
}

fn write(name: &str, text: &str) -> anyhow::Result<()> {
    create(name)?.write_all(text.as_bytes()).with_context(|| format!("cannot write {name}"))
}

/// Nothing that is there is lost by a name that was typed in haste.
fn create(name: &str) -> anyhow::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).open(name);
    file.with_context(|| format!("cannot write {name}"))
}
