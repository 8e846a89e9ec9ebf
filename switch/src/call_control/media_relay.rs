//! The media of one call passes through here: session descriptions get our addresses, and two streams are joined for
//! each "m=" line.
//!
//! ```text
//!   caller ◄──RTP──► stream of A ═══ stream of B ◄──RTP──► answering point
//!            c=, m= of B's answer       c=, m= of A's offer
//!            say where this is          say where this is
//! ```
//!
//! The two ends agree on codecs and directions: what is unknown here is passed on as it is.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use media::{Formats, Plane, Shortage, StreamId, StreamReport, rtcp_of};
use sip_proto::Rejection;
use sip_proto::flow::Sender;
use sip_proto::reason::Reason;
use sip_proto::sdp::{self, Direction, Media, SdpError, Session};
use trace::CallKey;

use super::side::Side;

/// Relayed streams of one call: audio, video, text and one more.
const MOST_LINES: usize = 4;

/// The discard port (RFC 863), where nobody listens.
const DISCARD: u16 = 9;

/// The relayed streams of one call.
#[derive(Debug)]
pub(super) struct MediaRelay {
    /// One for each "m=" line so far.
    lines: Vec<Line>,
    /// The address of each side in SIP: it gives the address family of its media until a description does.
    hosts: [IpAddr; 2],
    /// Who called; not known of a call that was taken over.
    caller: Option<Sender>,
    /// What each side offers in a re-INVITE or UPDATE, until the other side accepts (RFC 3261 §14.1).
    offered: [Option<Box<Tentative>>; 2],
    /// The address of this side for media is that of an INVITE, and the ACK has not come: it may be somebody else's.
    unacknowledged: [bool; 2],
    /// Both sides should send as they have agreed.
    is_answered: bool,
    /// How often the session was taken over. Each time added one to the versions of the descriptions, which their authors
    /// do not know.
    takeovers: u32,
}

/// An offer inside the call.
#[derive(Debug)]
struct Tentative {
    session: Session,
    /// It came in an INVITE, so an ACK will come.
    has_ack: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Line {
    ends: [Option<End>; 2],
}

/// Our end of a stream towards one side.
#[derive(Debug, Clone, Copy)]
struct End {
    stream: StreamId,
    /// The last description of the side; `None` before the first.
    way: Option<Direction>,
}

/// Why a description cannot be passed on.
#[derive(Debug)]
pub(super) enum Obstacle {
    Description(SdpError),
    /// In this content coding it cannot be read (RFC 3261 §8.2.3).
    Encoded(String),
    Shortage(Shortage),
    /// More streams than one call may have.
    TooMany(usize),
}

impl MediaRelay {
    /// For a call whose caller's SIP comes from `from`, where `caller` sent it or the last proxy did.
    pub(super) fn new(from: IpAddr, caller: Sender) -> Self {
        Self {
            lines: Vec::new(),
            hosts: [from; 2],
            caller: Some(caller),
            offered: [None, None],
            // We call the other side at an address that we know, and it answers from there.
            unacknowledged: [true, false],
            is_answered: false,
            takeovers: 0,
        }
    }

    /// For a call that is taken over for the `takeovers`th time.
    pub(super) fn taken_over(hosts: [IpAddr; 2], takeovers: u32) -> Self {
        Self {
            hosts,
            caller: None,
            unacknowledged: [false; 2],
            is_answered: true,
            takeovers,
            ..Self::new(hosts[0], Sender::at(hosts[0]))
        }
    }

    /// Where the two sides are.
    pub(super) const fn hosts(&self) -> [IpAddr; 2] {
        self.hosts
    }

    pub(super) const fn takeovers(&self) -> u32 {
        self.takeovers
    }

    /// Another answering point is tried: what the one before has described is forgotten.
    pub(super) fn begin_attempt(&mut self, plane: &mut Plane, now: Instant, psap: IpAddr) {
        self.hosts[Side::B.index()] = psap;
        for line in &mut self.lines {
            let end = &mut line.ends[Side::B.index()];
            let fits = |one: &End| {
                plane.local(one.stream).is_some_and(|local| local.is_ipv4() == psap.is_ipv4())
            };
            match end {
                Some(one) if !fits(one) => {
                    plane.close(now, one.stream);
                    *end = None;
                }
                Some(one) => {
                    plane.reset(one.stream);
                    one.way = None;
                }
                None => {}
            }
        }
    }

