//! Whoever looks on says so by taking sights; boxes say whose call a stream is.

use std::net::SocketAddr;
use std::time::Instant;

use super::Plane;
use super::sights::{MediaEvent, MediaSight, report_port};
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

    /// All that was seen since the last time.
    pub fn take_sights(&mut self) -> Vec<MediaSight> {
        std::mem::take(&mut self.sights.get_or_insert_default().waiting)
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
