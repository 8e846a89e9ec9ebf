//! Why a session description was refused.

/// A description that cannot be read, or an offer that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// More bytes, lines, streams or formats than we are willing to keep.
    #[error("session description has more than {limit} {what}")]
    TooMany { what: &'static str, limit: usize },
    /// The line is not `<type>=<value>` (RFC 8866 §5), or holds a NUL or a CR.
    #[error("line {line} of the session description is not \"<type>=<value>\"")]
    NotALine { line: usize },
    /// The value of a line that we must understand has the wrong form.
    #[error("line {line} of the session description: malformed \"{field}=\"")]
    Malformed { line: usize, field: char },
    /// A mandatory line is absent.
    #[error("session description has no \"{field}=\" line")]
    Missing { field: char },
    /// No offered stream has a medium, a protocol and a codec that we support.
    #[error("no offered stream is acceptable")]
    NotAcceptable,
}

impl SdpError {
    /// The SIP status that refuses the offer: 400 when it is unreadable (RFC 3261 §21.4.1), 488
    /// when it is readable and not acceptable (RFC 3261 §21.4.26).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotAcceptable => 488,
            _ => 400,
        }
    }
}
