//! The software ends and the machine starts again: memory is empty then, the disk is as it was.

use std::time::Instant;

use contract::{Reply, StoredDisk};
use media::Plane;
use topology::format_duration;

use super::{CallServer, CallServerNotice};
use crate::call_control::{CallControl, LeftBehind};
use crate::machine::{Boot, Disk, Installation, OverloadControl};

impl CallServer {
    /// Loses all calls, and starts again: with the stored configuration, or with a `clean` one.
    pub(super) fn restart(&mut self, now: Instant, why: &str, clean: bool) {
        self.starvation = None;
        let ended = self.end_software(now, why).or_else(|| self.end_hang(now));
        let Some((mut disk, plane)) = ended else { return };
        self.notices.push_back(CallServerNotice::Restarting { why: why.to_owned() });
        self.restarts += 1;
        if clean {
            disk = disk.into_delivered(&self.topology, &self.settings);
        }
        disk.links.restarted();
        let until = Some(now + self.settings.equipment.boot);
        self.boot = Some(Boot { until, disk, plane, install: None, ticket: None });
    }

    /// This machine as it gets power back: it boots, with what was on its disk.
    #[must_use]
    pub fn powered_on(mut self, now: Instant, stored: &StoredDisk) -> Self {
        if let Some((mut disk, plane)) = self.end_software(now, "it gets power") {
            disk.restore(&self.topology, stored);
            let until = Some(now + self.settings.equipment.boot);
            self.boot = Some(Boot { until, disk, plane, install: None, ticket: None });
        }
        self
    }

    /// What would outlive the loss of power now.
    #[must_use]
    pub fn stored_disk(&self) -> StoredDisk {
        self.disk().stored(&self.topology)
    }

    /// The same by the command with this ticket, under which it is told when the site is in service.
    pub(super) fn restart_by_command(
        &mut self,
        now: Instant,
        why: &str,
        clean: bool,
        ticket: u64,
    ) -> Reply {
        self.restart(now, why, clean);
        self.note_ticket(ticket);
        let time = format_duration(self.settings.equipment.boot);
        Reply::Accepted { ticket, text: format!("starts again within {time}") }
    }

    /// The machine starts because of the command with this ticket.
    fn note_ticket(&mut self, ticket: u64) {
        if let Some(boot) = &mut self.boot {
            boot.ticket = Some(ticket);
        }
    }

    /// Ends the software that runs, with all its calls and what waits for it. Returns what the machine keeps.
    pub(super) fn end_software(&mut self, now: Instant, why: &str) -> Option<(Disk, Plane)> {
        let LeftBehind { disk, plane, counts, towards, records } =
            self.software.take()?.end(now, why);
        self.past += counts;
        self.past_towards += &towards;
        let records = records.into_iter().map(|record| CallServerNotice::Record(Box::new(record)));
        self.notices.extend(records);
        if let Some(cut) = self.installation.take() {
            self.effects.aborted(cut.ticket, format!("the software ended: {why}"));
        }
        self.inbox.clear();
        self.overload = OverloadControl::new(&self.settings.equipment.processing);
        Some((disk, plane))
    }

    pub(super) fn boot_if_due(&mut self, now: Instant) {
        let is_due = |boot: &mut Boot| boot.until.is_some_and(|until| until <= now);
        let Some(mut boot) = self.boot.take_if(is_due) else { return };
        if let Some(release) = boot.install.take() {
            boot.disk.previous = Some(std::mem::replace(&mut boot.disk.release, release));
        }
        let mut software = self.start_software(now, boot.disk, boot.plane);
        if self.draining {
            software.drain(now);
        }
        software.recover(now, self.isolated);
        self.software = Some(Box::new(software));
        self.notices.push_back(CallServerNotice::InService);
        self.take_output(now);
        let Some(ticket) = boot.ticket else { return };
        // What it finds on its disk may end the software at once.
        match self.boot.is_none() {
            true => self
                .effects
                .done(ticket, format!("in service with release {}", self.disk().release.name)),
            false => self
                .effects
                .aborted(ticket, "the site restarted as soon as it was in service".to_owned()),
        }
    }

    pub(super) fn install_if_due(&mut self, now: Instant) {
        let done = self.installation.take_if(|installation| installation.until <= now);
        let Some(Installation { release, ticket, .. }) = done else { return };
        if let Some(software) = &mut self.software {
            let disk = software.disk_mut();
            let why = format!("release {} was loaded", release.name);
            disk.previous = Some(std::mem::replace(&mut disk.release, release));
            self.restart(now, &why, false);
            self.note_ticket(ticket);
        }
    }

    pub(super) fn start_software(&self, now: Instant, disk: Disk, plane: Plane) -> CallControl {
        let seed = self.seed_of_start();
        let (settings, topology) = (self.settings.clone(), self.topology.clone());
        CallControl::start(now, settings, topology, self.address, seed, self.wall, disk, plane)
    }

    /// No identifier is used again after a start.
    pub(super) fn seed_of_start(&self) -> u64 {
        self.seed.wrapping_add(u64::from(self.restarts).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The same, to be changed.
    pub(super) fn disk_mut(&mut self) -> &mut Disk {
        let running = self.software.as_mut().map(|software| software.disk_mut());
        let hung = self.hang.as_mut().map(|hang| &mut hang.disk);
        let starting = self.boot.as_mut().map(|boot| &mut boot.disk);
        running.or(hung).or(starting).expect("a machine runs, hangs or starts")
    }

    /// The disk, whether the software runs or not.
    pub(super) fn disk(&self) -> &Disk {
        let running = self.software.as_ref().map(|software| software.disk());
        let hung = self.hang.as_ref().map(|hang| &hang.disk);
        let starting = self.boot.as_ref().map(|boot| &boot.disk);
        running.or(hung).or(starting).expect("a machine runs, hangs or starts")
    }
}
