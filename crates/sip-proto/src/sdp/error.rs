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
    /// The parts of a body are nested too deep, or are too many, to be looked at.
    #[error("the body has too many parts inside one another")]
    TooDeep,
    /// A multipart body without a boundary that divides it (RFC 2046 §5.1.1).
    #[error("the multipart body has no boundary")]
    NoBoundary,
    /// The description is compressed, or coded for mail (RFC 2045 §6).
    #[error("the session description is encoded; send it as it is")]
    Encoded,
    /// An answer has other streams than its offer (RFC 3264 §6).
    #[error("the answer has {answered} of the {offered} \"m=\" lines of the offer")]
    OtherStreams { offered: usize, answered: usize },
    /// The "m=" line of an answer is of another medium than that of its offer (RFC 3264 §6).
    #[error("\"m=\" line {line} of the answer is of another medium than that of the offer")]
    OtherMedium { line: usize },
    /// A message that must have an answer has no session description (RFC 3261 §13.2.1).
    #[error("the answer has no session description")]
    NoAnswer,
    /// Every stream that could be taken is received by an address of the other family.
    #[error("the offered media is {theirs}, and this end has {ours} only")]
    OtherFamily { theirs: &'static str, ours: &'static str },
    /// No offered stream has a medium, a protocol and a codec that we support.
    #[error("no offered stream is acceptable")]
    NotAcceptable,
}

impl SdpError {
    /// The SIP status that refuses the offer: 400 when it is unreadable (RFC 3261 §21.4.1), 415 when it cannot
    /// be got out of its body (§21.4.13), 488 when it is readable and not acceptable (RFC 3261 §21.4.26).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotAcceptable
            | Self::OtherFamily { .. }
            | Self::OtherStreams { .. }
            | Self::OtherMedium { .. }
            | Self::NoAnswer => 488,
            Self::TooDeep | Self::NoBoundary | Self::Encoded => 415,
            _ => 400,
        }
    }
}
