//! The software has failed and the machine has not noticed yet: it hangs until its watchdog restarts it.
//!
//! Where a new call found no memory ([`Starvation`]), the calls in progress go on until then. After any other failure ([`Hang`])
//! they are lost at once: nothing of a call is relayed or answered, its media neither, since the software relays it. In both cases
//! new calls are taken in, so that trunk groups take the site for a slow one; who calls hears silence. Commands get no answer.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use media::Plane;
use sip_proto::Packet;
use telemetry::{BoxKind, CallRecord, Outcome, Party};
use topology::format_duration;

use super::{CallServer, CallServerNotice};
use crate::machine::{Disk, FrontEnd, Hang, Starvation};
use crate::record;
use crate::timers::sip_timers;

impl CallServer {
    /// The software has failed: the machine restarts at once, or when its watchdog has waited for long enough.
    pub(super) fn fail(&mut self, now: Instant, why: &str, calls_go_on: bool) {
        let watchdog = self.settings.equipment.watchdog;
        if watchdog.is_zero() {
            self.restart(now, why, false);
        } else if calls_go_on {
            self.hangs += 1;
            self.notices.push_back(CallServerNotice::Hanging { why: why.to_owned() });
            let answers_probes = self.settings.equipment.hang_answers_probes;
            self.starvation = Some(Starvation::new(now + watchdog, why.to_owned(), answers_probes));
        } else {
            self.starvation = None;
            self.hang(now, why, watchdog);
        }
    }

    fn hang(&mut self, now: Instant, why: &str, watchdog: Duration) {
        let Some(software) = &self.software else { return };
        let (contexts_used, origin_state) = (software.memory().used(), software.origin_state());
        let written = self.notices.len();
        let Some((disk, plane)) = self.end_software(now, &hung(why)) else { return };
        let ended = self.notices.iter().skip(written);
        let known: BTreeSet<String> = ended
            .filter_map(|notice| match notice {
                CallServerNotice::Record(record) => Some(record.call_id.clone()),
                _ => None,
            })
            .collect();
        let front_end = FrontEnd::new(
            self.address,
            sip_timers(&self.topology),
            self.seed_of_start() ^ 0x6675_6c6c,
            origin_state,
            self.settings.equipment.hang_answers_probes,
            known,
            self.settings.max_calls as usize,
        );
        self.hangs += 1;
        self.notices.push_back(CallServerNotice::Hanging { why: why.to_owned() });
        let until = now + watchdog;
        let hang = Hang::new(until, why.to_owned(), disk, plane, front_end, contexts_used);
        self.hang = Some(Box::new(hang));
    }

    /// The watchdog finds that nothing happens any more.
    pub(super) fn restart_if_hung_for_long(&mut self, now: Instant) {
        let hang = self.hang.as_ref().map(|hang| (hang.until, &hang.why));
        let starvation = self.starvation.as_ref().map(|starved| (starved.until, &starved.why));
        let due = [hang, starvation].into_iter().flatten().find(|(until, _)| *until <= now);
        let Some((_, why)) = due else { return };
        let watchdog = format_duration(self.settings.equipment.watchdog);
        let why = format!("{why}; its watchdog restarts it after {watchdog}");
        self.restart(now, &why, false);
    }

    /// Ends the hang. Returns what the machine keeps; the calls that were taken meanwhile are lost.
    pub(super) fn end_hang(&mut self, now: Instant) -> Option<(Disk, Plane)> {
        self.lose_taken_calls(now);
        let Hang { disk, plane, .. } = *self.hang.take()?;
        Some((disk, plane))
    }

    /// Writes the records of the calls that were taken while the software hangs: nobody will do so later.
    pub(super) fn lose_taken_calls(&mut self, now: Instant) {
        let Some(hang) = &mut self.hang else { return };
        let (end_us, why) = (self.wall.micros(now), hung(&hang.why));
        for record in hang.taken.drain(..) {
            self.past.lost += 1;
            let record = CallRecord {
                end_us,
                outcome: Outcome::Lost,
                // Q.850: recovery on timer expiry.
                cause: Some(102),
                ended_by: Some(Party::Network),
                reason: Some(why.clone()),
                ..record
            };
            self.notices.push_back(CallServerNotice::Record(Box::new(record)));
        }
    }

    /// A packet has come while the software hangs.
    pub(super) fn give_front_end(&mut self, now: Instant, packet: Packet) {
        let Some(hang) = &mut self.hang else { return };
        for (invite, attempt) in hang.front_end.handle_packet(now, packet) {
            if self.draining {
                continue;
            }
            let at = self.wall.micros(now);
            let name = &self.settings.name;
            let record = record::open(BoxKind::CallServer, name, attempt, &invite, at);
            let site = Some(self.settings.site.clone());
            hang.taken.push(CallRecord { site, ..record });
            self.past.offered += 1;
        }
    }
}

/// As records tell it.
fn hung(why: &str) -> String {
    format!("{why}; the software hangs")
}
