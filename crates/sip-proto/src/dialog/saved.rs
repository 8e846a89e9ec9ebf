//! A dialog on paper: what another user agent must know to go on with it (RFC 3261 §12).

use serde::{Deserialize, Serialize};

use super::Dialog;
use super::texts::Texts;
use crate::Transport;
use crate::flow::Flow;
use crate::message::{Method, NameAddr, Payload, Request, Uri};

/// CSeq numbers that the first user agent may have used after the dialog was saved. RFC 3261 §12.2.1.1 wants each
/// number one above the last, and §12.2.2 has the peer take any that is higher.
const GAP: u32 = 10_000;

/// Numbers from here on are left to a proxy that ends the dialog in our name.
const HIGHEST: u32 = (1 << 30) - GAP;

/// More proxies than any honest path has.
const MOST_ROUTES: usize = 16;

/// One side of a dialog, to be written down and read elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedDialog {
    call_id: String,
    /// Name-addr with tag, as for the peer.
    local: String,
    remote: String,
    local_seq: u32,
    remote_seq: Option<u32>,
    remote_target: String,
    route_set: Vec<String>,
    flow: Flow,
}

/// What was read is no dialog that a request could be sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(pub(crate) &'static str);

impl SavedDialog {
    /// Our tag: the dialog's name among those of the user agent that began it.
    #[must_use]
    pub fn local_tag(&self) -> &str {
        NameAddr::parse(&self.local).ok().and_then(|local| local.tag()).unwrap_or_default()
    }
}

impl Dialog {
    pub(crate) fn save(&self) -> SavedDialog {
        SavedDialog {
            call_id: self.call_id().to_owned(),
            local: self.texts.local().to_owned(),
            remote: self.texts.remote().to_owned(),
            local_seq: self.local_seq,
            remote_seq: self.remote_seq,
            remote_target: self.remote_target().to_owned(),
            route_set: self.texts.routes().map(str::to_owned).collect(),
            flow: self.flow,
        }
    }

    /// The dialog that was saved, with CSeq numbers above all that were used in it.
    ///
    /// What is saved comes from the network. It is taken only if the requests that follow from it can be read again.
    pub(crate) fn restore(saved: &SavedDialog) -> Result<Self, Unfit> {
        let texts = [&saved.call_id, &saved.local, &saved.remote, &saved.remote_target];
        let odd = |text: &String| text.is_empty() || text.contains(char::is_control);
        if texts.into_iter().chain(&saved.route_set).any(odd) {
            return Err(Unfit("a text is empty or has control characters"));
        }
        if saved.local_seq > HIGHEST || saved.remote_seq.is_some_and(|seq| seq > i32::MAX as u32) {
            return Err(Unfit("a CSeq number is too high"));
        }
        if saved.route_set.len() > MOST_ROUTES {
            return Err(Unfit("the route set is too long"));
        }
        if saved.route_set.iter().any(|route| NameAddr::parse(route).is_err()) {
            return Err(Unfit("a route is no name-addr"));
        }
        let tag_of = |text: &str| Some(NameAddr::parse(text).ok()?.tag()?.to_owned());
        let (Some(local_tag), Some(remote_tag)) = (tag_of(&saved.local), tag_of(&saved.remote))
        else {
            return Err(Unfit("a side has no tag"));
        };
        let dialog = Self {
            texts: Texts::new(
                &saved.call_id,
                [&saved.local, "", ""],
                &saved.remote,
                &remote_tag,
                &saved.remote_target,
                saved.route_set.iter().map(String::as_str),
            ),
            local_seq: saved.local_seq + GAP,
            remote_seq: saved.remote_seq,
            flow: saved.flow.elsewhere(),
        };
        match dialog.is_writable(&local_tag) {
            true => Ok(dialog),
            false => Err(Unfit("no request can be made of it")),
        }
    }

    /// Whether a request inside this dialog says what it should, to whoever reads it.
    fn is_writable(&self, local_tag: &str) -> bool {
        if Uri::parse(self.remote_target()).is_err() {
            return false;
        }
        let (draft, _) = self.write(Method::Bye, self.local_seq, b"", &Payload::empty());
        let bytes = draft.with_via(Transport::Udp, "127.0.0.1:5060", "z9hG4bKread", "");
        Request::parse(bytes).is_ok_and(|request| {
            request.call_id() == self.call_id()
                && request.from_tag() == local_tag
                && request.to_tag() == Some(self.remote_tag())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::uas;
    use super::*;

    fn json(change: impl FnOnce(&mut SavedDialog)) -> SavedDialog {
        let mut saved = uas("Record-Route: <sip:mobile@127.0.0.7;lr>\r\n").save();
        change(&mut saved);
        let text = serde_json::to_string(&saved).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    // RFC 3261 §12.2.1.1: Call-ID, tags, routes and target stay; CSeq goes up.
    #[test]
    fn a_dialog_goes_on_where_it_was_saved() {
        let saved = json(|_| {});
        assert_eq!(saved.local_tag(), "lt");
        let mut dialog = Dialog::restore(&saved).unwrap();
        let (draft, target) = dialog.request(Method::Bye, b"", &Payload::empty());
        let bytes = draft.with_via(Transport::Udp, "127.0.0.9:5060", "z9hG4bKb", "");
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(text.starts_with("BYE sip:a@127.0.0.1:5999 SIP/2.0\r\n"), "{text}");
        assert!(
            text.contains("From: <sip:15@127.0.0.2>;tag=lt\r\nTo: <sip:a@127.0.0.1>;tag=ft\r\n")
        );
        assert!(text.contains("Route: <sip:mobile@127.0.0.7;lr>\r\n"));
        assert!(text.contains("CSeq: 10001 BYE\r\n"), "{text}");
        assert_eq!(target.peer, "127.0.0.7:5060".parse().unwrap());
    }

    #[test]
    fn what_makes_no_sound_request_is_refused() {
        type Change = fn(&mut SavedDialog);
        let changes: [Change; 12] = [
            |saved| saved.call_id.clear(),
            |saved| saved.call_id.push_str("\r\nRoute: <sip:evil>"),
            |saved| saved.call_id.push_str(" two words"),
            |saved| saved.local = "<sip:15@127.0.0.2>".to_owned(),
            |saved| saved.local = "<<>;tag=x".to_owned(),
            |saved| saved.remote.push_str(";tag=again"),
            |saved| saved.remote_target = "no uri".to_owned(),
            |saved| saved.remote_target = "sip:a@127.0.0.1 SIP/2.0".to_owned(),
            |saved| saved.route_set.push("<".to_owned()),
            |saved| saved.route_set = vec!["<sip:a@127.0.0.1;lr>".to_owned(); 17],
            |saved| saved.local_seq = u32::MAX,
            |saved| saved.remote_seq = Some(u32::MAX),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert!(Dialog::restore(&json(change)).is_err(), "change {number}");
        }
    }
}
