//! Symmetric RTP (RFC 4961, RFC 7362): whom we hear is whom we speak to.
//!
//! ```text
//!              a packet from the announced address ──────────────┐
//!   Announced ─┤                                                  ├─► Latched: nobody else is heard
//!              └ PROOF packets in a row from one other address ───┘        │
//!        ▲                                                                 │
//!        └──────────── a session description with another address ─────────┘
//!                       (and the announced address is heard in any state)
//! ```
//!
//! A telephone behind a translator (NAT) sends from another port than it announced, so the real source is
//! taken instead, once. Afterwards a stranger who guesses the port is neither heard nor answered; and one who was first
//! is pushed out by the peer itself, if that sends from where it said.

use std::net::SocketAddr;

/// Packets in a row that a source other than the announced one must send before it is taken for the peer.
const PROOF: u8 = 3;

/// Where a stream comes from, and goes to.
#[derive(Debug, Clone, Default)]
pub struct Latch {
    announced: Option<SocketAddr>,
    source: Option<SocketAddr>,
    candidate: Option<(SocketAddr, u8)>,
    refused: u64,
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

    /// Whether a valid packet from `from` is one of the peer.
    pub fn admits(&mut self, from: SocketAddr) -> bool {
        if self.source == Some(from) {
            return true;
        }
        // Where the peer said that it is, it is: whoever was taken for it before was not.
        if self.source.is_some() && self.announced != Some(from) {
            self.refused += 1;
            return false;
        }
        if self.announced == Some(from) || self.is_proven(from) {
            self.source = Some(from);
            // What it sent to prove itself came from no stranger.
            if let Some((_, seen)) =
                self.candidate.take().filter(|(candidate, _)| *candidate == from)
            {
                self.refused -= u64::from(seen.saturating_sub(1));
            }
            return true;
        }
        self.refused += 1;
        false
    }

    fn is_proven(&mut self, from: SocketAddr) -> bool {
        // Before any announcement there is nobody whom a packet could come from.
        if self.announced.is_none() {
            return false;
        }
        let seen = match self.candidate {
            Some((candidate, seen)) if candidate == from => seen + 1,
            _ => 1,
        };
        self.candidate = Some((from, seen));
        seen >= PROOF
    }

    /// Takes `from` for the peer without proof, if nobody is known yet.
    pub(crate) fn trust(&mut self, from: SocketAddr) {
        if self.announced.is_some() {
            self.source.get_or_insert(from);
        }
    }

    /// Where to send: the real source if it is known, else what was announced. Nowhere while the peer
    /// announces nothing, as on hold with the address 0.0.0.0 (RFC 3264 §8.4).
    #[must_use]
    pub fn target(&self) -> Option<SocketAddr> {
        let announced = self.announced?;
        Some(self.source.unwrap_or(announced))
    }

    /// The real source, once it is known.
    #[must_use]
    pub fn source(&self) -> Option<SocketAddr> {
        self.source
    }

    /// Packets of strangers, not counting those that a source needed to prove itself.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    #[test]
    fn the_announced_address_is_taken_at_its_first_packet() {
        let mut latch = Latch::default();
        assert_eq!(latch.target(), None);
        latch.announce(Some(address(4_000)));
        assert_eq!((latch.target(), latch.source()), (Some(address(4_000)), None));
        assert!(latch.admits(address(4_000)));
        assert_eq!(latch.source(), Some(address(4_000)));
    }

    // RFC 7362 §4: a peer behind a NAT sends from an address that it does not know itself.
    #[test]
    fn another_source_is_taken_after_three_packets_in_a_row() {
        let mut latch = Latch::default();
        latch.announce(Some(address(4_000)));
        let heard = [5_000, 6_000, 5_000, 5_000, 5_000].map(|port| latch.admits(address(port)));
        assert_eq!(heard, [false, false, false, false, true]);
        assert_eq!(latch.target(), Some(address(5_000)));
        assert_eq!(latch.refused(), 2, "the first of 5000, and that of 6000");
    }

    // The attack known as RTPBleed: whoever sends to the port gets the audio.
    #[test]
    fn a_stranger_steals_no_stream_that_is_latched() {
        let mut latch = Latch::default();
        latch.announce(Some(address(4_000)));
        assert!(latch.admits(address(4_000)));
        assert!((0..1_000).all(|_| !latch.admits(address(6_666))));
        assert_eq!((latch.target(), latch.refused()), (Some(address(4_000)), 1_000));
    }

    #[test]
    fn the_announced_peer_pushes_out_whoever_was_first() {
        let mut latch = Latch::default();
        latch.announce(Some(address(4_000)));
        (0..5).for_each(|_| _ = latch.admits(address(6_666)));
        assert_eq!(latch.target(), Some(address(6_666)));
        assert!(latch.admits(address(4_000)));
        assert!(!latch.admits(address(6_666)));
        assert_eq!(latch.target(), Some(address(4_000)));
    }

    #[test]
    fn nobody_is_heard_before_an_announcement() {
        let mut latch = Latch::default();
        assert!((0..10).all(|_| !latch.admits(address(6_666))));
    }

    // RFC 3264 §8.3.1: a new description may move the media; §8.4: 0.0.0.0 is hold.
    #[test]
    fn a_new_description_moves_the_stream_and_the_same_one_does_not() {
        let mut latch = Latch::default();
        latch.announce(Some(address(4_000)));
        (0..3).for_each(|_| _ = latch.admits(address(5_000)));
        latch.announce(Some(address(4_000)));
        assert_eq!(latch.target(), Some(address(5_000)), "a refresh changes nothing");
        latch.announce(None);
        assert_eq!(latch.target(), None);
        latch.announce(Some(address(4_002)));
        assert_eq!(latch.target(), Some(address(4_002)));
        assert!(latch.admits(address(4_002)));
    }
}
