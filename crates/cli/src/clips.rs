//! The recordings that a network names, ready to be played.

use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;

use anyhow::Context as _;
use media::{Clip, Clips, wav};

/// Reads every WAV file that `media` names.
///
/// # Errors
/// The first file that cannot be read or played, with its key and its path.
pub fn load_clips(media: &topology::Media) -> anyhow::Result<Clips> {
    let load = |clip: &topology::Clip| {
        let place = || format!("media.clips.{}.file: {}", clip.name, clip.file.display());
        let file = File::open(&clip.file).with_context(place)?;
        let samples = wav::read(BufReader::new(file)).with_context(place)?;
        Ok((clip.name.clone(), Arc::new(Clip::new(&samples))))
    };
    media.clips.iter().map(load).collect()
}
