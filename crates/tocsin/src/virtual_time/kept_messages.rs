//! The messages of kept calls of a run in virtual time.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;

use anyhow::Context as _;
use campaign::TraceSettings;
use run_folder::Folder;
use trace::{Hub, Keep, RecorderMemory, TraceWriter};

/// The hub of all boxes of the run `name`, which writes to its folder; `None` when nothing is kept. Nobody waits in virtual time, so it
/// writes at once.
pub(super) fn hub(
    folder: &Folder,
    name: &str,
    settings: TraceSettings,
) -> anyhow::Result<Option<Hub>> {
    if settings.keep == Keep::Off {
        return Ok(None);
    }
    let path = folder.trace(name);
    fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new(".")))
        .and_then(|()| TraceWriter::new(BufWriter::new(File::create(&path)?)))
        .map(|mut writer| {
            let memory = RecorderMemory::of_mib(settings.memory, settings.media);
            // What finds no room on the disk is counted: no reason to end a run. Behind a part of a block nothing can be read.
            let mut is_open = true;
            let hub = Hub::new(settings.keep, memory, move |call| {
                is_open = is_open && writer.write(&call).and_then(|()| writer.flush()).is_ok();
                is_open
            });
            Some(hub)
        })
        .with_context(|| format!("cannot create the file {} for messages", path.display()))
}
