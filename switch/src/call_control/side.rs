//! The two sides of a call.

/// Which leg of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Towards the caller.
    A,
    /// Towards the answering point.
    B,
}

impl Side {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Its place among two.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }

    /// Who is there.
    pub(super) const fn peer(self) -> &'static str {
        match self {
            Self::A => "caller's side",
            Self::B => "answering point",
        }
    }
}
