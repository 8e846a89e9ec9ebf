//! Who called, and what happened in the dialog, as the box knows it that the caller has reached.
//!
//! Kept of calls that telephones and other people's tools make. A campaign knows its own callers, and there are millions of
//! them: of those nothing is kept here.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use sip_proto::Transport;
use sip_proto::message::{Message, Method, Name, Request};
use sip_proto::sdp::{self, Direction, Session};

/// Characters that are kept of a text from a peer.
const LONGEST: usize = 160;
/// Events that are kept of a call; of a later one only the number is.
const MOST_EVENTS: usize = 64;
/// How the User-Agent of this project's own boxes begins.
const OURS: &str = "Tocsin";

/// What is told of a dialog. Every text of the peer is cut to 160 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialogRecord {
    /// From and To as written, without tags.
    pub from: String,
    pub to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Where the INVITE came from: the host before this box, or the translator between.
    pub source: SocketAddr,
    /// As its Via says.
    pub transport: Transport,
    /// The first offer and the first answer: `audio PCMU PCMA telephone-event`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
    /// What happened beside ring, answer and end, in the order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<DialogEvent>,
    /// How many more there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub events_left_out: u32,
}

/// Something that happened in a dialog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialogEvent {
    /// Unix microseconds.
    pub at_us: u64,
    /// A sentence: `the caller sends INVITE: audio PCMA, hold`.
    pub what: String,
}

impl DialogRecord {
    /// What a new call tells; `None` if it comes from a generator or a box of ours.
    #[must_use]
    pub fn of(invite: &Request, source: SocketAddr) -> Option<Box<Self>> {
        let user_agent = invite.header(Name::UserAgent);
        if user_agent.is_some_and(|product| product.starts_with(OURS)) {
            return None;
        }
        Some(Box::new(Self {
            from: cut(&invite.from_untagged()),
            to: cut(&invite.to_untagged()),
            user_agent: user_agent.map(cut),
            source,
            transport: Transport::of_token(invite.via().transport()).unwrap_or(Transport::Udp),
            offered: streams(invite),
            answered: None,
            events: Vec::new(),
            events_left_out: 0,
        }))
    }

    /// A message of the call's beginning may carry the answer; or the offer, if the INVITE had none.
    pub fn note_answer(&mut self, message: &Message) {
        if self.answered.is_none() {
            self.take(streams(message));
        }
    }

    /// The same, of a session description that this box has written.
    pub fn note_session(&mut self, session: &Session) {
        if self.answered.is_none() {
            self.take(Some(words_of(session)));
        }
    }

    fn take(&mut self, streams: Option<String>) {
        match self.offered {
            None => self.offered = streams,
            Some(_) => self.answered = streams,
        }
    }

    /// Something happened.
    pub fn note(&mut self, at_us: u64, what: impl Into<String>) {
        if self.events.len() < MOST_EVENTS {
            self.events.push(DialogEvent { at_us, what: cut(&what.into()) });
        } else {
            self.events_left_out = self.events_left_out.saturating_add(1);
        }
    }

    /// `who` sends a request inside the dialog. An ACK is none of the events: its answer is.
    pub fn note_request(&mut self, at_us: u64, who: &str, request: &Request) {
        if request.method() == Method::Ack {
            return self.note_answer(request);
        }
        let streams = streams(request).map_or_else(String::new, |streams| format!(": {streams}"));
        let reason = request.header(Name::Reason);
        let reason = reason.map_or_else(String::new, |reason| format!(" (Reason: {reason})"));
        let method = request.method_text();
        let change = if method == "INVITE" { "re-INVITE" } else { method };
        self.note(at_us, format!("{who} sends {change}{streams}{reason}"));
    }

    /// `who` answers a request inside the dialog that has this method.
    pub fn note_response(&mut self, at_us: u64, who: &str, method: &str, status: u16) {
        let change = if method == "INVITE" { "re-INVITE" } else { method };
        self.note(at_us, format!("{who} answers {change} with {status}"));
    }
}

