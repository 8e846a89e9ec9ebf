//! Symmetric RTP (RFC 4961, RFC 7362): whom we hear is whom we speak to.
//!
//! ```text
//!              a packet from the announced address ────────────────┐
//!   Announced ─┤                                                    ├─► Latched: nobody else is heard
//!              └ a row of packets from one other address, which     │         │
//!                has to be long unless a translator is known there ─┘         │
//!                (heard from the third on where none is known)                │
//!        ▲                                                                    │
//!        └──────────── a session description with another address ────────────┘
//!
//!   Latched ── the same SSRC from another address, while the old one is silent ──────────────────► Latched there
//!           ── the peer has sent a request inside the call: a row of packets, and none of the old ─► Latched there
//!           ── a packet from the announced address, which pushes out whoever was taken for it ─────► Latched there
//! ```
//!
//! A telephone behind a translator (NAT) sends from another port than it announced, so the real source is taken instead.
//! A stranger who guesses the port gets no answer, and is not heard where a translator is known or once the peer has spoken: what
//! he lacks is the translator's address, or the SSRC, or the patience.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Packets in a row that a source must send before it is taken for the peer, if it has the address of the translator that
/// the peer is known to be behind.
const EXPECTED_PROOF: u32 = 3;

/// The same for any other source but the announced one: it may be a stranger who speaks before the peer does.
const PROOF: u32 = 25;

/// And so long must the row last, as the packets of a voice do: packets are cheap.
const PROOF_TIME: Duration = Duration::from_millis(700);

/// The peer has moved if its SSRC comes from elsewhere, and it has been silent where it was for so long.
const SILENCE: Duration = Duration::from_millis(500);

/// For how long a request of the peer inside the call lets it move.
const OPEN_FOR: Duration = Duration::from_secs(5);

/// Where a stream comes from, and goes to.
#[derive(Debug, Clone, Default)]
pub struct Latch {
    announced: Option<SocketAddr>,
    source: Option<Source>,
    /// Few streams have one, and not for long.
    candidate: Option<Box<Candidate>>,
    /// The outer address of the translator that the peer is behind.
    outer: Option<IpAddr>,
    /// Until then the peer may move: it has just sent a request inside the call.
    open_until: Option<Instant>,
    refused: u64,
}

/// Whom we hear.
#[derive(Debug, Clone, Copy)]
struct Source {
    address: SocketAddr,
    ssrc: u32,
    last: Instant,
}

/// Who may be the peer, if it goes on.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    address: SocketAddr,
    ssrc: u32,
    seen: u32,
    /// How many of these were not admitted.
    refused: u32,
    since: Instant,
}

impl Latch {
    /// The peer announces where it receives; `None`: it receives nothing. Another address than before opens
    /// the latch again.
    pub fn announce(&mut self, address: Option<SocketAddr>) {
        if self.announced != address {
            self.announced = address;
            self.source = None;
            self.candidate = None;
        }
    }

    /// The peer is behind a translator whose outer address is this, as far as its SIP shows; `None`: behind none.
    pub fn expect_from(&mut self, outer: Option<IpAddr>) {
        self.outer = outer;
    }

    /// The peer has sent a request inside the call, as one does whose address has changed.
    pub fn open(&mut self, now: Instant) {
        self.open_until = self.source.map(|_| now + OPEN_FOR);
    }

    /// Whether a valid packet from `from` with this SSRC is one of the peer.
    pub fn admits(&mut self, now: Instant, from: SocketAddr, ssrc: u32) -> bool {
        if let Some(source) = self.source.as_mut().filter(|source| source.address == from) {
            (source.ssrc, source.last) = (ssrc, now);
            // Whoever is to take its place has to do so while it is silent.
            self.candidate = None;
            return true;
        }
        // Before any announcement there is nobody whom a packet could come from.
        let admitted = self.announced.is_some()
            && (self.announced == Some(from)
                || self.has_moved(now, ssrc)
                || (self.may_be_elsewhere(now, from) && self.is_proven(now, from, ssrc)));
        if admitted {
            self.settle(now, from, ssrc);
            return true;
        }
        let is_candidate = |one: &&mut Candidate| (one.address, one.ssrc) == (from, ssrc);
        let candidate = self.candidate.as_deref_mut().filter(is_candidate);
        // While nobody else speaks, it is heard before it is spoken to: the first words of a telephone with several
        // addresses.
        let may_be_heard = self.source.is_none() && self.outer.is_none();
        if may_be_heard && candidate.as_ref().is_some_and(|one| one.seen >= EXPECTED_PROOF) {
            return true;
        }
        if let Some(candidate) = candidate {
            candidate.refused += 1;
        }
        self.refused += 1;
        false
    }

