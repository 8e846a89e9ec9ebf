//! A leg that moves from one user agent to another, as when the first one has died: its dialog is saved there and
//! gone on with here, under the same Call-ID and tags (RFC 3261 §12.2).
//!
//! 1. [`UserAgent::save`] while the leg lives; what it gives may be written down and sent.
//! 2. [`UserAgent::adopt`] elsewhere.
//! 3. [`UserAgent::refresh`] there, so that the peer learns the new Contact.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::leg::{Leg, State};
use super::timer_terms::SavedTimer;
use super::{LegId, UserAgent, session_line};
use crate::dialog::{Dialog, SavedDialog, Unfit};

/// A leg with an established dialog, on paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedLeg {
    pub dialog: SavedDialog,
    /// Its first INVITE was ours.
    is_uac: bool,
    /// Both halves of the Session-ID, ours first (RFC 7989).
    session: [String; 2],
    /// For how long the session goes on without a refresh (RFC 4028).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timer: Option<SavedTimer>,
}

impl SavedLeg {
    /// Whether it can be adopted at all.
    ///
    /// # Errors
    /// [`Unfit`] if it is no sound dialog.
    pub fn check(&self) -> Result<(), Unfit> {
        self.read().map(|_| ())
    }

    fn read(&self) -> Result<Dialog, Unfit> {
        let sound = |half: &String| half.len() == 32 && half.bytes().all(|b| b.is_ascii_hexdigit());
        match self.session.iter().all(sound) {
            true => Dialog::restore(&self.dialog),
            false => Err(Unfit("a Session-ID is not 32 hexadecimal digits")),
        }
    }
}

impl UserAgent {
    /// What another user agent needs to go on with this leg; `None` while it has no dialog.
    #[must_use]
    pub fn save(&self, id: LegId) -> Option<SavedLeg> {
        let leg = self.legs.get(id)?;
        let half = |from, to| Some(leg.session.get(from..to)?.to_owned());
        Some(SavedLeg {
            dialog: leg.dialog.as_ref()?.save(),
            is_uac: leg.is_uac,
            session: [half(12, 44)?, half(52, 84)?],
            timer: leg.saved_timer(),
        })
    }

    /// Makes a confirmed leg of what another user agent has saved. The peer hears nothing yet.
    ///
    /// # Errors
    /// [`Unfit`] if it is no sound dialog, or one that was adopted already.
    pub fn adopt(&mut self, now: Instant, saved: &SavedLeg) -> Result<LegId, Unfit> {
        let dialog = saved.read()?;
        let tag: Box<str> = saved.dialog.local_tag().into();
        if self.adopted.contains_key(&tag) {
            return Err(Unfit("it is here already"));
        }
        let nonce = self.transactions.ids().nonce();
        let [ours, theirs] = &saved.session;
        let leg = Leg {
            heard: true,
            session: session_line(ours, Some(theirs)),
            adopted_tag: Some(tag.clone()),
            ..Leg::new(State::Confirmed, dialog.target_peer(), saved.is_uac)
        };
        let id = self.legs.insert_with(nonce, |_| Leg { dialog: Some(dialog), ..leg });
        if let Some(leg) = self.legs.get_mut(id) {
            leg.adopt_timer(now, saved.timer);
        }
        self.arm(id);
        self.adopted.insert(tag, id);
        self.begin_audits(now, id);
        Ok(id)
    }

    /// The leg that has this tag of ours.
    #[must_use]
    pub fn leg_tagged(&self, tag: &str) -> Option<LegId> {
        let begun_here = LegId::from_tag(tag).filter(|id| self.legs.get(*id).is_some());
        begun_here.or_else(|| self.adopted.get(tag).copied())
    }

    /// Forgets a leg that another user agent goes on with. The peer hears nothing, and no event follows.
    pub fn disown(&mut self, now: Instant, id: LegId) {
        self.remove(now, id);
    }
}