    /// Finds or opens the streams for what `from` describes, and says where the other side is to send.
    ///
    /// A side that describes another address family than before gets a stream of that family. A `tentative` offer does not
    /// do that: if it were refused, the session would have lost the stream that it goes on with.
    pub(super) fn places(
        &mut self,
        plane: &mut Plane,
        now: Instant,
        from: Side,
        session: &Session,
        tentative: bool,
    ) -> Result<Vec<Option<SocketAddr>>, Obstacle> {
        let relayed = session.media.iter().filter(|media| is_relayed(session, media)).count();
        if relayed > MOST_LINES {
            return Err(Obstacle::TooMany(relayed));
        }
        let place = |(index, media): (usize, &Media)| {
            if !is_relayed(session, media) {
                return Ok(None);
            }
            if self.lines.len() <= index {
                // Most calls have one stream.
                self.lines.reserve_exact(index + 1 - self.lines.len());
                self.lines.resize(index + 1, Line::default());
            }
            let line = &mut self.lines[index];
            // 0.0.0.0, which means hold (RFC 3264 §8.4), tells nothing of the family.
            let described = session.target_of(media).map(|address| address.ip());
            let described = described.filter(|ip| !ip.is_unspecified());
            for (side, described) in [(from, described), (from.other(), None)] {
                let end = line.ends[side.index()];
                let local = end.and_then(|end| plane.local(end.stream)).map(|local| local.ip());
                let like = described.or(local).unwrap_or_else(|| self.hosts[side.index()]);
                if local.is_some_and(|local| local.is_ipv4() == like.is_ipv4()) {
                    continue;
                }
                if tentative && end.is_some() {
                    return Err(Obstacle::Shortage(Shortage::Family));
                }
                end.map(|end| plane.close(now, end.stream));
                line.ends[side.index()] = None;
                let stream = plane.open(like).map_err(Obstacle::Shortage)?;
                line.ends[side.index()] = Some(End { stream, way: None });
            }
            if let [Some(a), Some(b)] = line.ends {
                plane.join(a.stream, b.stream);
            }
            Ok(line.ends[from.other().index()].and_then(|end| plane.local(end.stream)))
        };
        session.media.iter().enumerate().map(place).collect()
    }

    /// Says whose call its streams belong to, for whoever looks on.
    pub(super) fn name_streams(&self, plane: &mut Plane, now: Instant, call_id: &str) {
        for end in self.lines.iter().flat_map(|line| line.ends).flatten() {
            plane.name_call(now, end.stream, || CallKey::of(call_id).number());
        }
    }

    /// The description of `from` is in force from now on.
    pub(super) fn accept(
        &mut self,
        plane: &mut Plane,
        now: Instant,
        from: Side,
        session: &Session,
    ) {
        for (line, media) in self.lines.iter_mut().zip(&session.media) {
            // What a side can receive is what the other side sends.
            if let Some(other) = line.ends[from.other().index()] {
                plane.set_formats(other.stream, Formats::of(media));
            }
            let Some(end) = &mut line.ends[from.index()] else { continue };
            let in_use = media.port != 0;
            let target = session.target_of(media).filter(|address| !address.ip().is_unspecified());
            let rtcp = target.map(|target| rtcp_of(media, target));
            end.way = Some(if in_use { session.direction_of(media) } else { Direction::Inactive });
            plane.set_peer(end.stream, target, rtcp);
            let sender = match from {
                Side::A => self.caller,
                Side::B => Some(Sender::at(self.hosts[Side::B.index()])),
            };
            let translator = sender.zip(target);
            let translator = translator.and_then(|(sender, target)| sender.translator(target.ip()));
            plane.expect_from(end.stream, translator);
            if self.unacknowledged[from.index()] {
                plane.hold_back(end.stream);
            }
        }
        self.watch(plane, now);
    }

    /// `side` has acknowledged what it got for its INVITE: its address is its own.
    pub(super) fn acknowledged(&mut self, plane: &mut Plane, side: Side) {
        self.unacknowledged[side.index()] = false;
        for end in self.lines.iter().filter_map(|line| line.ends[side.index()]) {
            plane.confirm(end.stream);
        }
    }

    /// `side` has sent a request inside the call, as one does whose address has changed.
    pub(super) fn let_move(&self, plane: &mut Plane, now: Instant, side: Side) {
        for end in self.lines.iter().filter_map(|line| line.ends[side.index()]) {
            plane.let_move(now, end.stream);
        }
    }

