//! Which dialog a BYE is for that is refused because it is malformed.

use super::{Message, Name, NameAddr};

/// What can be read of such a BYE. Whoever sent it may take the call for ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenBye {
    pub call_id: Box<str>,
    /// Empty without a tag.
    pub from_tag: Box<str>,
    /// Empty without a tag.
    pub to_tag: Box<str>,
}

impl BrokenBye {
    /// `None` for other requests, and when the dialog cannot be read.
    pub(crate) fn of(message: &Message) -> Option<Self> {
        if !message.is_bye() {
            return None;
        }
        let tag = |name| {
            let address = NameAddr::parse(message.header(name)?).ok()?;
            Some(address.tag().unwrap_or_default().into())
        };
        Some(Self {
            call_id: message.header(Name::CallId)?.into(),
            from_tag: tag(Name::From)?,
            to_tag: tag(Name::To)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Unsound, parse};
    use super::*;

    fn refused(text: &str) -> Unsound {
        parse(text.to_owned().into()).expect_err("a malformed message")
    }

    #[test]
    fn a_malformed_bye_still_names_its_dialog() {
        let text = "BYE sip:a@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n\
                    From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\nCall-ID: c\r\nCSeq: x BYE\r\n\r\n";
        let bye = |text: &str| {
            let answer = refused(text).answer;
            answer.and_then(|(_, message)| BrokenBye::of(&message))
        };
        let named = BrokenBye { call_id: "c".into(), from_tag: "1".into(), to_tag: "2".into() };
        assert_eq!(bye(text), Some(named));
        assert_eq!(bye(&text.replace("BYE", "INFO")), None);
        assert_eq!(bye(&text.replace("Call-ID: c\r\n", "")), None);
        assert_eq!(bye(&text.replace("<sip:a@x>", "<sip:a@x")), None);
    }
}
