//! Media: ports, recordings to be played, and whether call servers stand between the two ends.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::reader::{Raw, Table, kind};

/// What holds for the media of every box, unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Ports of every box on its own address: RTP on even ones, RTCP above each (RFC 3550 §11).
    pub ports: RangeInclusive<u16>,
    /// A stream that should carry media and carries none for this long is idle.
    pub idle_after: Duration,
    /// Recordings that callers and PSAPs may play.
    pub clips: Vec<Clip>,
}

/// A WAV file with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    pub name: String,
    /// A relative path is resolved against the folder of the network file.
    pub file: PathBuf,
}

/// Whether the media of a trunk group's calls passes through the call server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carriage {
    /// The call server puts itself between the two ends.
    Relay,
    /// The ends exchange media with each other; the call server leaves session descriptions alone.
    Direct,
}

/// What a call taker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audio {
    /// The melody of the call, by which the other end knows whose voice it is.
    Tones,
    /// What the caller says, back to the caller.
    Echo,
    /// A recording, again and again.
    Clip(String),
}

/// What a caller hears while waiting for a call taker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// 180: the caller's own telephone makes the ring-back tone.
    Ringing,
    /// 183 with early media: the tone comes from the PSAP (RFC 3960).
    RingBack,
    /// 183 with early media: an announcement.
    Announcement(String),
}

impl Media {
    /// Below the ephemeral ports of Linux (32768-60999), so that no other program takes one by chance.
    pub(crate) const PORTS: RangeInclusive<u16> = 16_384..=32_767;

    pub(crate) fn read(table: &Table<'_>, folder: &Path) -> Self {
        let clip = |table: &Table<'_>| Clip {
            name: table.name().to_owned(),
            file: folder.join(table.required("file", kind::text, String::new())),
        };
        Self {
            ports: table.or("ports", ports, Self::PORTS),
            idle_after: table.or(
                "idle_after",
                kind::duration(Duration::from_secs(1)),
                Duration::from_secs(5),
            ),
            clips: table.named("clips", clip),
        }
    }

    /// The clip called `name`.
    #[must_use]
    pub fn clip(&self, name: &str) -> Option<&Clip> {
        self.clips.iter().find(|clip| clip.name == name)
    }

    /// What to say of a clip that does not exist.
    #[must_use]
    pub fn unknown_clip(&self, name: &str) -> String {
        if self.clips.is_empty() {
            return format!(
                "no clip is called {name:?}; add [media.clips.{name}] with its file to the network"
            );
        }
        let names: Vec<&str> = self.clips.iter().map(|clip| &clip.name[..]).collect();
        format!("no clip is called {name:?}; the clips are {}", names.join(", "))
    }
}

impl Carriage {
    pub(crate) const WORDS: [(&'static str, Self); 2] =
        [("relay", Self::Relay), ("direct", Self::Direct)];
}

/// `"16384-32767"`: at least one pair.
pub(crate) fn ports(raw: Raw<'_>) -> Result<RangeInclusive<u16>, String> {
    let refuse =
        || format!("must be two ports from 1024 to 65535, such as \"16384-32767\", got {raw}");
    let text = kind::text(raw).map_err(|_| refuse())?;
    let (first, last) = text.split_once('-').ok_or_else(refuse)?;
    let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port >= 1_024);
    let (first, last) = (port(first).ok_or_else(refuse)?, port(last).ok_or_else(refuse)?);
    // RFC 3550 §11: RTP on an even port, RTCP on the next one.
    if first + first % 2 >= last {
        return Err(format!("must hold an even port and the odd one above it, got {raw}"));
    }
    Ok(first..=last)
}

/// `tones`, `echo` or `clip NAME`.
pub(crate) fn audio(raw: Raw<'_>) -> Result<Audio, String> {
    let refuse = || format!("must be \"tones\", \"echo\" or \"clip NAME\", got {raw}");
    let text = kind::text(raw).map_err(|_| refuse())?;
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        ["tones"] => Ok(Audio::Tones),
        ["echo"] => Ok(Audio::Echo),
        ["clip", name] => Ok(Audio::Clip(name.to_owned())),
        _ => Err(refuse()),
    }
}

/// `ringing`, `ring-back` or `announcement NAME`.
pub(crate) fn waiting(raw: Raw<'_>) -> Result<Waiting, String> {
    let refuse =
        || format!("must be \"ringing\", \"ring-back\" or \"announcement CLIP\", got {raw}");
    let text = kind::text(raw).map_err(|_| refuse())?;
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        ["ringing"] => Ok(Waiting::Ringing),
        ["ring-back"] => Ok(Waiting::RingBack),
        ["announcement", name] => Ok(Waiting::Announcement(name.to_owned())),
        _ => Err(refuse()),
    }
}