    /// The offer of `from` inside the call comes into force when the other side accepts it.
    pub(super) fn offer(&mut self, from: Side, session: Session, has_ack: bool) {
        self.offered[from.index()] = Some(Box::new(Tentative { session, has_ack }));
    }

    /// The other side has accepted what `from` offered, or has not.
    pub(super) fn settle_offer(
        &mut self,
        plane: &mut Plane,
        now: Instant,
        from: Side,
        accepted: bool,
    ) {
        if let Some(tentative) = self.offered[from.index()].take().filter(|_| accepted) {
            self.unacknowledged[from.index()] |= tentative.has_ack;
            self.accept(plane, now, from, &tentative.session);
        }
    }

    /// From now on both sides should send what they have agreed on.
    pub(super) fn answered(&mut self, plane: &mut Plane, now: Instant) {
        self.is_answered = true;
        self.watch(plane, now);
    }

    /// `description` as the other side gets it, with `places` of ours in it.
    pub(super) fn readdressed(
        &self,
        description: &[u8],
        session: &Session,
        places: &[Option<SocketAddr>],
    ) -> Vec<u8> {
        let readdressed = sdp::relocate(description, session, places);
        match self.takeovers {
            0 => readdressed,
            more => sdp::advance(&readdressed, more.into()),
        }
    }

    /// Tells the plane which sides should send: a side whose description sends and whose peer's description receives.
    fn watch(&self, plane: &mut Plane, now: Instant) {
        for line in &self.lines {
            for side in [Side::A, Side::B] {
                let (Some(end), Some(other)) =
                    (line.ends[side.index()], line.ends[side.other().index()])
                else {
                    continue;
                };
                let sends = end.way.is_some_and(Direction::sends);
                let is_heard = other.way.is_some_and(Direction::receives);
                plane.expect(now, end.stream, self.is_answered && sends && is_heard);
            }
        }
    }

    /// Frees all ports, and returns the figures of what passed through them.
    pub(super) fn close(self, plane: &mut Plane, now: Instant) -> Vec<StreamReport> {
        let mut reports = Vec::new();
        for line in self.lines {
            for (side, name) in [(Side::A, "caller"), (Side::B, "psap")] {
                let closed = line.ends[side.index()].and_then(|end| plane.close(now, end.stream));
                // A call without any media has nothing to report.
                let told = closed.filter(|report| {
                    report.received + report.sent > 0 || report.stopped_us.is_some()
                });
                reports.extend(
                    told.map(|report| StreamReport { from: Some(name.to_owned()), ..report }),
                );
            }
        }
        reports
    }
}

/// RTP of any profile, in use. Others, such as MSRP over TCP (RFC 4975), are left where they are; so is an inactive stream
/// at the discard port, by which an end says that it has no media: such a call needs no ports.
fn is_relayed(session: &Session, media: &Media) -> bool {
    let has_media = media.port != DISCARD || session.direction_of(media) != Direction::Inactive;
    media.port != 0 && has_media && media.protocol.contains("RTP/")
}

impl Obstacle {
    /// How the caller is refused; `retry_after` is in whole seconds.
    pub(super) fn rejection(self, retry_after: std::time::Duration) -> Rejection {
        match self {
            Self::Description(error) => {
                Rejection::new(error.status()).with_warning(error.to_string())
            }
            Self::Encoded(coding) => Rejection::encoded(&coding),
            // RFC 3261 §21.4.26: there is no common address family.
            Self::Shortage(shortage @ Shortage::Family) => Rejection::new(488)
                .with_reason(Reason::q850(88, "Incompatible destination"))
                .with_warning(shortage.to_string()),
            Self::TooMany(streams) => Rejection::new(488)
                .with_reason(Reason::q850(88, "Incompatible destination"))
                .with_warning(format!("{streams} media streams; a call may have {MOST_LINES}")),
            Self::Shortage(shortage) => Rejection::new(503)
                .with_retry_after(retry_after)
                .with_reason(Reason::q850(47, "Resource unavailable, unspecified"))
                .with_warning(shortage.to_string()),
        }
    }

    /// How a change inside the call is refused: the call goes on as it is (RFC 3261 §14.2).
    pub(super) fn rejection_inside(self) -> Rejection {
        let unusual = std::time::Duration::ZERO;
        match self.rejection(unusual) {
            // Not this box: this change.
            Rejection { status: 503, warning, .. } => Rejection { warning, ..Rejection::new(488) },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests;
