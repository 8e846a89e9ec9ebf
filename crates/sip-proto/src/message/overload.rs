//! Overload control in Via: RFC 7339 (how, and by loss) and RFC 7415 (by rate).
//!
//! ```text
//! request   Via: …;oc;oc-algo="loss,rate"                                  what the client understands
//! response  Via: …;oc=20;oc-algo="loss";oc-validity=500;oc-seq=1282321615.782   what the server asks of it
//! ```
//!
//! The parameters are for one hop: the one who gets a response takes its own Via off, and them with it.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;

use serde::{Deserialize, Serialize};

use super::Via;
use super::append::{number, push};
use super::grammar::{find_outside, split_list, trim};

/// The validity of feedback that names none (RFC 7339 §4.3).
const DEFAULT_VALIDITY: Duration = Duration::from_millis(500);
/// No peer may bind us for longer.
const LONGEST_VALIDITY: Duration = Duration::from_secs(3_600);

/// How a server wants its load reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverloadAlgorithm {
    /// `oc` is the share of requests to hold back, in per cent (RFC 7339 §7).
    Loss,
    /// `oc` is the number of requests in a second (RFC 7415 §3).
    Rate,
}

/// The algorithms that a client understands (RFC 7339 §5.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OverloadOffer {
    pub loss: bool,
    pub rate: bool,
}

/// The parameters by which a client says that it understands both algorithms.
pub(crate) const OFFER_BOTH: &str = ";oc;oc-algo=\"loss,rate\"";

/// What a server asks of a client (RFC 7339 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverloadFeedback {
    pub algorithm: OverloadAlgorithm,
    /// The meaning is that of the algorithm.
    pub oc: u32,
    /// Zero ends the control at once (RFC 7339 §5.7).
    pub validity: Duration,
    pub seq: OverloadSeq,
}

/// Orders the feedback of one server (RFC 7339 §4.4): twelve digits, a dot, five digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct OverloadSeq {
    whole: u64,
    /// In units of 10⁻⁵.
    fraction: u32,
}

impl OverloadSeq {
    /// That of a moment: servers are free to count, but time goes on over a restart.
    #[must_use]
    pub const fn at(unix_micros: u64) -> Self {
        let whole = unix_micros / 1_000_000 % 1_000_000_000_000;
        Self { whole, fraction: (unix_micros % 1_000_000 / 10) as u32 }
    }

    /// `1*12DIGIT "." 1*5DIGIT` (RFC 7339 §9).
    fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.')?;
        let digits = |text: &str, most| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 12) || !digits(fraction, 5) {
            return None;
        }
        let scale = 10_u32.pow(5 - fraction.len() as u32);
        Some(Self { whole: whole.parse().ok()?, fraction: fraction.parse::<u32>().ok()? * scale })
    }
}

impl OverloadAlgorithm {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Rate => "rate",
        }
    }
}

impl Via<'_> {
    /// What the client that wrote this Via understands, if it takes part in overload control.
    #[must_use]
    pub fn overload_offer(&self) -> Option<OverloadOffer> {
        // RFC 7339 §4.1: the client writes `oc` without a value.
        if self.param("oc") != Some("") {
            return None;
        }
        let offers =
            |name: &str| self.algorithms().any(|offered| offered.eq_ignore_ascii_case(name));
        let offer = OverloadOffer { loss: offers("loss"), rate: offers("rate") };
        (offer.loss || offer.rate).then_some(offer)
    }

    /// What a server asks of us, whose Via this is. What is not written as the grammar wants it is no feedback.
    #[must_use]
    pub fn overload_feedback(&self) -> Option<OverloadFeedback> {
        let oc: u32 = decimal(self.param("oc")?)?;
        // RFC 7339 §4.2: a response names the one algorithm that the server has chosen.
        let mut named = self.algorithms();
        let algorithm = match (named.next()?, named.next()) {
            (name, None) if name.eq_ignore_ascii_case("loss") => OverloadAlgorithm::Loss,
            (name, None) if name.eq_ignore_ascii_case("rate") => OverloadAlgorithm::Rate,
            _ => return None,
        };
        if algorithm == OverloadAlgorithm::Loss && oc > 100 {
            return None;
        }
        let validity = match self.param("oc-validity") {
            None | Some("") => DEFAULT_VALIDITY,
            Some(text) => Duration::from_millis(decimal(text)?.into()).min(LONGEST_VALIDITY),
        };
        let seq = match self.param("oc-seq") {
            None => OverloadSeq::default(),
            Some(text) => OverloadSeq::parse(text)?,
        };
        Some(OverloadFeedback { algorithm, oc, validity, seq })
    }

    fn algorithms(&self) -> impl Iterator<Item = &str> {
        let list = self.param("oc-algo").unwrap_or_default();
        list.trim_matches('"').split(',').map(trim).filter(|name| !name.is_empty())
    }
}

