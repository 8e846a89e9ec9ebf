//! A request arrives: is it inside a dialog, and is it in order (RFC 3261 §8.2, §12.2.2)?

use std::net::SocketAddr;
use std::time::Instant;

use super::{Event, LegId, Owner, Purpose, UserAgent};
use crate::flow::Flow;
use crate::message::{Method, Request};
use crate::transaction::ServerId;
use crate::{Rejection, Transport};

impl UserAgent {
    pub(super) fn receive_request(
        &mut self,
        now: Instant,
        id: ServerId,
        request: Request,
        source: SocketAddr,
        transport: Transport,
    ) {
        let merged = self.transactions.is_merged(id);
        let inside = request.to_tag().map(|tag| self.leg_inside(tag, &request));
        if let Err(rejection) = self.config.capabilities.inspect(&request, merged) {
            self.refuse(now, id, &rejection);
            if let (Some(Some(leg)), Method::Bye) = (inside, request.method()) {
                self.bye_received(now, leg, request);
            }
            return;
        }
        match inside {
            None => self.receive_outside(now, id, request, source, transport),
            Some(Some(leg)) => {
                let flow = Flow::of(&request, source, transport);
                self.receive_inside(now, leg, id, request, flow);
            }
            // RFC 3261 §12.2.2: no such dialog.
            Some(None) => self.refuse(now, id, &Rejection::new(481)),
        }
    }

    /// The leg whose dialog a request with this tag of ours is inside of.
    pub(super) fn leg_inside(&self, tag: &str, request: &Request) -> Option<LegId> {
        self.leg_named(tag, request.call_id(), request.from_tag())
    }

    /// The leg with this tag of ours, and this Call-ID and tag of the peer.
    pub(super) fn leg_named(&self, tag: &str, call_id: &str, remote_tag: &str) -> Option<LegId> {
        let inside = |id: &LegId| {
            let leg = self.legs.get(*id);
            leg.is_some_and(|leg| leg.has_dialog_with(call_id, remote_tag))
        };
        let begun_here = LegId::from_tag(tag).filter(inside);
        begun_here.or_else(|| self.adopted.get(tag).copied().filter(inside))
    }

    fn receive_inside(
        &mut self,
        now: Instant,
        leg: LegId,
        id: ServerId,
        request: Request,
        flow: Flow,
    ) {
        let entry = self.legs.get_mut(leg);
        let dialog = entry.and_then(|leg| leg.dialog_with(request.call_id(), request.from_tag()));
        let in_order = dialog.map_or(Ok(()), |dialog| {
            dialog.take_remote_seq(&request)?;
            dialog.follow(flow);
            Ok(())
        });
        if let Err(rejection) = in_order {
            self.refuse(now, id, &rejection);
            if request.method() == Method::Bye {
                // Whoever sent it may think that the call is over, or be somebody who has lost it to another one.
                self.send_audit(now, leg);
            }
            return;
        }
        self.note_life(now, leg);
        match request.method() {
            Method::Bye => self.receive_bye(now, leg, id, request),
            Method::Invite | Method::Update => self.receive_modify(now, leg, id, request),
            Method::Options => self.tell_capabilities(now, id),
            Method::Prack => self.receive_prack(now, leg, id, &request),
            _ => {
                if let Err(rejection) = self.config.capabilities.inspect_package(&request) {
                    return self.refuse(now, id, &rejection);
                }
                self.transactions.own(id, Owner::Leg(leg, Purpose::Request));
                self.events.push_back(Event::Request { leg, id, request });
            }
        }
    }

    fn receive_outside(
        &mut self,
        now: Instant,
        id: ServerId,
        request: Request,
        source: SocketAddr,
        transport: Transport,
    ) {
        match request.method() {
            Method::Invite => self.receive_invite(now, id, request, source, transport),
            Method::Options => self.answer_options(now, id),
            // These make sense inside a dialog only.
            Method::Bye | Method::Update | Method::Info | Method::Prack => {
                self.refuse(now, id, &Rejection::new(481))
            }
            _ => self.events.push_back(Event::OutOfDialog { id, request, source }),
        }
    }
}
