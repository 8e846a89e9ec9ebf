//! Session timers (RFC 4028): a session that nobody refreshes ends by itself.
//!
//! ```text
//!   2xx with Session-Expires ──► half of it is over ──► whoever refreshes sends UPDATE or re-INVITE ──► its 2xx begins it anew
//!                           └──► no refresh until a third of it, or 32 s, before its end ──► BYE
//! ```
//!
//! This side never asks for it in its first INVITE, as it asks quiet peers by OPTIONS (`audit.rs`). It takes part when the peer
//! asks, if [`Capabilities::supported`](super::Capabilities) has [`TIMER`]. A refresh of ours is our own affair: no event tells
//! of it. One by re-INVITE repeats the description that we sent last, and its answer changes nothing.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::leg::{Leg, OurModify, State};
use super::option_tag::TIMER;
use super::timer_terms::{Asked, SavedTimer};
use super::{End, Event, LegId, UserAgent};
use crate::message::{Message, Method, Name, Payload, Refresher, Request, Response};
use crate::reason::Reason;

/// How long a refresh waits that finds another change under way, or was refused.
const AGAIN: Duration = Duration::from_secs(2);

impl UserAgent {
    /// What the peer's INVITE or UPDATE asks for. In a session that has a timer, one that says nothing asks for the same again.
    pub(super) fn note_asked(&mut self, id: LegId, request: &Request) {
        if !self.config.capabilities.knows_timers() {
            return;
        }
        let Some(leg) = self.legs.get_mut(id) else { return };
        let is_supported = request.supports(TIMER);
        let takes_update = leg.takes_update(request);
        let said = request.session_expires().map(|said| {
            // RFC 4028 §9: the peer's wish; otherwise whoever can, the peer first.
            let we_refresh = !is_supported || said.refresher == Some(Refresher::Uas);
            Asked { seconds: said.seconds, we_refresh, is_supported, takes_update }
        });
        leg.asked = said.or_else(|| {
            let SavedTimer { seconds, we_refresh, .. } = leg.timer.as_ref()?.agreed;
            let we_refresh = we_refresh || !is_supported;
            Some(Asked { seconds, we_refresh, is_supported, takes_update })
        });
    }

    /// The peer's wish is agreed: header lines of our 2xx. The timer runs from now on.
    pub(super) fn agree(&mut self, now: Instant, id: LegId, payload: &Payload) -> String {
        let Some(leg) = self.legs.get_mut(id) else { return String::new() };
        let Some(asked) = leg.asked.take() else { return String::new() };
        let Asked { seconds, we_refresh, is_supported, takes_update } = asked;
        let agreed = SavedTimer { seconds, we_refresh, takes_update };
        leg.begin_timer(now, agreed, payload.description());
        self.arm(id);
        // RFC 4028 §9: a peer that is to refresh must know that.
        let require = if is_supported && !we_refresh { "Require: timer\r\n" } else { "" };
        agreed.line(false) + require
    }

    /// The peer's 2xx to an INVITE or UPDATE of ours that had this description. Without Session-Expires there is no timer any more
    /// (RFC 4028 §7.2).
    pub(super) fn learn_timer(
        &mut self,
        now: Instant,
        id: LegId,
        response: &Response,
        sent: Bytes,
    ) {
        if !self.config.capabilities.knows_timers() {
            return;
        }
        let Some(leg) = self.legs.get_mut(id) else { return };
        let Some(said) = response.session_expires() else {
            leg.timer = None;
            return;
        };
        let agreed = SavedTimer {
            seconds: said.seconds,
            we_refresh: said.refresher != Some(Refresher::Uas),
            takes_update: leg.takes_update(response),
        };
        leg.begin_timer(now, agreed, sent);
        self.arm(id);
    }

    /// The header line of an INVITE or UPDATE of ours inside a session that has a timer.
    pub(super) fn timer_line(leg: &Leg) -> String {
        leg.timer.as_ref().map(|timer| timer.agreed.line(true)).unwrap_or_default()
    }

