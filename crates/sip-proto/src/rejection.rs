//! A refusal that speaks SIP.

use std::time::Duration;

use crate::reason::{Reason, ends_quote};

/// What admission, routing, circuits and validation return instead of an error: one function turns
/// it into a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// 300..=699.
    pub status: u16,
    pub reason: Option<Reason>,
    /// When to try again (RFC 3261 §20.33).
    pub retry_after: Option<Duration>,
    /// Where to try instead, for 3xx: a name-addr.
    pub contact: Option<String>,
    /// A sentence for the Warning header (RFC 3261 §20.43), code 399.
    pub warning: Option<String>,
    /// Further complete header lines, such as Unsupported or Allow.
    pub headers: Option<Box<str>>,
}

/// How long to stay away from a box that has its limit of transactions or dialogs.
const OVER_LIMIT: Duration = Duration::from_secs(5);

impl Rejection {
    /// For a log or a ladder: the status, and why as far as the response says it.
    #[must_use]
    pub fn in_words(&self) -> String {
        let reason = self.reason.as_ref().map(|reason| format!(", {reason}"));
        let warning = self.warning.as_ref().map(|warning| format!(", {warning}"));
        format!("{}{}{}", self.status, reason.unwrap_or_default(), warning.unwrap_or_default())
    }

    /// The box has as many of `what` as it may (RFC 3261 §21.5.4); `what` names the setting, too.
    #[must_use]
    pub fn over_limit(what: &str) -> Self {
        Self::new(503)
            .with_retry_after(OVER_LIMIT)
            .with_reason(Reason::q850(42, "Switching equipment congestion"))
            .with_warning(format!("this box has its limit of {what}"))
    }

    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            reason: None,
            retry_after: None,
            contact: None,
            warning: None,
            headers: None,
        }
    }

    /// A body in a content coding that is not read here (RFC 3261 §8.2.3).
    #[must_use]
    pub fn encoded(coding: &str) -> Self {
        Self::new(415)
            .with_header("Accept-Encoding", "identity")
            .with_warning(format!("the body is encoded with {coding}"))
    }

    #[must_use]
    pub fn with_reason(self, reason: Reason) -> Self {
        Self { reason: Some(reason), ..self }
    }

    #[must_use]
    pub fn with_retry_after(self, after: Duration) -> Self {
        Self { retry_after: Some(after), ..self }
    }

    #[must_use]
    pub fn with_contact(self, contact: impl Into<String>) -> Self {
        Self { contact: Some(contact.into()), ..self }
    }

    #[must_use]
    pub fn with_warning(self, warning: impl Into<String>) -> Self {
        Self { warning: Some(warning.into()), ..self }
    }

    #[must_use]
    pub(crate) fn with_headers(self, headers: String) -> Self {
        Self { headers: Some(headers.into()), ..self }
    }

    /// The same with one more header line, for what a status must tell.
    #[must_use]
    pub fn with_header(self, name: &str, value: &str) -> Self {
        let have = self.headers.as_deref().unwrap_or_default();
        let headers = Some([have, name, ": ", value, "\r\n"].concat().into());
        Self { headers, ..self }
    }

    /// The header lines that carry this rejection; `agent` names us in Warning.
    pub(crate) fn lines(&self, agent: &str) -> Vec<u8> {
        use std::fmt::Write as _;
        let mut out = self.headers.as_deref().unwrap_or_default().to_owned();
        if let Some(reason) = &self.reason {
            let _ = write!(out, "Reason: {reason}\r\n");
        }
        if let Some(after) = self.retry_after {
            let _ = write!(
                out,
                "Retry-After: {}\r\n",
                after.as_secs().max(u64::from(after.subsec_nanos() > 0))
            );
        }
        // A line end in it would be the end of the header.
        if let Some(contact) = self.contact.as_ref().filter(|text| !text.contains(char::is_control))
        {
            let _ = write!(out, "Contact: {contact}\r\n");
        }
        if let Some(warning) = &self.warning {
            let _ =
                write!(out, "Warning: 399 {agent} \"{}\"\r\n", warning.replace(ends_quote, "'"));
        }
        out.into_bytes()
    }
}