    /// The same for a report on the port of the media (RFC 5761). Whoever only listens has an SSRC of its own there, which
    /// says nothing of the media.
    pub(crate) fn admits_muxed_report(
        &mut self,
        now: Instant,
        from: SocketAddr,
        ssrc: u32,
    ) -> bool {
        self.source() == Some(from) || self.admits(now, from, ssrc)
    }

    /// Whether a report from `from` with this SSRC is one of the peer whose media comes as `media` knows. Reports come too
    /// seldom to prove anything: they come from the host that the media comes from, and are about its SSRC.
    pub(crate) fn admits_report(
        &mut self,
        now: Instant,
        from: SocketAddr,
        ssrc: u32,
        media: &Self,
    ) -> bool {
        let is_latched = self.source.is_some_and(|source| source.address == from);
        let is_of = |source: Source| source.address.ip() == from.ip() && source.ssrc == ssrc;
        let admitted = is_latched
            || self.announced == Some(from)
            || (self.announced.is_some() && media.source.is_some_and(is_of));
        match admitted {
            true => self.settle(now, from, ssrc),
            false => self.refused += 1,
        }
        admitted
    }

    /// The peer goes on from another address: a stranger does not know its SSRC (RFC 3550 §8), and it sends to one
    /// address at a time.
    fn has_moved(&self, now: Instant, ssrc: u32) -> bool {
        let is_silent = |source: Source| now.saturating_duration_since(source.last) >= SILENCE;
        self.source.is_some_and(|source| source.ssrc == ssrc && is_silent(source))
    }

    /// Whether a row of packets from `from` would prove that the peer is there.
    fn may_be_elsewhere(&self, now: Instant, from: SocketAddr) -> bool {
        let Some(source) = self.source else { return true };
        let is_open = self.open_until.is_some_and(|until| now <= until);
        // Somebody was taken for the peer who was not.
        let is_mistaken = self.announced != Some(source.address)
            && self.outer == Some(from.ip())
            && self.outer != Some(source.address.ip());
        is_open || is_mistaken
    }

    fn is_proven(&mut self, now: Instant, from: SocketAddr, ssrc: u32) -> bool {
        let is_expected = self.is_expected(from.ip());
        let candidate = match self.candidate.as_deref().copied() {
            Some(one) if (one.address, one.ssrc) == (from, ssrc) => {
                Candidate { seen: one.seen + 1, ..one }
            }
            // A stranger must not keep the peer from proving itself.
            Some(one) if self.is_expected(one.address.ip()) && !is_expected => return false,
            _ => Candidate { address: from, ssrc, seen: 1, refused: 0, since: now },
        };
        match &mut self.candidate {
            Some(have) => **have = candidate,
            none => *none = Some(Box::new(candidate)),
        }
        match is_expected {
            true => candidate.seen >= EXPECTED_PROOF,
            false => {
                let lasted = now.saturating_duration_since(candidate.since);
                candidate.seen >= PROOF && lasted >= PROOF_TIME
            }
        }
    }

    /// Whether the peer can be at this address: behind its translator, or at the host that it has been heard from.
    fn is_expected(&self, ip: IpAddr) -> bool {
        self.outer == Some(ip) || self.source.is_some_and(|source| source.address.ip() == ip)
    }

    fn settle(&mut self, now: Instant, from: SocketAddr, ssrc: u32) {
        self.source = Some(Source { address: from, ssrc, last: now });
        self.open_until = None;
        // What it sent to prove itself came from no stranger.
        if let Some(proof) = self.candidate.take().filter(|one| one.address == from) {
            self.refused -= u64::from(proof.refused);
        }
    }

    /// Where to send: the real source if it is known, else what was announced. Nowhere while the peer
    /// announces nothing, as on hold with the address 0.0.0.0 (RFC 3264 §8.4).
    #[must_use]
    pub fn target(&self) -> Option<SocketAddr> {
        let announced = self.announced?;
        Some(self.source().unwrap_or(announced))
    }

    /// The real source, once it is known.
    #[must_use]
    pub fn source(&self) -> Option<SocketAddr> {
        self.source.map(|source| source.address)
    }

    /// Packets of strangers, not counting those that a source needed to prove itself.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests;
