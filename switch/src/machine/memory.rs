//! The memory for call contexts. It is empty after every start.

/// A number of contexts: each call takes one.
#[derive(Debug)]
pub(crate) struct Memory {
    capacity: u32,
    used: u32,
}

impl Memory {
    pub(crate) const fn new(capacity: u32) -> Self {
        Self { capacity, used: 0 }
    }

    /// Takes a context. False when there is none left.
    #[must_use]
    pub(crate) const fn take(&mut self) -> bool {
        let free = self.used < self.capacity;
        if free {
            self.used += 1;
        }
        free
    }

    /// Gives a context back.
    pub(crate) const fn give_back(&mut self) {
        self.used = self.used.saturating_sub(1);
    }

    pub(crate) const fn used(&self) -> u32 {
        self.used
    }
}
