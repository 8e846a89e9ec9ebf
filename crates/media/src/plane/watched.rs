//! Whoever looks on says so by taking sights; boxes say whose call a stream is.

use std::net::SocketAddr;
use std::time::Instant;

use super::sights::{MediaEvent, MediaSight, report_port};
use super::{IDLE_CHECK, Plane, StreamEvent};
use crate::stream::StreamId;

impl Plane {
    /// Says whose call a stream belongs to, for whoever looks on; `call` is asked only if somebody does.
    pub fn name_call(&mut self, now: Instant, id: StreamId, call: impl FnOnce() -> u64) {
        let Some(local) = self.local(id) else { return };
        let Some(sights) = &mut self.sights else { return };
        if sights.calls.insert(id, call()).is_none() {
            sights.note(now, id, local, MediaEvent::Opened);
        }
    }

    /// All that was seen since the last time; from now on with the packets themselves, or without.
    pub fn take_sights(&mut self, with_packets: bool) -> Vec<MediaSight> {
        let sights = self.sights.get_or_insert_default();
        sights.with_packets = with_packets;
        std::mem::take(&mut sights.waiting)
    }

    /// A packet goes out by the port of a stream, or by the one above it.
    pub(super) fn see_packet_sent(
        &mut self,
        at: Instant,
        id: StreamId,
        above: u16,
        to: SocketAddr,
        bytes: &[u8],
    ) {
        if let Some(sights) = self.sights.as_mut().filter(|sights| sights.with_packets)
            && let Some(stream) = self.streams.get(id)
        {
            let local = report_port(stream.local, above == 0);
            sights.note(at, id, local, MediaEvent::PacketSent { to, bytes: bytes.to_vec() });
        }
    }

    /// Tells which peers should send and have not for long.
    pub(super) fn look_for_idle(&mut self, now: Instant) {
        if now < self.next_idle_check {
            return;
        }
        self.next_idle_check = now + IDLE_CHECK;
        for (id, stream) in self.streams.iter_mut() {
            if stream.watch.falls_idle(now, stream.receiver.last(), self.idle_after) {
                self.counts.idle += 1;
                self.events.push_back(StreamEvent::Idle(id));
                if let Some(sights) = &mut self.sights {
                    sights.note(now, id, stream.local, MediaEvent::Stopped);
                }
            }
        }
    }

    /// RTCP of this box goes out, on the port above that of RTP.
    pub(super) fn see_report_sent(
        &mut self,
        at: Instant,
        id: StreamId,
        to: SocketAddr,
        bytes: &[u8],
    ) {
        if let (Some(sights), Some(stream)) = (&mut self.sights, self.streams.get(id)) {
            let what = MediaEvent::ReportSent { to, bytes: bytes.to_vec() };
            sights.note(at, id, report_port(stream.local, false), what);
        }
    }

    /// The last that is seen of a stream.
    pub(super) fn see_end(&mut self, at: Instant, id: StreamId, local: SocketAddr) {
        if let Some(sights) = &mut self.sights {
            sights.note(at, id, local, MediaEvent::Closed);
            sights.calls.remove(&id);
        }
    }
}
