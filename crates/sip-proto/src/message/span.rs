//! Where the parts of a message lie.

use std::ops::Range;

/// A part of the message's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    #[inline]
    pub(super) const fn new(start: usize, end: usize) -> Self {
        // Messages are at most 64 KiB; a longer one would have been refused by the transport.
        Self { start: start as u32, end: end as u32 }
    }

    #[inline]
    pub(super) const fn of(range: Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }

    #[inline]
    pub(super) const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    pub(super) const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Where `part`, a slice of `head`, lies in it. An empty part lies nowhere.
    #[inline]
    pub(super) fn within(head: &str, part: &str) -> Self {
        if part.is_empty() {
            return Self::default();
        }
        let start = (part.as_ptr() as usize).saturating_sub(head.as_ptr() as usize);
        Self::new(start, start + part.len())
    }

    /// This part of `head`.
    #[inline]
    pub(super) fn read(self, head: &str) -> &str {
        head.get(self.range()).unwrap_or_default()
    }
}
