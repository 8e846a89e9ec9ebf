//! Who looks on at the messages of a box, from outside: its flight recorder, and a collector of HEP.

use std::time::Instant;

use media::MediaSight;
use sip_proto::Packet;
use telemetry::CallRecord;
use trace::{KeptCall, Notes, Recorder};

use crate::hep::HepSender;

/// Sees what a box receives, sends, notes and records.
pub(crate) struct Observer {
    recorder: Option<Recorder>,
    hep: Option<HepSender>,
}

impl Observer {
    /// `None` when nobody wants to see anything.
    pub(crate) fn new(recorder: Option<Recorder>, hep: Option<HepSender>) -> Option<Self> {
        (recorder.is_some() || hep.is_some()).then_some(Self { recorder, hep })
    }

    pub(crate) fn received(&mut self, now: Instant, packet: &Packet) {
        if let Some(recorder) = &mut self.recorder {
            recorder.received(now, packet);
        }
        if let Some(hep) = &mut self.hep {
            hep.received(now, packet);
        }
    }

    pub(crate) fn sent(&mut self, now: Instant, packet: &Packet) {
        if let Some(recorder) = &mut self.recorder {
            recorder.sent(now, packet);
        }
        if let Some(hep) = &mut self.hep {
            hep.sent(now, packet);
        }
    }

    /// What the box has noted comes before what it sends.
    pub(crate) fn noted(&mut self, now: Instant, notes: &mut Notes) {
        if let Some(recorder) = &mut self.recorder {
            recorder.noted(now, notes);
        }
    }

    /// Whether somebody wants to see the packets of media too.
    pub(crate) fn keeps_media(&self) -> bool {
        self.recorder.as_ref().is_some_and(Recorder::keeps_media)
    }

    /// What was seen of the media of calls.
    pub(crate) fn media(&mut self, sights: &[MediaSight]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.media(sights);
        }
        if let Some(hep) = &mut self.hep {
            hep.media(sights);
        }
    }

    /// The record of a call that is over.
    pub(crate) fn ended(&mut self, now: Instant, record: &CallRecord) {
        if let Some(recorder) = &mut self.recorder {
            recorder.ended(now, record);
        }
        if let Some(hep) = &mut self.hep {
            hep.ended(now, record);
        }
    }

    /// What was seen of an attempt so far, if a recorder looks on.
    pub(crate) fn so_far(&mut self, attempt: u128, call_ids: &[String]) -> Option<KeptCall> {
        self.recorder.as_mut()?.so_far(attempt, call_ids)
    }

    /// To be called about once a second.
    pub(crate) fn look(&mut self, now: Instant) {
        if let Some(recorder) = &mut self.recorder {
            recorder.look(now);
        }
    }
}