fn decimal(text: &str) -> Option<u32> {
    let sound = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    sound.then(|| text.parse().ok()).flatten()
}

/// A response of ours with feedback in its topmost Via, in the place of what the client offered there; `None` if it offered
/// nothing, or `choose` has nothing to say.
#[must_use]
pub fn with_overload_feedback(
    message: &Bytes,
    choose: impl FnOnce(OverloadOffer) -> Option<OverloadFeedback>,
) -> Option<Bytes> {
    const LABEL: &[u8] = b"\r\nVia: ";
    if !message.starts_with(b"SIP/2.0 ") {
        return None;
    }
    // The writer of this stack puts the Vias first.
    // A peer may end the line before them by a bare line feed: then the first pair of octets is not that end.
    let start = message.iter().position(|byte| *byte == b'\n')?.checked_sub(1)?;
    let line = message.get(start..)?.strip_prefix(LABEL)?;
    let end = line.windows(2).position(|two| two == b"\r\n")?;
    let line = std::str::from_utf8(line.get(..end)?).ok()?;
    let topmost = split_list(line).next()?;
    let feedback = choose(Via::parse(topmost).ok()?.overload_offer()?)?;
    let at = start + LABEL.len() + line.find(topmost)?;
    let mut out = Vec::with_capacity(message.len() + 64);
    out.extend_from_slice(message.get(..at)?);
    feedback.write(&mut out, topmost);
    out.extend_from_slice(message.get(at + topmost.len()..)?);
    Some(out.into())
}

