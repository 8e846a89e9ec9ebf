//! How fast a call server works, what may wait for it, and what it does when there is too much.

use std::time::Duration;

use crate::reader::{Table, kind};

/// The processor of a call server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processing {
    /// What one INVITE of a new call costs. Zero: nothing costs anything.
    pub call: Duration,
    /// What any other message costs; a fifth of `call` unless it is set.
    other: Option<Duration>,
    /// What the refusal of a new call costs; a tenth of `call` unless it is set.
    refusal: Option<Duration>,
    /// Messages that may wait.
    pub queue: u32,
    pub overload: OverloadMode,
    /// With so many messages waiting, ordinary calls are refused; a tenth of `queue` unless it is set.
    refuse_ordinary_at: Option<u32>,
    /// The same for emergency calls; a fifth of `queue` unless it is set.
    refuse_emergency_at: Option<u32>,
}

/// What a call server does about overload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverloadMode {
    /// Whatever comes is processed in its turn.
    None,
    /// Calls are refused with 503 and Retry-After while too much waits (RFC 3261 §21.5.4).
    Reject,
    /// Trunk groups are asked to hold back a share of their calls (RFC 7339).
    Loss,
    /// Trunk groups are asked not to send more than so many calls in a second (RFC 7415).
    Rate,
}

impl OverloadMode {
    const WORDS: [(&'static str, Self); 4] = [
        ("none", Self::None),
        ("reject", Self::Reject),
        ("loss", Self::Loss),
        ("rate", Self::Rate),
    ];

    /// Whether it tells its clients what it can take.
    #[must_use]
    pub const fn gives_feedback(self) -> bool {
        matches!(self, Self::Loss | Self::Rate)
    }
}

impl Default for Processing {
    fn default() -> Self {
        Self {
            call: Duration::ZERO,
            other: None,
            refusal: None,
            queue: 500,
            overload: OverloadMode::None,
            refuse_ordinary_at: None,
            refuse_emergency_at: None,
        }
    }
}

impl Processing {
    /// This processor with the changes of `table`.
    pub(crate) fn read(&self, table: &Table<'_>) -> Self {
        let any = kind::duration(Duration::ZERO);
        let length = kind::count(1..=1_000_000);
        let read = Self {
            call: table.or("processing", &any, self.call),
            other: table.optional("processing_other", &any).or(self.other),
            refusal: table.optional("processing_refusal", &any).or(self.refusal),
            queue: table.or("queue", &length, self.queue),
            overload: table.or("overload", kind::choice(&OverloadMode::WORDS), self.overload),
            refuse_ordinary_at: table
                .optional("refuse_ordinary_at", &length)
                .or(self.refuse_ordinary_at),
            refuse_emergency_at: table
                .optional("refuse_emergency_at", &length)
                .or(self.refuse_emergency_at),
        };
        if read.refuse_emergency_at() < read.refuse_ordinary_at() {
            let key = match table.has("refuse_emergency_at") {
                true => "refuse_emergency_at",
                false => "refuse_ordinary_at",
            };
            let (ordinary, emergency) = (read.refuse_ordinary_at(), read.refuse_emergency_at());
            let message = format!(
                "would refuse emergency calls (from {emergency}) before ordinary ones (from {ordinary})"
            );
            table.report(key, message);
        }
        read
    }

    /// What any message costs that is not the INVITE of a new call.
    #[must_use]
    pub fn other(&self) -> Duration {
        self.other.unwrap_or(self.call / 5)
    }

    /// What it costs to refuse a new call.
    #[must_use]
    pub fn refusal(&self) -> Duration {
        self.refusal.unwrap_or(self.call / 10)
    }

    /// Messages waiting from which on ordinary calls are refused.
    #[must_use]
    pub fn refuse_ordinary_at(&self) -> u32 {
        self.refuse_ordinary_at.unwrap_or_else(|| (self.queue / 10).max(1))
    }

    /// Messages waiting from which on emergency calls are refused.
    #[must_use]
    pub fn refuse_emergency_at(&self) -> u32 {
        self.refuse_emergency_at.unwrap_or_else(|| (self.queue / 5).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Document;
    use crate::{Layers, Problems};

    fn read(text: &str) -> Result<Processing, Problems> {
        let document = Document::parse("test.toml", text, &Layers::none())?;
        let processing = document.read(|root| Processing::default().read(root));
        document.finish(processing)
    }

    #[test]
    fn what_is_not_set_follows_from_what_is() {
        let processing = read("processing = \"5ms\"\nqueue = 200\noverload = \"loss\"").unwrap();
        assert_eq!(processing.other(), Duration::from_millis(1));
        assert_eq!(processing.refusal(), Duration::from_micros(500));
        assert_eq!((processing.refuse_ordinary_at(), processing.refuse_emergency_at()), (20, 40));
        assert!(processing.overload.gives_feedback());
        assert_eq!(read("").unwrap(), Processing::default());
    }

    #[test]
    fn emergency_calls_are_not_refused_first() {
        let problems = read("refuse_ordinary_at = 60\nrefuse_emergency_at = 50").unwrap_err();
        assert!(problems.to_string().contains("before ordinary ones"), "{problems}");
        assert!(read("overload = \"some\"").is_err());
    }
}
