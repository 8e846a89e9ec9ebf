//! Where the peer of a stream is, as far as its SIP tells, and what it may get before it has shown that it is there.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::Plane;
use crate::allowance::Allowance;
use crate::stream::StreamId;

impl Plane {
    /// Where the peer of a relayed stream receives. Another address than before moves the stream.
    pub fn set_peer(&mut self, id: StreamId, rtp: Option<SocketAddr>, rtcp: Option<SocketAddr>) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.rtp.announce(rtp);
        stream.rtcp.announce(rtcp);
    }

    /// The peer of a stream is behind a translator whose outer address is this; `None`: behind none that is known of.
    /// Media from there is taken for the peer's sooner than from anywhere else.
    pub fn expect_from(&mut self, id: StreamId, outer: Option<IpAddr>) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.rtp.expect_from(outer);
        }
    }

    /// The peer has sent a request inside the call: its media may come from elsewhere from now on.
    pub fn let_move(&mut self, now: Instant, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.rtp.open(now);
        }
    }

    /// The peer has named an address and not acknowledged what it got for it: until
    /// [`confirm`](Self::confirm) it gets a second of media, and more only for media of its own.
    pub fn hold_back(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.allowance.get_or_insert(Allowance::full());
        }
    }

    /// The peer has acknowledged: it gets as much as there is.
    pub fn confirm(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.allowance = None;
        }
    }
}