    /// Refreshes the session, or ends it, when its time has come.
    pub(super) fn watch_session(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        if matches!(leg.state, State::Closing) {
            leg.timer = None;
            return;
        }
        let is_free = leg.is_free_to_change();
        let Some(timer) = &mut leg.timer else { return };
        if timer.ends_at <= now {
            return self.end_unrefreshed(now, id);
        }
        if timer.refresh_at.is_none_or(|at| at > now) {
            return;
        }
        timer.refresh_at = Some(now + AGAIN);
        if is_free {
            self.send_refresh(now, id);
        }
    }

    fn send_refresh(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let Some(timer) = &mut leg.timer else { return };
        // The response decides what comes next, or its absence ends the dialog.
        timer.refresh_at = None;
        let by_update = timer.agreed.takes_update || timer.description.is_empty();
        let (method, payload) = match by_update {
            true => (Method::Update, Payload::empty()),
            false => (Method::Invite, Payload::sdp(timer.description.clone())),
        };
        leg.our_modify =
            Some(Box::new(OurModify { is_refresh: true, ..OurModify::new(method, payload, true) }));
        self.send_modify(now, id);
    }

    /// A refresh of ours was refused. The session goes on until its time is over.
    pub(super) fn refresh_refused(&mut self, now: Instant, id: LegId, response: &Response) {
        let Some(timer) = self.legs.get_mut(id).and_then(|leg| leg.timer.as_mut()) else { return };
        let has_no_update = matches!(response.status(), 405 | 501);
        timer.agreed.takes_update &= !has_no_update;
        timer.refresh_at = Some(if has_no_update { now } else { now + AGAIN });
        self.arm(id);
    }

    /// 422 to an INVITE or UPDATE of ours: the session may last longer (RFC 4028 §7.3). True if it was sent again.
    pub(super) fn lengthen(&mut self, now: Instant, id: LegId, response: &Response) -> bool {
        let Some(timer) = self.legs.get_mut(id).and_then(|leg| leg.timer.as_mut()) else {
            return false;
        };
        let longer = response.min_se().filter(|least| *least > timer.agreed.seconds);
        let Some(longer) = longer.filter(|_| response.status() == 422) else { return false };
        timer.agreed.seconds = longer;
        self.send_modify(now, id);
        true
    }

    fn end_unrefreshed(&mut self, now: Instant, id: LegId) {
        let reason = Reason::q850(102, "Recovery on timer expiry");
        self.send_bye_unawaited(now, id, Some(&reason));
        self.remove(now, id);
        self.events.push_back(Event::Ended { leg: id, end: End::Unrefreshed });
    }
}

impl Leg {
    /// The session lasts from now on; `sent` is our newest description, or nothing.
    fn begin_timer(&mut self, now: Instant, agreed: SavedTimer, sent: Bytes) {
        let before = self.timer.take().map(|timer| timer.description);
        let description = if sent.is_empty() { before.unwrap_or_default() } else { sent };
        self.timer = Some(Box::new(agreed.begin(now, description)));
    }

    /// Whether the peer takes UPDATE: as this message of it says, or else as it has said before.
    fn takes_update(&self, message: &Message) -> bool {
        match message.header(Name::Allow) {
            Some(_) => message.list(Name::Allow).any(|one| one.eq_ignore_ascii_case("UPDATE")),
            None => self.timer.as_ref().is_some_and(|timer| timer.agreed.takes_update),
        }
    }

    /// Goes on with what another user agent has agreed on.
    pub(super) fn adopt_timer(&mut self, now: Instant, saved: Option<SavedTimer>) {
        self.timer = saved.map(|saved| Box::new(saved.begin(now, Bytes::new())));
    }

    pub(super) fn saved_timer(&self) -> Option<SavedTimer> {
        self.timer.as_ref().map(|timer| timer.agreed)
    }
}
