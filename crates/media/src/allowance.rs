//! What is sent to an address that nobody has shown to be his own.
//!
//! Whoever offers media names an address, and may name that of somebody else. His ACK shows that he is in earnest, as does
//! media that comes from there. Until then he gets as much as a short sound needs, and more only for what he sends.

/// Packets that go to an address before its owner has shown himself: a second of telephony.
const MOST: u32 = 50;

/// Further ones for each packet that comes from there.
const EARNED: u32 = 2;

/// How many packets may still be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    left: u32,
}

impl Allowance {
    pub(crate) const fn full() -> Self {
        Self { left: MOST }
    }

    pub(crate) const fn is_spent(self) -> bool {
        self.left == 0
    }

    pub(crate) fn spend(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// A packet has come from there.
    pub(crate) fn earn(&mut self) {
        self.left = (self.left + EARNED).min(MOST);
    }
}
