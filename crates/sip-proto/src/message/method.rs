//! Request methods (RFC 3261 §7.1 and its extensions).

use std::fmt;

/// A request method. What no part of the stack knows is [`Method::Other`]: it is answered 501, or
/// forwarded untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Method {
    Ack,
    Bye,
    Cancel,
    Info,
    Invite,
    Message,
    Notify,
    Options,
    Prack,
    Publish,
    Refer,
    Register,
    Subscribe,
    Update,
    #[default]
    Other,
}

impl Method {
    const ALL: [Self; 14] = [
        Self::Ack,
        Self::Bye,
        Self::Cancel,
        Self::Info,
        Self::Invite,
        Self::Message,
        Self::Notify,
        Self::Options,
        Self::Prack,
        Self::Publish,
        Self::Refer,
        Self::Register,
        Self::Subscribe,
        Self::Update,
    ];

    /// Methods are compared with case (RFC 3261 §7.1).
    pub(crate) fn recognise(text: &str) -> Self {
        Self::ALL.into_iter().find(|method| method.as_str() == text).unwrap_or(Self::Other)
    }

    /// Empty for [`Method::Other`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Info => "INFO",
            Self::Invite => "INVITE",
            Self::Message => "MESSAGE",
            Self::Notify => "NOTIFY",
            Self::Options => "OPTIONS",
            Self::Prack => "PRACK",
            Self::Publish => "PUBLISH",
            Self::Refer => "REFER",
            Self::Register => "REGISTER",
            Self::Subscribe => "SUBSCRIBE",
            Self::Update => "UPDATE",
            Self::Other => "",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
