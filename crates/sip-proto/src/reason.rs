//! Why a call ended: the Reason header (RFC 3326) with Q.850 causes, and their mapping to SIP (RFC
//! 3398).

use std::fmt;

use crate::message::grammar::{Params, split_list, trim};
use crate::message::{Message, Name};

/// Who defined the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// A SIP status code.
    Sip,
    /// A cause of ITU-T Q.850.
    Q850,
}

/// One value of a Reason header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub protocol: Protocol,
    pub cause: u16,
    pub text: Option<String>,
}

impl Reason {
    #[must_use]
    pub fn q850(cause: u16, text: &str) -> Self {
        Self { protocol: Protocol::Q850, cause, text: Some(text.to_owned()) }
    }

    #[must_use]
    pub fn sip(status: u16) -> Self {
        let text = crate::message::reason_phrase(status).to_owned();
        Self { protocol: Protocol::Sip, cause: status, text: Some(text) }
    }

    /// The first Reason of a message that can be understood, Q.850 before SIP.
    #[must_use]
    pub fn of(message: &Message) -> Option<Self> {
        let mut reasons: Vec<_> =
            message.headers(Name::Reason).flat_map(split_list).filter_map(Self::parse).collect();
        reasons.sort_by_key(|reason| reason.protocol == Protocol::Sip);
        reasons.into_iter().next()
    }

    fn parse(value: &str) -> Option<Self> {
        let (protocol, params) = value.split_at(value.find(';')?);
        let protocol = match trim(protocol) {
            "SIP" => Protocol::Sip,
            text if text.eq_ignore_ascii_case("Q.850") => Protocol::Q850,
            _ => return None,
        };
        let params = Params::parse(params).ok()?;
        let text = params.value("text").map(|text| text.trim_matches('"').to_owned());
        Some(Self { protocol, cause: params.value("cause")?.parse().ok()?, text })
    }

    /// The Q.850 cause that this reason stands for.
    #[must_use]
    pub const fn q850_cause(&self) -> u16 {
        match self.protocol {
            Protocol::Q850 => self.cause,
            Protocol::Sip => cause_of_status(self.cause),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Sip => "SIP",
            Protocol::Q850 => "Q.850",
        };
        write!(f, "{protocol};cause={}", self.cause)?;
        match &self.text {
            // The text is a quoted string; a quote inside it would end it.
            Some(text) => write!(f, ";text=\"{}\"", text.replace(ends_quote, " ")),
            None => Ok(()),
        }
    }
}

/// True for what may not stand in a quoted string as it is.
pub(crate) fn ends_quote(letter: char) -> bool {
    matches!(letter, '"' | '\\') || letter.is_control()
}

/// Q.850 cause for a final SIP status (RFC 3398 §8.2.6.1).
#[must_use]
pub const fn cause_of_status(status: u16) -> u16 {
    match status {
        200..=299 => 16,
        400 => 41,
        401 | 402 | 403 | 407 | 603 => 21,
        404 | 604 => 1,
        405 => 63,
        406 | 415 | 420 | 421 | 501 | 505 | 513 => 79,
        408 => 102,
        410 => 22,
        413 | 414 | 416 => 127,
        480 => 18,
        481 | 500 | 503 => 41,
        482 | 483 => 25,
        484 => 28,
        485 => 1,
        486 | 600 => 17,
        487 => 16,
        488 | 606 => 65,
        502 => 38,
        504 => 102,
        _ => 31,
    }
}

/// SIP status for a Q.850 cause that ends a call attempt (RFC 3398 §7.2.4.1).
#[must_use]
pub const fn status_of_cause(cause: u16) -> u16 {
    match cause {
        1..=3 => 404,
        17 => 486,
        18 => 408,
        19 | 20 | 31 => 480,
        21 => 403,
        22 | 23 => 410,
        26 => 404,
        27 => 502,
        28 => 484,
        29 => 501,
        34 | 38 | 41 | 42 | 47 | 58 => 503,
        55 | 57 | 87 => 403,
        65 | 70 => 488,
        69 | 79 => 501,
        88 => 503,
        102 => 504,
        _ => 500,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_reads_what_it_prints() {
        let reason = Reason::q850(16, "Normal call clearing");
        assert_eq!(reason.to_string(), r#"Q.850;cause=16;text="Normal call clearing""#);
        assert_eq!(Reason::parse(&reason.to_string()), Some(reason));
        assert_eq!(Reason::parse("X;cause=1"), None);
        assert_eq!(Reason::parse("Q.850"), None);
    }

    // RFC 3398 §7.2.4.1 and §8.2.6.1, the rows that this network meets.
    #[test]
    fn causes_and_statuses_map_as_in_rfc_3398() {
        for (cause, status) in
            [(1, 404), (17, 486), (21, 403), (27, 502), (28, 484), (34, 503), (41, 503), (42, 503)]
        {
            assert_eq!(status_of_cause(cause), status);
        }
        for (status, cause) in
            [(404, 1), (408, 102), (480, 18), (484, 28), (486, 17), (503, 41), (603, 21)]
        {
            assert_eq!(cause_of_status(status), cause);
        }
    }
}