/// The streams of the session description in a message, in words; `None` if it has none.
fn streams(message: &Message) -> Option<String> {
    let kind = message.header(Name::ContentType)?;
    let description = match sdp::find(kind, &message.body()) {
        Ok(description) => description?,
        Err(error) => return Some(cut(&error.to_string())),
    };
    Some(match Session::parse(&description) {
        Ok(session) => words_of(&session),
        Err(error) => cut(&error.to_string()),
    })
}

fn words_of(session: &Session) -> String {
    let stream = |media: &sdp::Media| {
        let codecs = media.codecs();
        let names = codecs.iter().map(|codec| codec.name.to_string());
        let direction = match session.direction_of(media) {
            _ if media.port == 0 => ", refused",
            Direction::SendRecv => "",
            Direction::SendOnly => ", hold (sendonly)",
            Direction::RecvOnly => ", recvonly",
            Direction::Inactive => ", hold (inactive)",
        };
        let words = [media.kind.clone()].into_iter().chain(names).collect::<Vec<_>>();
        words.join(" ") + direction
    };
    let streams: Vec<String> = session.media.iter().take(8).map(stream).collect();
    if streams.is_empty() { "no media".to_owned() } else { cut(&streams.join("; ")) }
}

/// At most so many characters of a peer's text.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use sip_proto::message::{Incoming, parse};

    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
        m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";

    fn request(method: &str, user_agent: &str, sdp: &str) -> Request {
        let text = format!(
            "{method} sip:112@127.0.0.21 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKa\r\n\
             From: \"Anna\" <sip:anna@192.0.2.7>;tag=a\r\nTo: <sip:112@127.0.0.21>\r\nCall-ID: a@b\r\n\
             CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:anna@192.0.2.7>\r\nUser-Agent: {user_agent}\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        match parse(text.into_bytes().into()) {
            Ok(Incoming::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn source() -> SocketAddr {
        "192.0.2.7:5060".parse().expect("an address")
    }

    #[test]
    fn a_call_of_a_telephone_says_who_it_is_and_what_it_offers() {
        let invite = request("INVITE", "Zoiper 5", OFFER);
        let mut dialog = DialogRecord::of(&invite, source()).expect("a telephone");
        assert_eq!(dialog.from, "\"Anna\" <sip:anna@192.0.2.7>");
        assert_eq!(dialog.user_agent.as_deref(), Some("Zoiper 5"));
        assert_eq!(dialog.offered.as_deref(), Some("audio PCMA PCMU telephone-event"));
        let hold = request("INVITE", "Zoiper 5", &format!("{OFFER}a=sendonly\r\n"));
        dialog.note_request(7, "the caller", &hold);
        assert_eq!(
            dialog.events[0].what,
            "the caller sends re-INVITE: audio PCMA PCMU telephone-event, hold (sendonly)"
        );
        let line = serde_json::to_string(&dialog).expect("JSON");
        assert_eq!(serde_json::from_str::<DialogRecord>(&line).expect("a record"), *dialog);
    }

    #[test]
    fn our_own_callers_cost_nothing() {
        let invite = request("INVITE", "Tocsin-load-gen", OFFER);
        assert_eq!(DialogRecord::of(&invite, source()), None);
    }

    #[test]
    fn a_hostile_peer_makes_no_record_long() {
        let long = "é".repeat(10_000);
        let invite = request("INVITE", &long, OFFER);
        let mut dialog = DialogRecord::of(&invite, source()).expect("a telephone");
        assert_eq!(dialog.user_agent.as_ref().map(|text| text.chars().count()), Some(LONGEST + 1));
        for _ in 0..100 {
            dialog.note(1, long.clone());
        }
        assert_eq!((dialog.events.len(), dialog.events_left_out), (64, 36));
        assert!(serde_json::to_string(&dialog).expect("JSON").len() < 64 * 1_024);
        let odd = request("INVITE", "x", "v=0\r\nnonsense");
        let dialog = DialogRecord::of(&odd, source()).expect("a telephone");
        assert!(dialog.offered.is_some_and(|why| !why.is_empty()), "an offer that says nothing");
    }
}
