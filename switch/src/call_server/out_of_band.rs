//! What reaches a machine from outside of its software: the power switch and the console. Both work whatever the software does,
//! and take the way of a technician where there is no remote switch.
//!
//! ```text
//!                       power off
//!   Up, Hung, Starting ───────────► Off ── power on ──► Starting
//! ```
//!
//! At the console nothing is cut short by calls: a release is loaded with the machine taken down, and a machine that hangs, or starts
//! again and again, gets its configuration changed before its software reads it. Nothing is held there: it goes on starting by itself.

use std::time::Instant;

use contract::Reply;
use operations::{Action, PowerSwitch};
use topology::{Release, format_duration};

use super::CallServer;
use super::command::{lead_away, lock_disk, shed_disk, unlock_disk};

impl CallServer {
    /// A command to the power switch or the console.
    pub(super) fn reach_from_outside(&mut self, now: Instant, action: Action) -> Reply {
        let way = self.settings.equipment.technician;
        let ticket = self.effects.ticket();
        if way.is_zero() {
            return self.at_the_machine(now, action, ticket);
        }
        self.visits.add(now + way, action, ticket);
        let text = format!("a technician is there within {}", format_duration(way));
        Reply::Accepted { ticket, text }
    }

    /// Technicians who have arrived do what they came for.
    pub(super) fn visit_if_due(&mut self, now: Instant) {
        while let Some(visit) = self.visits.take_due(now) {
            match self.at_the_machine(now, visit.action, visit.ticket) {
                Reply::Done(text) => self.effects.done(visit.ticket, text),
                Reply::Refused(why) => {
                    self.effects.aborted(visit.ticket, format!("refused, {why}"));
                }
                // Told when its effect is there, by the same ticket.
                Reply::Accepted { .. } | Reply::Calls(_) | Reply::Silent => {}
            }
        }
    }

    fn at_the_machine(&mut self, now: Instant, action: Action, ticket: u64) -> Reply {
        match action {
            Action::Power(PowerSwitch::Off) if self.is_off() => refused("it has no power"),
            Action::Power(PowerSwitch::Off) => {
                self.cut_power(now);
                Reply::Done("has no power".to_owned())
            }
            Action::Power(PowerSwitch::On) if !self.is_off() => refused("it has power"),
            Action::Power(PowerSwitch::On) => self.start_anew(now, ticket, None),
            Action::Power(PowerSwitch::Cycle) => {
                self.cut_power(now);
                self.start_anew(now, ticket, None)
            }
            Action::Console(_) if self.is_off() => refused("it has no power; give power on first"),
            Action::Console(action) => self.at_the_console(now, *action, ticket),
            other => self.carry_out(now, other),
        }
    }

    fn at_the_console(&mut self, now: Instant, action: Action, ticket: u64) -> Reply {
        match action {
            Action::LoadRelease { release } => {
                let release = match self.release_to_load(&release) {
                    Ok(release) => release,
                    Err(sentence) => return refused(&sentence),
                };
                self.restart(now, &format!("taken down to load release {}", release.name), false);
                self.start_anew(now, ticket, Some(release))
            }
            Action::Restart { clean } => {
                let how = if clean { "restarted clean" } else { "restarted" };
                self.restart(now, &format!("{how} at the console"), false);
                if clean {
                    self.clean_disk();
                }
                self.start_anew(now, ticket, None)
            }
            Action::Rollback => {
                let Some(previous) = self.disk().previous.clone() else {
                    return refused("there is no earlier release on it");
                };
                let why = format!("rolled back to release {} at the console", previous.name);
                self.restart(now, &why, false);
                if let Some(boot) = &mut self.boot {
                    boot.disk.previous = None;
                    boot.disk.release = previous;
                }
                self.start_anew(now, ticket, None)
            }
            action if self.software.is_some() => self.carry_out_as(now, action, ticket),
            action => self.change_stored(action),
        }
    }

    /// Changes the configuration of a machine whose software hangs or has not started.
    fn change_stored(&mut self, action: Action) -> Reply {
        let hung = self.hang.as_mut().map(|hang| &mut hang.disk);
        let Some(disk) = hung.or_else(|| self.boot.as_mut().map(|boot| &mut boot.disk)) else {
            return Reply::Silent;
        };
        Reply::Done(match action {
            Action::Show => self.describe(),
            Action::Isolate => self.isolate(true),
            Action::Rejoin if self.isolated => self.isolate(false),
            Action::Rejoin => return refused("it is not isolated"),
            Action::Lock => lock_disk(disk),
            Action::Drain => lead_away(disk),
            Action::Unlock => unlock_disk(disk),
            Action::Shed { on } => shed_disk(disk, on),
            Action::Block { number } => disk.block(&number),
            Action::Unblock { number } => match disk.unblock(&number) {
                Ok(text) => text,
                Err(sentence) => return refused(&sentence),
            },
            Action::Disconnect { .. } | Action::Reconnect { .. } => {
                return refused("its links are out of service while it hangs or starts");
            }
            Action::LoadRelease { .. }
            | Action::Restart { .. }
            | Action::Rollback
            | Action::Power(_)
            | Action::Console(_)
            | Action::Arm { .. }
            | Action::Disarm { .. } => return refused("the console does not take it"),
        })
    }

    /// Whether its power is off.
    pub(super) fn is_off(&self) -> bool {
        self.boot.as_ref().is_some_and(|boot| boot.until.is_none())
    }

    /// All that was going on ends.
    fn cut_power(&mut self, now: Instant) {
        let why = "its power was cut";
        self.restart(now, why, false);
        if let Some(boot) = &mut self.boot {
            boot.until = None;
            boot.install = None;
            if let Some(ticket) = boot.ticket.take() {
                self.effects.aborted(ticket, why.to_owned());
            }
        }
    }

    /// The machine, which is down, starts from the beginning for the command with this ticket, once it has copied a release to its
    /// disk.
    fn start_anew(&mut self, now: Instant, ticket: u64, install: Option<Release>) -> Reply {
        let equipment = &self.settings.equipment;
        let copying = install.as_ref().map(|_| equipment.install).unwrap_or_default();
        let Some(boot) = &mut self.boot else { return Reply::Silent };
        boot.until = Some(now + copying + equipment.boot);
        let text = match &install {
            Some(release) => {
                let time = format_duration(copying + equipment.boot);
                format!("runs release {} within {time}", release.name)
            }
            None => format!("starts again within {}", format_duration(equipment.boot)),
        };
        boot.install = install;
        if let Some(other) = boot.ticket.replace(ticket) {
            self.effects.aborted(other, "the machine was made to start anew".to_owned());
        }
        Reply::Accepted { ticket, text }
    }

    /// The configuration as it was delivered, on the disk of a machine that is down.
    fn clean_disk(&mut self) {
        if let Some(mut boot) = self.boot.take() {
            boot.disk = boot.disk.into_delivered(&self.topology, &self.settings);
            self.boot = Some(boot);
        }
    }
}

fn refused(sentence: &str) -> Reply {
    Reply::Refused(sentence.to_owned())
}