impl OverloadFeedback {
    /// `via` without its parameters of overload control, and then these.
    fn write(&self, out: &mut Vec<u8>, via: &str) {
        let mut rest = via;
        let mut first = true;
        loop {
            let end = find_outside(rest, false, b';').ok().flatten().unwrap_or(rest.len());
            let (part, tail) = rest.split_at(end);
            let name = trim(part.split('=').next().unwrap_or_default());
            let ours = ["oc", "oc-algo", "oc-validity", "oc-seq"];
            if first || !ours.iter().any(|one| one.eq_ignore_ascii_case(name)) {
                push(out, &[if first { "" } else { ";" }, part]);
            }
            first = false;
            let Some(tail) = tail.strip_prefix(';') else { break };
            rest = tail;
        }
        push(out, &[";oc="]);
        number(out, self.oc.into());
        push(out, &[";oc-algo=\"", self.algorithm.as_str(), "\";oc-validity="]);
        number(out, u64::try_from(self.validity.as_millis()).unwrap_or(u64::MAX));
        let _ = write!(out, ";oc-seq={}.{:05}", self.seq.whole, self.seq.fraction);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(params: &str) -> String {
        format!("SIP/2.0/TLS p1.example.net;branch=z9hG4bK2d4790.1{params}")
    }

    fn offer(params: &str) -> Option<OverloadOffer> {
        Via::parse(&via(params)).unwrap().overload_offer()
    }

    fn feedback(params: &str) -> Option<OverloadFeedback> {
        Via::parse(&via(params)).unwrap().overload_feedback()
    }

    // RFC 7339 §6: P1 tells P2 what it understands; P2 asks for 20 per cent less, for half a second.
    #[test]
    fn the_example_of_rfc_7339() {
        assert_eq!(
            offer(";oc;oc-algo=\"loss,A\""),
            Some(OverloadOffer { loss: true, rate: false })
        );
        let asked = feedback(
            ";received=192.0.2.111;oc=20;oc-algo=\"loss\";oc-validity=500;oc-seq=1282321615.782",
        );
        let seq = OverloadSeq { whole: 1_282_321_615, fraction: 78_200 };
        let validity = Duration::from_millis(500);
        let expected =
            OverloadFeedback { algorithm: OverloadAlgorithm::Loss, oc: 20, validity, seq };
        assert_eq!(asked, Some(expected));
    }

    // RFC 7415 §4: 150 requests in a second, for a second.
    #[test]
    fn the_example_of_rfc_7415() {
        assert_eq!(
            offer(";oc;oc-algo=\"loss,rate\""),
            Some(OverloadOffer { loss: true, rate: true })
        );
        let asked = feedback(";oc=150;oc-algo=\"rate\";oc-validity=1000;oc-seq=1282321615.782");
        let asked = asked.unwrap();
        assert_eq!((asked.algorithm, asked.oc), (OverloadAlgorithm::Rate, 150));
        assert_eq!(asked.validity, Duration::from_secs(1));
    }

    // RFC 7339 §4.3: 500 ms is the default; §4.4: the sequence is a number with a fraction.
    #[test]
    fn validity_has_a_default_and_sequences_an_order() {
        let seq = |text: &str| OverloadSeq::parse(text).unwrap();
        assert_eq!(feedback(";oc=0;oc-algo=\"loss\"").unwrap().validity, DEFAULT_VALIDITY);
        assert!(seq("1282321615.782") < seq("1282321615.7821"));
        assert!(seq("1282321615.9") > seq("1282321615.10"));
        assert!(seq("1282321616.0") > seq("1282321615.99999"));
        assert_eq!(OverloadSeq::at(1_282_321_615_782_009), seq("1282321615.782"));
    }

    #[test]
    fn what_the_grammar_does_not_allow_is_no_feedback() {
        for params in [
            "",
            ";oc",
            ";oc=20",
            ";oc=20;oc-algo=\"loss,rate\"",
            ";oc=20;oc-algo=\"other\"",
            ";oc=101;oc-algo=\"loss\"",
            ";oc=-1;oc-algo=\"loss\"",
            ";oc=99999999999999999999;oc-algo=\"rate\"",
            ";oc=+5;oc-algo=\"rate\"",
            ";oc=\"20\";oc-algo=\"loss\"",
            ";oc=20;oc-algo=\"loss\";oc-validity=x",
            ";oc=20;oc-algo=\"loss\";oc-validity=99999999999",
            ";oc=20;oc-algo=\"loss\";oc-seq=1",
            ";oc=20;oc-algo=\"loss\";oc-seq=1234567890123.1",
            ";oc=20;oc-algo=\"loss\";oc-seq=1.123456",
            ";oc=20;oc-algo=\"loss\";oc-seq=1.-2",
            ";oc=20;oc-algo=\"\"",
        ] {
            assert_eq!(feedback(params), None, "{params}");
        }
        assert_eq!(offer(";oc=7;oc-algo=\"loss\""), None, "a value is not the client's to give");
        assert_eq!(offer(";oc"), None, "RFC 7339 §5.1 wants oc-algo with it");
        assert_eq!(offer(";oc-algo=\"loss\""), None);
        let longest = feedback(";oc=1;oc-algo=\"rate\";oc-validity=4000000000").unwrap();
        assert_eq!(longest.validity, LONGEST_VALIDITY);
    }

    #[test]
    fn feedback_takes_the_place_of_the_offer_and_nothing_else_changes() {
        let response = Bytes::from_static(
            b"SIP/2.0 180 Ringing\r\n\
              Via: SIP/2.0/UDP 127.0.0.2:5060;rport=5060;OC;branch=z9hG4bKa;oc-algo=\"loss,rate\", SIP/2.0/UDP h;oc\r\n\
              Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKb;oc;oc-algo=\"loss\"\r\nTo: <sip:15@h>\r\n\r\n",
        );
        let feedback = OverloadFeedback {
            algorithm: OverloadAlgorithm::Rate,
            oc: 150,
            validity: Duration::from_secs(2),
            seq: OverloadSeq::at(1_282_321_615_782_000),
        };
        let written = with_overload_feedback(&response, |offer| {
            assert!(offer.loss && offer.rate);
            Some(feedback)
        });
        let expected = "SIP/2.0 180 Ringing\r\n\
             Via: SIP/2.0/UDP 127.0.0.2:5060;rport=5060;branch=z9hG4bKa;oc=150;oc-algo=\"rate\";oc-validity=2000;\
             oc-seq=1282321615.78200, SIP/2.0/UDP h;oc\r\n\
             Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKb;oc;oc-algo=\"loss\"\r\nTo: <sip:15@h>\r\n\r\n";
        assert_eq!(written.as_deref(), Some(expected.as_bytes()));
        assert_eq!(with_overload_feedback(&response, |_| None), None);
    }

    #[test]
    fn what_holds_no_offer_stays_as_it_is() {
        for text in [
            "",
            "SIP/2.0 ",
            "SIP/2.0 200 OK",
            "SIP/2.0 200 OK\r\nVia: ",
            "SIP/2.0 200 OK\r\nVia: \r\n",
            "SIP/2.0 200 OK\r\nVia: ;oc\r\n\r\n",
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\n\r\n",
            "INVITE sip:15@h SIP/2.0\r\nVia: SIP/2.0/UDP h;oc;oc-algo=\"loss\"\r\n\r\n",
        ] {
            let message = Bytes::copy_from_slice(text.as_bytes());
            let never = |_| panic!("no offer in {text:?}");
            assert_eq!(with_overload_feedback(&message, never), None);
        }
    }
}
